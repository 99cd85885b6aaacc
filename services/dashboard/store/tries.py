"""Failed sign-ins, counted for hashes of names, addresses and devices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.db.transaction import WriteTx

Times = Sequence[datetime]


async def lock_tries(tx: WriteTx, who: Sequence[bytes], now: datetime) -> dict[bytes, Times]:
    """The failures of each hash, the oldest first. Their rows stay locked until this transaction ends."""
    failures: dict[bytes, Times] = {}
    for hashed in sorted(who):  # all lock in one order, so that no two wait for each other
        failures[hashed] = await tx.scalar(
            "insert into failed_tries as known (who, times, last_at) values (:who, '{}', :now)"
            " on conflict (who) do update set last_at = known.last_at returning times",
            who=hashed,
            now=now,
        )
    return failures


async def set_tries(tx: WriteTx, tries: Mapping[bytes, Times]) -> None:
    """Exchange the failures of each; without any they are forgotten."""
    for who in sorted(tries):
        times = list(tries[who])
        if times:
            await tx.execute(
                "update failed_tries set times = :times, last_at = :last where who = :who",
                who=who,
                times=times,
                last=times[-1],
            )
        else:
            await tx.execute("delete from failed_tries where who = :who", who=who)


async def drop_old_tries(tx: WriteTx, before: datetime, most: int) -> int:
    """Remove some of what counts no more; what somebody is counting right now stays for the next time."""
    return await tx.execute(
        "delete from failed_tries where who in"
        " (select who from failed_tries where last_at < :before limit :most for update skip locked)",
        before=before,
        most=most,
    )
