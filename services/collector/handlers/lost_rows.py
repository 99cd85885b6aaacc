"""Rows of files that were taken, could not be published, and are dropped, by an operator or for their age."""

from datetime import datetime

from services.collector.store import import_reports as reports
from shared.db.parked import Dropped
from shared.db.transaction import WriteTx
from shared.files.table import BadRow


async def count_dropped(tx: WriteTx, dropped: Dropped, _now: datetime) -> None:
    """Count a row that never left for Kafka as bad: nobody will read it, so that its import is settled without it."""
    origin = dropped.file_row
    if origin is not None:
        lost = BadRow(origin.line, dropped.reason, "the row could not be published, and was dropped")
        await reports.note_lost(tx, origin.import_id, lost)
