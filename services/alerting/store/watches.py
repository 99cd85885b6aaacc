"""What time brings about: renewals that come near, segments that turn; and which of it has been acted on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.alerting.domain.segments import DIMENSIONS, AccountVoices, Voices
from shared.db.transaction import ReadTx, WriteTx

WINDOW = "90d"
_AMONG = "(cast(:among as text[]) is null or account_id = any(cast(:among as text[])))"


@dataclass(frozen=True, slots=True)
class Renewal:
    """An account whose contract ends soon. `heard_at`: the last answer of a decision-maker, else since when Tellback
    has known of the account.
    """

    account_id: str
    renewal_on: date
    account_class: str | None
    heard_at: datetime


async def note_renewals(
    tx: WriteTx, first: date, last: date, now: datetime, among: Collection[str] | None = None
) -> None:
    """Take down since when these accounts are known, those that were not."""
    await tx.execute(
        "insert into account_watches (account_id, known_since) select account_id, :now from accounts"
        f" where not removed and renewal_on between :first and :last and {_AMONG}"
        " and not exists (select from account_watches w where w.account_id = accounts.account_id)"
        " order by account_id on conflict do nothing",
        first=first,
        last=last,
        now=now,
        among=_ids(among),
    )


async def renewals_between(
    tx: ReadTx, first: date, last: date, now: datetime, among: Collection[str] | None = None
) -> list[Renewal]:
    """Accounts in the directory that renew from `first` to `last`, the next one first."""
    rows = await tx.all(
        f"""
        select account_id, a.renewal_on, s.account_class, coalesce(w.known_since, :now) as known_since,
            (select max(cast(r.live ->> 'answered_at' as timestamptz)) from responses r
                join stakeholders p using (account_id, stakeholder_id)
                where r.account_id = a.account_id and p.type = 'decision_maker' and not r.withdrawn
                    and not coalesce(cast(r.live ->> 'test' as boolean), false)) as heard_at
        from accounts a left join account_watches w using (account_id) left join account_scores s using (account_id)
        where not a.removed and a.renewal_on between :first and :last and {_AMONG}
        order by a.renewal_on, account_id
        """,
        first=first,
        last=last,
        now=now,
        among=_ids(among),
    )
    return [
        Renewal(row["account_id"], row["renewal_on"], row["account_class"], row["heard_at"] or row["known_since"])
        for row in rows
    ]


async def account_voices(tx: ReadTx) -> list[AccountVoices]:
    """The latest voices of each account in the standard window and the one before, with its attributes."""
    rows = await tx.all(
        f"select a.industry, a.tier, a.region, s.figures -> '{WINDOW}' as figures from account_scores s"
        " join accounts a using (account_id) where not a.removed"
    )
    found = []
    for row in rows:
        now: dict[str, Any] = row["figures"] or {}
        before: dict[str, Any] = now.get("previous") or {}
        found.append(AccountVoices({name: row[name] for name in DIMENSIONS}, _voices(now), _voices(before)))
    return found


async def watched(tx: ReadTx, event_ids: Collection[UUID]) -> set[UUID]:
    """Those of these that have been acted on."""
    if not event_ids:
        return set()
    return set(
        await tx.column("select event_id from watched where event_id = any(cast(:ids as uuid[]))", ids=list(event_ids))
    )


async def take_down(tx: WriteTx, event_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """Take down what is about to be acted on; answers the ids that had not been."""
    rows = await tx.all(
        "insert into watched (event_id, at) select unnest(cast(:ids as uuid[])), :now"
        " on conflict do nothing returning event_id",
        ids=sorted(set(event_ids)),
        now=now,
    )
    return {row["event_id"] for row in rows}


async def purge_watched(tx: WriteTx, before: datetime) -> int:
    """Forget what was acted on long ago; answers how much."""
    return await tx.execute("delete from watched where at < :before", before=before)


async def first_known(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, datetime]:
    """When the first answer of each of these accounts was recorded, where there is one."""
    rows = await tx.all(
        "select account_id, (select min(recorded_at) from responses r where r.account_id = wanted.account_id) as first"
        " from unnest(cast(:ids as text[])) as wanted (account_id)",
        ids=sorted(set(account_ids)),
    )
    return {row["account_id"]: row["first"] for row in rows if row["first"] is not None}


def _ids(among: Collection[str] | None) -> list[str] | None:
    return None if among is None else sorted(among)


def _voices(figures: dict[str, Any]) -> Voices:
    return Voices(figures.get("response_count") or 0, figures.get("detractor_count") or 0)
