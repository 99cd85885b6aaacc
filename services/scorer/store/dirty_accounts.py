"""Rows of `dirty_accounts`: which accounts are to be projected, since something was written that their figures lack.

Whoever changes an account upserts its row in the same transaction, and so raises the row's revision. A projector claims
an account (an advisory lock, which goes with its transaction), reads the revision and all that it computes from in one
snapshot of the database, and in the end deletes the row if it still has that revision. So nobody who writes answers
waits for a projection, and what is written during one is projected by the next.

An account whose projection failed has `retry_at`: it is left out of what is projected together, and tried by itself
when it is due, for ever. The row says so, so that no replica forgets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap

from shared.db.transaction import ReadTx, WriteTx
from shared.isolation import FIRST_PAUSE_SECONDS, LONGEST_HOLD_SECONDS

# An account that is set apart is tried again soon: what is new may be what it lacked.
MARK = """
    insert into dirty_accounts as d (account_id, dirty_since, account_events, affects_from)
    select account_id, :at, account_events, coalesce(affects_from, '-infinity')
    from unnest(cast(:accounts as text[]), cast(:account_events as bool[]), cast(:affects_from as timestamptz[])) as
    m(account_id, account_events, affects_from) order by account_id
    on conflict (account_id) do update set revision = d.revision + 1,
        account_events = d.account_events or excluded.account_events,
        affects_from = least(d.affects_from, excluded.affects_from),
        tries = 0, retry_at = case when d.retry_at is not null
            then least(d.retry_at, excluded.dirty_since + interval '1 second') end
"""
_KEY = "hashtextextended(account_id, 0)"
"""The lock of an account that is being projected. (Locks with one key are others than those with two.)"""
# Other projectors hold the oldest ones, so more are looked at than are wanted; a lock is asked for only as long as some
# are missing. Beside the dirty accounts come those that time alone has changed.
CLAIM = f"""
    select account_id from (
        (select account_id, dirty_since as due_since from dirty_accounts where retry_at is null
            order by dirty_since limit :looked_at)
        union all
        (select account_id, recompute_at from snapshots s where recompute_at <= :now
            and not exists (select from dirty_accounts d where d.account_id = s.account_id)
            order by recompute_at limit :looked_at)
        order by due_since
    ) as due where pg_try_advisory_xact_lock({_KEY}) limit :limit
"""
CLAIM_FAILED = f"""
    select account_id from (
        select account_id from dirty_accounts where retry_at <= :now order by retry_at limit :looked_at
    ) as due where pg_try_advisory_xact_lock({_KEY}) limit 1
"""
HOLD = f"""
    select pg_advisory_xact_lock(key) from (
        select distinct {_KEY} as key from unnest(cast(:accounts as text[])) as a(account_id) order by 1
    ) as ordered
"""
READ = (
    "select account_id, revision, account_events from dirty_accounts where account_id = any(cast(:accounts as text[]))"
)
LOCK = f"{READ} order by account_id for update"
# A row that somebody has locked gets another revision in a moment.
DELETE = """
    delete from dirty_accounts where account_id in (
        select account_id from dirty_accounts
        join unnest(cast(:accounts as text[]), cast(:revisions as bigint[])) as r(account_id, revision)
            using (account_id, revision)
        for update of dirty_accounts skip locked
    )
"""
REQUEUE = """
    update dirty_accounts set dirty_since = :now where account_id in (
        select account_id from dirty_accounts where account_id = any(cast(:accounts as text[])) for update skip locked
    )
"""
# One that time alone made due has no row yet; its past is what it was.
SET_APART = """
    insert into dirty_accounts as d (account_id, dirty_since, affects_from, retry_at)
    select account_id, :now, 'infinity', :now from unnest(cast(:accounts as text[])) as a(account_id)
    order by account_id
    on conflict (account_id) do update set retry_at = coalesce(d.retry_at, excluded.retry_at)
"""
NOTE_FAILURE = f"""
    update dirty_accounts set tries = tries + 1, failed_at = coalesce(failed_at, cast(:now as timestamptz)),
        retry_at = cast(:now as timestamptz)
            + least({FIRST_PAUSE_SECONDS} * 2 ^ least(tries, 20), {LONGEST_HOLD_SECONDS}) * interval '1 second'
    where account_id = :account_id
