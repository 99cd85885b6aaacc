"""Which follow-ups escalate now, and the levels that have fired."""

from datetime import datetime

from services.alerting.domain.escalation import LONGEST_ACK
from services.alerting.domain.tasks import Escalation, Task
from services.alerting.store.tasks import SELECT_TASKS, task_of
from services.alerting.tables.tasks import TASK_ESCALATIONS
from shared.db.transaction import ReadTx, WriteTx


async def tasks_to_escalate(tx: ReadTx, now: datetime, limit: int) -> list[Task]:
    """Follow-ups of which a level is due, the longest overdue first."""
    rows = await tx.all(
        f"{SELECT_TASKS} where next_escalation_at <= :now order by next_escalation_at, follow_up_id limit :limit",
        now=now,
        limit=limit,
    )
    return [task_of(row) for row in rows]


async def tasks_to_unacknowledge(tx: ReadTx, now: datetime, limit: int) -> list[Task]:
    """Follow-ups that were taken on and then left, not too long ago."""
    rows = await tx.all(
        f"{SELECT_TASKS} where state = 'acknowledged' and ack_expires_at <= :now"
        " and acknowledged_at >= :since order by ack_expires_at, follow_up_id limit :limit",
        now=now,
        since=now - LONGEST_ACK,
        limit=limit,
    )
    return [task_of(row) for row in rows]


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


async def overdue_tasks(tx: ReadTx, before: datetime) -> list[Task]:
    """Follow-ups of which a level was due before then and has not fired."""
    rows = await tx.all(f"{SELECT_TASKS} where next_escalation_at < :before limit 10000", before=before)
    return [task_of(row) for row in rows]
