"""Failed sign-ins, counted for hashes of names, addresses and devices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.db.transaction import WriteTx

Times = Sequence[datetime]


async def lock_tries(tx: WriteTx, hashes: Sequence[bytes], now: datetime) -> dict[bytes, Times]:
    """The failures of each hash, the oldest first. Their rows stay locked until this transaction ends."""
    failures: dict[bytes, Times] = {}
    for hashed in sorted(hashes):  # always in the same order, so that two transactions cannot deadlock
        failures[hashed] = await tx.scalar(
            "insert into failed_tries as known (who, times, last_at) values (:who, '{}', :now)"
            " on conflict (who) do update set last_at = known.last_at returning times",
            who=hashed,
            now=now,
        )
    return failures


async def set_tries(tx: WriteTx, tries: Mapping[bytes, Times]) -> None:
    """Replace the failures of each hash; a hash without failures is deleted."""
    for hashed in sorted(tries):
        times = list(tries[hashed])
        if times:
            await tx.execute(
                "update failed_tries set times = :times, last_at = :last where who = :who",
                who=hashed,
                times=times,
                last=times[-1],
            )
        else:
            await tx.execute("delete from failed_tries where who = :who", who=hashed)


async def drop_old_tries(tx: WriteTx, before: datetime, most: int) -> int:
    """Delete some expired failures; rows that a concurrent try has locked are left for the next time."""
    return await tx.execute(
        "delete from failed_tries where who in"
        " (select who from failed_tries where last_at < :before limit :most for update skip locked)",
        before=before,
        most=most,
    )
