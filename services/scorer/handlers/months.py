"""Counts the months that have ended, for whole accounts at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.scorer.domain.months import closed_months, count_months
from services.scorer.store import months, projection
from services.scorer.store.counts import Kept, save_counts
from shared.db.transaction import WriteTx


async def keep_months(tx: WriteTx, now: datetime, account_ids: Sequence[str]) -> int:
    """Keep the counts of the months that are missing, of those of the accounts whose past nothing waits to change;
    returns of how many."""
    held = await months.hold(tx, now, account_ids)
    # What holds is asked once the snapshots are locked: a projector may have let go of it just before.
    valid = await months.valid_upto(tx, held)
    states, _ = await projection.read_accounts(tx, held)
    kept: list[Kept] = []
    for state in states:
        await asyncio.sleep(0)  # readers of the same process wait for one account, not for all of them
        upto = valid.get(state.account_id)
        missing = [month for month in closed_months(now) if upto is None or month > upto]
        counted = count_months(state.facts(), missing)
        kept += [(state.account_id, window.name, month, counts) for window, month, counts in counted]
    await save_counts(tx, kept)
    await months.say_valid(tx, now, held)
    return len(held)
