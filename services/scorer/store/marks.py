"""Rows of `marks`: which accounts are to be projected. A mark is written with the change that it stands for.

A projector holds an account (a lock of its transaction, which goes with it), takes its mark in a transaction that
commits at once, and only then reads. Whoever changes the account later finds the mark taken and sets it again, so that
it outlives this projection. So nobody who writes answers waits until one is through.

Accounts whose projection failed are set apart: the others pass them over, and they are tried one by one when they are
due, for ever. The mark says so, so that no replica forgets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.transaction import ReadTx, WriteTx
from shared.isolation import FIRST_PAUSE_SECONDS, LONGEST_HOLD_SECONDS

# The upsert locks the row: a projector that is just deleting the mark is waited for, and the mark is set again.
# `do nothing` would lose it. A row that says it already is locked all the same, and not written anew: under a load most
# accounts of a batch are marked. One that is set again goes to the end of the queue, and one that was set apart is due
# soon.
MARK = """
    insert into marks (account_id, marked_at, loud, since)
    select account_id, :at, loud, coalesce(since, '-infinity')
    from unnest(cast(:accounts as text[]), cast(:loud as bool[]), cast(:since as timestamptz[])) as
    m(account_id, loud, since) order by account_id
    on conflict (account_id) do update set
        loud = marks.loud or excluded.loud, since = least(marks.since, excluded.since), taken = false,
        marked_at = case when marks.taken then excluded.marked_at else marks.marked_at end, tries = 0,
        retry_at = case when marks.retry_at is not null
            then least(marks.retry_at, excluded.marked_at + interval '1 second') end
    where marks.taken or excluded.loud and not marks.loud or excluded.since < marks.since
"""
# A mark that was taken quietly and becomes loud has to be projected again, or what it is loud for would not be told.
SWEEP = """
    insert into marks (account_id, marked_at, loud, since)
    select account_id, :at, true, 'infinity' from (
        select account_id from snapshots s where next_border <= :at and not exists (
            select from marks m where m.account_id = s.account_id and m.loud
        ) order by next_border limit :limit
    ) as due order by account_id
    on conflict (account_id) do update set loud = true, taken = false where not marks.loud
"""
_KEY = "hashtextextended(account_id, 0)"
"""The lock of an account that is being projected. (Locks with one key are others than those with two.)"""
# Whoever else is at work has the oldest ones, so more are looked at than are wanted; a lock is asked for only as long
# as some are missing.
HOLD_OLDEST = f"""
    select account_id from (
        select account_id from marks where account_id <> all(cast(:passed_over as text[])) and retry_at is null
        order by marked_at limit :looked_at
    ) as oldest where pg_try_advisory_xact_lock({_KEY}) limit :limit
"""
HOLD_APART = f"""
    select account_id from (
        select account_id from marks where retry_at <= :at order by retry_at limit :looked_at
    ) as due where pg_try_advisory_xact_lock({_KEY}) limit 1
"""
HOLD = f"""
    select pg_advisory_xact_lock(key) from (
        select distinct {_KEY} as key from unnest(cast(:accounts as text[])) as a(account_id) order by 1
    ) as ordered
"""
# A mark that is locked is just being set again.
TAKE = """
    update marks set taken = true where account_id in (
        select account_id from marks where account_id = any(cast(:accounts as text[])) for update skip locked
    ) returning account_id
"""
READ = "select account_id, loud from marks where account_id = any(cast(:accounts as text[]))"
TAKE_WAITING = """
    update marks set taken = true where account_id in (
        select account_id from marks where account_id = any(cast(:accounts as text[])) order by account_id for update
    ) returning account_id, loud
"""
DELETE = """
    delete from marks where account_id in (
        select account_id from marks where account_id = any(cast(:accounts as text[])) and taken for update skip locked
    )
"""
SET_APART = """
    update marks set retry_at = :at where account_id in (
        select account_id from marks where account_id = any(cast(:accounts as text[])) order by account_id for update
    ) and retry_at is null
"""
NOTE_FAILURE = f"""
    update marks set tries = tries + 1, failed_at = coalesce(failed_at, cast(:at as timestamptz)),
        retry_at = cast(:at as timestamptz)
            + least({FIRST_PAUSE_SECONDS} * 2 ^ least(tries, 20), {LONGEST_HOLD_SECONDS}) * interval '1 second'
    where account_id = :account_id
"""
# What is just being set again stays apart, and is projected there once more.
JOIN = """
    update marks set tries = 0, failed_at = null, retry_at = null where account_id in (
        select account_id from marks where account_id = :account_id for update skip locked
    )
"""

# A lock that nobody waits for: its being held is what it says, and it goes with its transaction, however that ends.
_LOAD = 0x7E13
LOOKED_AT = 1_000
"""Marks looked at to find some that nobody holds: more than all projectors can hold at once."""
ANNOUNCE = "select pg_advisory_xact_lock_shared(:load, 0)"
ANNOUNCED = """
    select exists (select from pg_locks where locktype = 'advisory' and classid = :load and objid = 0 and objsubid = 2
        and database = (select oid from pg_database where datname = current_database()))
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """One account to project; `loud` when class and drop may be told."""

    account_id: str
    loud: bool


