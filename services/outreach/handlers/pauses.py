"""No mail goes from a database that was put back from a copy, or copied, until somebody resumes: mails that left after
the copy was made are in none of its rows, and would go twice."""

from datetime import datetime
from typing import Final

from services.outreach.domain.asks import SYSTEM
from services.outreach.store import pauses as store
from services.outreach.store.asks import lock_asking
from services.outreach.store.pauses import Sending
from shared.db.engine import Database
from shared.db.transaction import WriteTx

RESTORED: Final = "the database was put back from a copy, moved or copied"


async def watch_origin(database: Database, now: datetime) -> str | None:
    """Pause where the database is another one than that which mails went from last; returns why no mail goes, None
    where they do."""
    async with database.read() as tx:
        here, sending = await store.origin(tx), await store.found(tx)
    if sending is not None and store.is_same(sending.origin, here):
        return sending.reason
    return (await database.retrying(lambda tx: _compare(tx, here, now))).reason


async def pause_sending(tx: WriteTx, reason: str, actor: str, now: datetime) -> Sending:
    """Let no mail go, by hand. Where none goes already the reason stays that of before."""
    here = await store.origin(tx)
    held = await store.hold(tx, here)
    if held.reason is None and store.is_same(held.origin, here):
        await store.pause(tx, here, reason, now, actor)
    return await store.hold(tx, here)


async def resume_sending(tx: WriteTx, actor: str, now: datetime) -> Sending:
    """Let mails go again, also from a database that nobody has looked at yet. Again it changes nothing."""
    held = await _compare(tx, await store.origin(tx), now)
    if held.reason is not None:
        await store.resume(tx, now, actor)
    return await store.hold(tx, held.origin)


async def _compare(tx: WriteTx, here: str, now: datetime) -> Sending:
    await lock_asking(tx)
    held = await store.hold(tx, here)
    if not store.is_same(held.origin, here):
        await store.take_as_sent(tx, now, SYSTEM)
        await store.pause(tx, here, RESTORED, now, SYSTEM)
        held = await store.hold(tx, here)
    return held
