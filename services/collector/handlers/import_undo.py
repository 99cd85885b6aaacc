"""An import is undone: every account that it touched is told, after all of its rows."""

from datetime import datetime
from uuid import UUID

from services.collector.domain.columns import RESPONSES as RESPONSE_FILE
from services.collector.handlers.responses import SOURCE
from services.collector.store import import_order as order
from services.collector.store import imports as store
from services.collector.store.imports import ImportJob
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound
from shared.events.envelope import Event
from shared.events.responses import ImportUndone
from shared.ids import derived_uuid
from shared.topics import IMPORT_UNDONE, RESPONSES


async def undo(
    tx: WriteTx, import_id: UUID, owner_email: str | None, now: datetime, *, dry_run: bool
) -> tuple[ImportJob, int]:
    """Undo an import of responses, or only look at what that would touch; returns the job and how many accounts are
    told. To undo it again changes nothing. Raises `NotFound`, and `Conflict` while it runs or for another kind."""
    job = await store.find(tx, import_id, owner_email)
    if job is None:
        raise NotFound("not_found", "there is no such import")
    if job.kind != RESPONSE_FILE:
        raise Conflict("not_undoable", "imports of the directory cannot be undone: import the earlier file again")
    if job.state not in ("done", "failed"):
        raise Conflict("import_runs", "the import has not ended: undo it when it has")
    accounts = await order.accounts_of(tx, import_id)
    if not dry_run and await order.undo(tx, import_id, now):
        await tx.emit(RESPONSES, *[_undone(import_id, account_id, now) for account_id in accounts])
    return job, len(accounts)


def _undone(import_id: UUID, account_id: str, now: datetime) -> Event:
    event_id = derived_uuid("import.undone", str(import_id), account_id)
    data = ImportUndone(event_id=event_id, import_id=import_id, account_id=account_id, recorded_at=now)
    return Event(event_id, IMPORT_UNDONE, SOURCE, now, account_id, data)
