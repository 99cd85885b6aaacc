"""Rows of `marks`: which accounts are to be projected. A mark is written with the change that it stands
for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.transaction import ReadTx, WriteTx

# The upsert locks the row: a projector that is just deleting the mark is waited for, and the mark is set
# again. `do nothing` would lose it. A row that says it already is locked all the same, and not written anew: under a
# load most accounts of a batch are marked.
MARK = """
    insert into marks (account_id, marked_at, loud, since)
    select account_id, :at, loud, coalesce(since, '-infinity')
    from unnest(cast(:accounts as text[]), cast(:loud as bool[]), cast(:since as timestamptz[])) as
    m(account_id, loud, since) order by account_id
    on conflict (account_id) do update set
        loud = marks.loud or excluded.loud, since = least(marks.since, excluded.since)
    where excluded.loud and not marks.loud or excluded.since < marks.since
"""
SWEEP = """
    insert into marks (account_id, marked_at, loud, since)
    select account_id, :at, true, 'infinity' from (
        select account_id from snapshots where next_border <= :at order by next_border limit :limit
    ) as due order by account_id
    on conflict (account_id) do update set loud = true where not marks.loud
"""


# A lock that nobody waits for: its being held is what it says, and it goes with its transaction, however that ends.
_LOAD = 0x7E13
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


async def take(tx: WriteTx, limit: int) -> list[Mark]:
    """Lock the oldest marks that nobody else holds. Read what they stand for in a later statement only."""
    rows = await tx.all(
        "select account_id, loud from marks order by marked_at limit :limit for update skip locked", limit=limit
    )
    return [Mark(row["account_id"], row["loud"]) for row in rows]


async def take_marked(tx: WriteTx, account_ids: Sequence[str]) -> list[Mark]:
    """Lock those of the accounts that are marked, waiting for whoever holds them."""
    rows = await tx.all(
        "select account_id, loud from marks where account_id = any(cast(:accounts as text[])) order by account_id"
        " for update",
        accounts=list(account_ids),
    )
    return [Mark(row["account_id"], row["loud"]) for row in rows]


async def take_these(tx: WriteTx, account_ids: Sequence[str], at: datetime) -> list[Mark]:
    """Mark and lock the accounts given, waiting for whoever holds them."""
    await mark(tx, dict.fromkeys(account_ids, False), at)
    return await take_marked(tx, account_ids)


async def delete(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """The accounts are projected."""
    await tx.execute("delete from marks where account_id = any(cast(:accounts as text[]))", accounts=list(account_ids))


async def count(tx: ReadTx) -> int:
    """How many accounts wait."""
    return int(await tx.scalar("select count(*) from marks"))


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
