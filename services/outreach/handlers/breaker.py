"""A programme pauses itself when too many of its mails are refused: its addresses are wrong, or nobody wants them."""

from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.asks import SYSTEM
from services.outreach.store import bounces, programmes, sends
from shared.db.transaction import WriteTx

LAST: Final = 200
FROM_MAILS: Final = 20
FROM_REFUSED: Final = 3
SHARE: Final = 0.05
"""Of its last 200 mails, 20 or more, over one in twenty and at least three."""
AN_HOUR: Final = 5
"""And at once when more come back for good within an hour."""


async def pause_if_refused(tx: WriteTx, programme_id: str, now: datetime) -> None:
    """Let a running programme rest where the recipients' servers refuse too many of its mails; who starts it again has
    looked at the addresses."""
    mails, refused = await sends.last_refused(tx, programme_id, LAST)
    came_back = await bounces.hard_since(tx, programme_id, now - timedelta(hours=1))
    reason = None
    if mails >= FROM_MAILS and refused >= FROM_REFUSED and refused > SHARE * mails:
        reason = f"{refused} of the last {mails} mails were refused: correct the addresses, then start it again"
    if came_back > AN_HOUR:
        reason = f"{came_back} mails came back within an hour: correct the addresses, then start it again"
    if reason is not None:
        await programmes.pause_running(tx, programme_id, reason, now, SYSTEM)
