"""The daily watch: how far it has come, whom it looks at, and the segments."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from services.alerting.domain.segments import DIMENSIONS, AccountVoices, Voices
from shared.db.transaction import ReadTx, WriteTx

WINDOW = "90d"


async def note_known(tx: WriteTx, account_ids: Collection[str], now: datetime) -> None:
    """Take down since when these accounts are known, those that were not."""
    if account_ids:
        await tx.execute(
            "insert into account_watches (account_id, known_since) select account_id, :now"
            " from unnest(cast(:ids as text[])) as wanted (account_id) order by account_id on conflict do nothing",
            ids=sorted(account_ids),
            now=now,
        )


async def come_to(tx: WriteTx, name: str) -> tuple[date, str] | None:
    """How far a watch has come: the day, and after which account it goes on. Nobody else goes on with it until the end
    of the transaction. None where it never began.
    """
    row = await tx.one("select day, after from watches where name = :name for update", name=name)
    return None if row is None else (row["day"], row["after"])


async def go_on(tx: WriteTx, name: str, day: date, after: str) -> None:
    """Take down how far a watch has come."""
    await tx.execute(
        "insert into watches (name, day, after) values (:name, :day, :after)"
        " on conflict (name) do update set day = excluded.day, after = excluded.after",
        name=name,
        day=day,
        after=after,
    )


async def accounts_to_watch(
    tx: ReadTx, after: str, first: date, last: date, closed_since: datetime, limit: int
) -> list[str]:
    """The next accounts in their order with a follow-up that is not closed, or that facts have closed since then, or
    with a contract that ends from `first` to `last`. What stands for a segment is none.
    """
    return list(
        await tx.column(
            """
            select account_id from (
                select account_id from tasks where account_id > :after and account_id not like 'segment/%'
                    and (state <> 'closed' or (closed_by = 'facts' and closed_at >= :closed_since))
                union select account_id from accounts where account_id > :after and not removed
                    and renewal_on between :first and :last
            ) as watched order by account_id limit :limit
            """,
            after=after,
            first=first,
            last=last,
            closed_since=closed_since,
            limit=limit,
        )
    )


async def accounts_renewing(tx: ReadTx, first: date, last: date, owner_email: str | None) -> list[str]:
    """Accounts with a contract that ends from `first` to `last`; those of an owner where there is one."""
    return list(
        await tx.column(
            "select account_id from accounts where not removed and renewal_on between :first and :last"
            " and (cast(:owner as text) is null or owner_email = :owner) order by account_id",
            first=first,
            last=last,
            owner=owner_email,
        )
    )


async def segments_with_tasks(tx: ReadTx) -> list[str]:
    """The names that stand for segments with a follow-up that is not closed."""
    return list(await tx.column("select account_id from tasks where state <> 'closed' and account_id like 'segment/%'"))


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


def _voices(figures: dict[str, Any]) -> Voices:
    return Voices(figures.get("response_count") or 0, figures.get("detractor_count") or 0)
