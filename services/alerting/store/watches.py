"""The daily watch: which accounts and segments it evaluates, and which it has evaluated."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.alerting.domain.segments import DIMENSIONS, AccountCounts, DetractorCount
from shared.db.transaction import ReadTx, WriteTx

WINDOW = "90d"


@dataclass(frozen=True, slots=True)
class WatchFilter:
    """Whom the watch looks at: accounts with a follow-up that is not closed, or that facts have closed since
    `closed_since`, or with a contract that ends from `first` to `last`; of these the ones behind `after`, but for some,
    and where `day` is given for those that were evaluated on that day. What stands for a segment is no account.
    """

    first: date
    last: date
    closed_since: datetime
    after: str = ""
    but: Sequence[str] = ()
    day: date | None = None


async def note_known(tx: WriteTx, account_ids: Collection[str], now: datetime) -> None:
    """Take down since when these accounts are known, those that were not."""
    if account_ids:
        await tx.execute(
            "insert into account_watches (account_id, known_since) select account_id, :now"
            " from unnest(cast(:ids as text[])) as wanted (account_id) order by account_id on conflict do nothing",
            ids=sorted(account_ids),
            now=now,
        )


async def note_watched(tx: WriteTx, names: Collection[str], now: datetime, day: date) -> None:
    """Note that these accounts or segments were evaluated on this day; the unknown ones are known since now."""
    await tx.execute(
        "insert into account_watches (account_id, known_since, watched_on) select name, :now, :day"
        " from unnest(cast(:names as text[])) as wanted (name) order by name"
        " on conflict (account_id) do update set watched_on = excluded.watched_on",
        names=sorted(names),
        now=now,
        day=day,
    )


async def watched_since(tx: ReadTx, names: Collection[str], day: date) -> set[str]:
    """Those of the accounts or segments that were evaluated on this day or a later one."""
    return set(
        await tx.column(
            "select account_id from account_watches where account_id = any(cast(:names as text[]))"
            " and watched_on >= :day",
            names=sorted(names),
            day=day,
        )
    )


async def accounts_to_watch(tx: ReadTx, filters: WatchFilter, limit: int) -> Sequence[str]:
    """The next accounts in their order."""
    return await tx.column(
        """
        select account_id from (
            select account_id from tasks where account_id > :after and account_id not like 'segment/%'
                and (state <> 'closed' or (closed_by = 'facts' and closed_at >= :closed_since))
            union select account_id from accounts where account_id > :after and not removed
                and renewal_on between :first and :last
        ) as wanted where account_id <> all(cast(:but as text[])) and not exists (
            select from account_watches w where w.account_id = wanted.account_id and w.watched_on >= cast(:day as date)
        ) order by account_id limit :limit
        """,
        after=filters.after,
        closed_since=filters.closed_since,
        first=filters.first,
        last=filters.last,
        but=list(filters.but),
        day=filters.day,
        limit=limit,
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


async def account_counts(tx: ReadTx) -> list[AccountCounts]:
    """How many people answered at each account in the standard window and in the one before, and its attributes."""
    rows = await tx.all(
        f"select a.industry, a.tier, a.region, s.figures -> '{WINDOW}' as figures from account_scores s"
        " join accounts a using (account_id) where not a.removed"
    )
    accounts = []
    for row in rows:
        now: dict[str, Any] = row["figures"] or {}
        before: dict[str, Any] = now.get("previous") or {}
        attributes = {name: row[name] for name in DIMENSIONS}
        accounts.append(AccountCounts(attributes, _counts(now), _counts(before)))
    return accounts


def _counts(figures: dict[str, Any]) -> DetractorCount:
    return DetractorCount(figures.get("response_count") or 0, figures.get("detractor_count") or 0)