"""
# A row that somebody has locked stays set apart, and the account is projected there once more.
REJOIN = """
    update dirty_accounts set tries = 0, failed_at = null, retry_at = null where account_id in (
        select account_id from dirty_accounts where account_id = :account_id for update skip locked
    )
"""
FIRST_REVISION = 1
"""Of an account that was not dirty before."""
LOOKED_AT = 1_000
"""Rows looked at to find some that nobody has claimed: more than all projectors can hold at once."""


@dataclass(frozen=True, slots=True)
class DirtyAccount:
    """An account to be projected; `account_events` when events about the account itself may be published, its class and
    a drop of its score, and not only those about its people."""

    account_id: str
    revision: int
    account_events: bool


async def mark(
    tx: WriteTx,
    account_events: Mapping[str, bool],
    at: datetime,
    affects_from: Mapping[str, datetime] | None = None,
) -> None:
    """Make accounts dirty: account_id → whether events about the account may follow. `affects_from` says of each from
    which moment on its figures may be others: as of a moment before they are as they were. Without it they may be
    others at any."""
    if not account_events:
        return
    moments: list[datetime | None] = [None] * len(account_events)
    if affects_from is not None:
        moments = [affects_from[account_id] for account_id in account_events]
    await tx.execute(
        MARK, accounts=list(account_events), account_events=list(account_events.values()), affects_from=moments, at=at
    )


async def claim(tx: WriteTx, now: datetime, limit: int) -> Sequence[str]:
    """Claim, until the end of the transaction, the accounts that have waited longest and that nobody else holds."""
    return await tx.column(CLAIM, now=now, limit=limit, looked_at=LOOKED_AT)


async def claim_failed(tx: WriteTx, now: datetime) -> str | None:
    """Claim the account that is due first of those that were set apart and that nobody else holds."""
    account_id: str | None = await tx.scalar(CLAIM_FAILED, now=now, looked_at=LOOKED_AT)
    return account_id


async def hold(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """Hold accounts until the end of the transaction, waiting for whoever projects them: no projection that began
    before overtakes what the transaction does."""
    await tx.execute(HOLD, accounts=list(account_ids))


async def read(tx: ReadTx, account_ids: Sequence[str]) -> list[DirtyAccount]:
    """The dirty ones of the accounts."""
    return list(starmap(DirtyAccount, await tx.rows(READ, accounts=list(account_ids))))


async def lock(tx: WriteTx, account_ids: Sequence[str]) -> list[DirtyAccount]:
    """The dirty ones of the accounts, locked: none gets another revision until the transaction ends."""
    return list(starmap(DirtyAccount, await tx.rows(LOCK, accounts=list(account_ids))))


async def delete(tx: WriteTx, projected: Sequence[DirtyAccount], now: datetime) -> None:
    """The accounts are projected. What was changed since it was read stays, and goes to the end of the queue, so that
    an account that is written to all the time does not come before all others."""
    revisions = {account.account_id: account.revision for account in projected}
    deleted = await tx.execute(DELETE, accounts=list(revisions), revisions=list(revisions.values()))
    if deleted < len(projected):
        await tx.execute(REQUEUE, accounts=list(revisions), now=now)


async def set_apart(tx: WriteTx, account_ids: Sequence[str], now: datetime) -> None:
    """Let accounts that failed together be tried one by one, from now on."""
    await tx.execute(SET_APART, accounts=list(account_ids), now=now)


async def note_failure(tx: WriteTx, account_id: str, now: datetime) -> None:
    """The account failed by itself: it is due again after a pause, each time a longer one."""
    await tx.execute(NOTE_FAILURE, account_id=account_id, now=now)


async def rejoin(tx: WriteTx, account_id: str) -> None:
    """The account is projected again like any other, should it be dirty again."""
    await tx.execute(REJOIN, account_id=account_id)


async def waiting(tx: ReadTx) -> tuple[datetime | None, int]:
    """Since when the account waits that has waited longest, but for those that were set apart; and how many of these
    have failed by themselves."""
    [row] = await tx.all(
        "select min(dirty_since) filter (where retry_at is null) as oldest, count(failed_at) as failing"
        " from dirty_accounts"
    )
    return row["oldest"], row["failing"]


async def count(tx: ReadTx) -> int:
    """How many accounts wait, but for those that were set apart."""
    return int(await tx.scalar("select count(*) from dirty_accounts where retry_at is null"))
