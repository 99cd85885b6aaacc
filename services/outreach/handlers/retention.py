"""What has been kept long enough is deleted: words once the collector has them, asks and reviews after months."""

from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.retention import kept_since
from services.outreach.store import retention
from shared.db.transaction import WriteTx

UNMATCHED: Final = timedelta(days=90)
"""How long a report that names no mail of ours is kept."""


async def forget(tx: WriteTx, months: int, now: datetime) -> int:
    """A bounded part of what there is; returns how many rows that was. Sums of windows that begin after
    `kept_since(now, months)` lack nothing: an ask goes by when it fell due, as it is summed."""
    before = kept_since(now, months)
    words = await retention.forget_words(tx)
    asks = await retention.forget_asks(tx, before)
    unmatched = await retention.forget_unmatched_bounces(tx, now - UNMATCHED)
    notices = await retention.forget_notices(tx, before)
    return words + asks + unmatched + notices + await retention.forget_reviews(tx, before)
