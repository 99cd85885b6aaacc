"""Keeps the newest snapshot of every account."""

from collections.abc import Sequence

from services.benchmark.store.accounts import keep_snapshot
from shared.db.transaction import WriteTx
from shared.events.scores import AccountScoreChanged
from shared.verdicts import CHANGE, REPEAT, Received, Verdict


async def keep_snapshots(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """CHANGE where the snapshot is newer than what stood, REPEAT otherwise."""
    verdicts: list[Verdict] = []
    for record in records:
        data = record.event.data
        if not isinstance(data, AccountScoreChanged):
            raise TypeError(f"not a snapshot: {record.event.name}")
        if await keep_snapshot(tx, data):
            verdicts.append(CHANGE)
        else:
            verdicts.append(REPEAT)
    return verdicts
