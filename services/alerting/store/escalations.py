"""Which follow-ups escalate now, and the levels that have fired."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.escalation import LONGEST_ACK
from services.alerting.domain.tasks import Escalation, Task
from services.alerting.store.tasks import SELECT_TASKS, task_of
from services.alerting.tables.tasks import TASK_ESCALATIONS
from shared.db.transaction import ReadTx, WriteTx
from shared.isolation import of_the_items
from shared.telemetry.logging import get_logger

log = get_logger(__name__)


async def tasks_to_escalate(tx: ReadTx, now: datetime, held: Collection[UUID], limit: int) -> Sequence[UUID]:
    """Follow-ups of which a level is due, the longest overdue first, but for those that are held."""
    return await tx.column(
        "select follow_up_id from tasks where next_escalation_at <= :now"
        " and follow_up_id <> all(cast(:held as uuid[])) order by next_escalation_at, follow_up_id limit :limit",
        now=now,
        held=list(held),
        limit=limit,
    )


async def tasks_to_unacknowledge(tx: ReadTx, now: datetime, held: Collection[UUID], limit: int) -> Sequence[UUID]:
    """Follow-ups that were taken on and then left, not too long ago, but for those that are held."""
    return await tx.column(
        "select follow_up_id from tasks where state = 'acknowledged' and ack_expires_at <= :now"
        " and acknowledged_at >= :since and follow_up_id <> all(cast(:held as uuid[]))"
        " order by ack_expires_at, follow_up_id limit :limit",
        now=now,
        since=now - LONGEST_ACK,
        held=list(held),
        limit=limit,
    )


async def add_escalation(tx: WriteTx, task: Task, level: Escalation, at: datetime) -> None:
    """Write down that a level has fired; a second time breaks the primary key, and with it the transaction."""
    row = {
        "follow_up_id": task.follow_up_id,
        "level": level.level,
        "cause": level.cause,
        "recipient": level.to,
        "fired_at": at,
    }
    await tx.execute_many(TASK_ESCALATIONS.insert(), [row])


async def count_late(tx: ReadTx, before: datetime, is_late: Callable[[Task], bool]) -> int:
    """How many of the follow-ups are late of which a level was due before then and has not fired."""
    rows = await tx.all(f"{SELECT_TASKS} where next_escalation_at < :before limit 10000", before=before)
    return sum(_counts_as_late(row, is_late) for row in rows)


def _counts_as_late(row: RowMapping, is_late: Callable[[Task], bool]) -> bool:
    """One that cannot be read is late: no level of it can fire."""
    try:
        return is_late(task_of(row))
    except Exception as error:
        if not of_the_items(error):
            raise
        log.error("follow_up_unreadable", follow_up_id=str(row["follow_up_id"]), exc_info=error)
        return True