async def mark(
    tx: WriteTx, accounts: Mapping[str, bool], at: datetime, since: Mapping[str, datetime] | None = None
) -> None:
    """Mark accounts, account_id -> loud. `since` says of each from which moment on its figures may be others: as of a
    moment before they are as they were. Without it they may be others at any."""
    if accounts:
        reach = [since[account_id] if since is not None else None for account_id in accounts]
        await tx.execute(MARK, accounts=list(accounts), loud=list(accounts.values()), since=reach, at=at)


async def sweep(tx: WriteTx, now: datetime, limit: int) -> int:
    """Mark accounts whose next border has passed; returns how many."""
    return await tx.execute(SWEEP, at=now, limit=limit)


async def announce_load(tx: WriteTx) -> None:
    """Let projectors know, in all replicas, that a large batch is being written."""
    await tx.scalar(ANNOUNCE, load=_LOAD)


async def load_announced(tx: ReadTx) -> bool:
    """Whether a large batch is being written now."""
    return bool(await tx.scalar(ANNOUNCED, load=_LOAD))


async def hold_oldest(tx: WriteTx, limit: int, passed_over: Sequence[str] = ()) -> Sequence[str]:
    """Hold the longest marked accounts that nobody else holds, but for some, until the end of the transaction."""
    return await tx.column(HOLD_OLDEST, limit=limit, looked_at=LOOKED_AT, passed_over=list(passed_over))


async def hold(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """Hold accounts until the end of the transaction, waiting for whoever projects them: no projection that began
    before overtakes what the transaction does."""
    await tx.execute(HOLD, accounts=list(account_ids))


async def take(tx: WriteTx, account_ids: Sequence[str]) -> Sequence[str]:
    """Take the marks of accounts that the caller holds, but for those that are just being set again; returns whose.
    Read the marks and what they stand for once this is committed."""
    return await tx.column(TAKE, accounts=list(account_ids))


async def read(tx: ReadTx, account_ids: Sequence[str]) -> list[Mark]:
    """The marks of accounts that the caller holds."""
    return [Mark(row["account_id"], row["loud"]) for row in await tx.all(READ, accounts=list(account_ids))]


async def take_waiting(tx: WriteTx, account_ids: Sequence[str]) -> list[Mark]:
    """Take and lock the marks of accounts that the caller holds: nothing changes them until the transaction ends."""
    return [Mark(row["account_id"], row["loud"]) for row in await tx.all(TAKE_WAITING, accounts=list(account_ids))]


async def delete(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """The accounts are projected; what was set again since it was taken, or is just being set, stays."""
    await tx.execute(DELETE, accounts=list(account_ids))


async def hold_apart(tx: WriteTx, now: datetime) -> str | None:
    """Hold the account that is due first of those that were set apart and that nobody else holds."""
    account_id: str | None = await tx.scalar(HOLD_APART, at=now, looked_at=LOOKED_AT)
    return account_id


async def set_apart(tx: WriteTx, account_ids: Sequence[str], now: datetime) -> None:
    """Let accounts that failed together be tried one by one, from now on."""
    await tx.execute(SET_APART, accounts=list(account_ids), at=now)


async def note_failure(tx: WriteTx, account_id: str, now: datetime) -> None:
    """The account failed by itself: it is due again after a pause, each time a longer one."""
    await tx.execute(NOTE_FAILURE, account_id=account_id, at=now)


async def join(tx: WriteTx, account_id: str) -> None:
    """The account is projected again like any other, should it have been marked anew meanwhile."""
    await tx.execute(JOIN, account_id=account_id)


async def count(tx: ReadTx) -> int:
    """How many accounts wait, but for those that were set apart."""
    return int(await tx.scalar("select count(*) from marks where retry_at is null"))


_WITH_ACCOUNTS = ("responses", "invitations", "accounts", "stakeholders", "snapshots", "latest_pairs")
"""Whatever has rows of an account; an account may be in any of them alone."""


async def accounts_after(tx: ReadTx, account_id: str, limit: int) -> list[str]:
    """The next accounts, in the order of their ids, of which anything is known."""
    each = " union ".join(
        f"(select distinct account_id from {table} where account_id > :after order by account_id limit :limit)"
        for table in _WITH_ACCOUNTS
    )
    rows = await tx.all(f"{each} order by account_id limit :limit", after=account_id, limit=limit)
    return [row["account_id"] for row in rows]


async def count_accounts(tx: ReadTx) -> int:
    """How many accounts anything is known of."""
    each = " union ".join(f"select account_id from {table}" for table in _WITH_ACCOUNTS)
    return int(await tx.scalar(f"select count(*) from ({each}) as known"))


async def is_known(tx: ReadTx, account_id: str) -> bool:
    """Whether anything is known of the account."""
    each = " or ".join(f"exists (select 1 from {table} where account_id = :account_id)" for table in _WITH_ACCOUNTS)
    return bool(await tx.scalar(f"select {each}", account_id=account_id))
