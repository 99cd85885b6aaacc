"""Tasks and their history as rows."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.dialects.postgresql import insert

from services.alerting.domain.escalation import next_at
from services.alerting.domain.people import PersonKey
from services.alerting.domain.tasks import (
    Closing,
    Contact,
    EndedReason,
    Escalation,
    HistoryEntry,
    NextAnswer,
    Promise,
    Task,
)
from services.alerting.tables.metadata import columns_of
from services.alerting.tables.tasks import TASK_HISTORY, TASKS
from shared.db.erasures import visible
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx, WriteTx

_SAME = (
    "version", "kind", "title", "severity", "state", "account_id", "stakeholder_id", "response_id", "owner_source",
    "recipient", "due_at", "occurrences", "playbook", "opened_at", "opened_by", "updated_at", "policy",
    "score", "touchpoint", "product", "acknowledged_at", "started_at", "snoozed_until", "closed_at",
    "paused_since", "paused_seconds", "ack_expires_at", "unacknowledged_at", "survey_type",
    "nps_kind", "touched_at", "closed_by", "linked_to",
)  # fmt: skip
"""Fields that are a column of the same name."""
_TASK = columns_of(TASKS)
SELECT_TASKS = f"select {_TASK} from tasks"
_HISTORY = columns_of(TASK_HISTORY)
_UPSERT_TASK = insert(TASKS)
_UPSERT_TASK = _UPSERT_TASK.on_conflict_do_update(
    index_elements=["follow_up_id"],
    set_={column.name: _UPSERT_TASK.excluded[column.name] for column in TASKS.columns if not column.primary_key},
)


async def _tasks(tx: ReadTx, condition: str, **params: Any) -> list[Task]:
    rows = await tx.all(f"{SELECT_TASKS} {condition}", **params)
    return [task_of(row) for row in rows]


async def open_tasks(tx: ReadTx, people: Iterable[tuple[str, str | None]]) -> list[Task]:
    """The tasks that are not closed of these (account, stakeholder); None is the account itself."""
    return await _tasks(
        tx,
        f"where state <> 'closed' and (account_id, coalesce(stakeholder_id, '')) in {BOUND_PEOPLE}",
        **people_binds(people),
    )


async def tasks_at_hand(
    tx: ReadTx, account_ids: Iterable[str], closed_since: datetime, people: Iterable[PersonKey] = ()
) -> list[Task]:
    """The tasks of these accounts that are not closed, or that facts have closed since then, whoever they are about;
    and the closed ones of these people that a next score may belong to.
    """
    return await _tasks(
        tx,
        "where follow_up_id in (select follow_up_id from tasks where account_id = any(cast(:ids as text[]))"
        " and (state <> 'closed' or (closed_by = 'facts' and closed_at >= :closed_since))"
        " union select follow_up_id from tasks where state = 'closed' and score is not null"
        f" and (account_id, stakeholder_id) in {BOUND_PEOPLE}) order by opened_at, follow_up_id",
        ids=sorted(set(account_ids)),
        closed_since=closed_since,
        **people_binds(people),
    )


async def ids_in_use(tx: ReadTx, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids under which there is a task."""
    if not ids:
        return set()
    return set(
        await tx.column("select follow_up_id from tasks where follow_up_id = any(cast(:ids as uuid[]))", ids=ids)
    )


async def with_tasks(tx: ReadTx, people: Iterable[tuple[str, str | None]], closed_since: datetime) -> set[str]:
    """The accounts of these (account, stakeholder) with a task about the person or the account itself that is not
    closed, or that facts have closed since then; of a None any task of the account counts.
    """
    rows = await tx.all(
        "select distinct p.account_id from unnest(cast(:accounts as text[]), cast(:people as text[]))"
        " as p (account_id, stakeholder_id) where exists (select from tasks t where t.account_id = p.account_id"
        " and (p.stakeholder_id = '' or coalesce(t.stakeholder_id, p.stakeholder_id) = p.stakeholder_id)"
        " and (t.state <> 'closed' or (t.closed_by = 'facts' and t.closed_at >= :closed_since)))",
        **people_binds(people),
        closed_since=closed_since,
    )
    return {row["account_id"] for row in rows}


async def last_closed(tx: ReadTx, people: Iterable[tuple[str, str | None]]) -> list[tuple[Task, int]]:
    """The task that was closed last of each kind about these (account, stakeholder), and how many were."""
    rows = await tx.all(
        f"select distinct on (account_id, stakeholder_id, kind) {_TASK},"
        " count(*) over (partition by account_id, stakeholder_id, kind) as closed_count from tasks"
        f" where state = 'closed' and (account_id, coalesce(stakeholder_id, '')) in {BOUND_PEOPLE}"
        " order by account_id, stakeholder_id, kind, closed_at desc, follow_up_id",
        **people_binds(people),
    )
    return [(task_of(row), row["closed_count"]) for row in rows]


async def tasks_of_person(tx: ReadTx, account_id: str, stakeholder_id: str) -> list[Task]:
    """Every task about a person, open and closed."""
    return await _tasks(
        tx,
        "where account_id = :account_id and stakeholder_id = :stakeholder_id order by opened_at",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
    )


async def snoozed_until_now(tx: ReadTx, now: datetime, held: Collection[UUID], limit: int) -> Sequence[UUID]:
    """Tasks whose snooze is over, but for those that are held."""
    return await tx.column(
        "select follow_up_id from tasks where state = 'snoozed' and snoozed_until <= :now"
        " and follow_up_id <> all(cast(:held as uuid[])) order by snoozed_until, follow_up_id limit :limit",
        now=now,
        held=list(held),
        limit=limit,
    )


async def tasks_by_id(tx: ReadTx, follow_up_ids: Iterable[UUID]) -> list[Task]:
    """These tasks, open and closed."""
    return await _tasks(
        tx,
        "where follow_up_id = any(cast(:ids as uuid[])) order by opened_at, follow_up_id",
        ids=sorted(set(follow_up_ids)),
    )


async def find_task(tx: ReadTx, follow_up_id: UUID, owner_email: str | None) -> Task | None:
    """A task; None when there is none, when its person waits to be erased, or when the caller knows other accounts
    only."""
    row = await tx.one(
        f"{SELECT_TASKS} where follow_up_id = :follow_up_id and {visible('tasks')}"
        " and (cast(:owner_email as text) is null"
        " or account_id in (select account_id from accounts where owner_email = :owner_email))",
        follow_up_id=follow_up_id,
        owner_email=owner_email,
    )
    return None if row is None else task_of(row)


async def save_tasks(tx: WriteTx, tasks: Sequence[Task]) -> None:
    """Insert or overwrite."""
    await tx.execute_many(_UPSERT_TASK, [_task_row(task) for task in tasks])


async def add_history(tx: WriteTx, entries: Sequence[tuple[UUID, HistoryEntry]]) -> None:
    """Append lines to the histories of tasks."""
    rows = [
        {
            "follow_up_id": follow_up_id,
            "action": entry.action,
            "actor": entry.actor,
            "at": entry.at,
            "version": entry.version,
            "comment": entry.comment,
            "changes": entry.changes,
            "event_id": entry.event_id,
        }
        for follow_up_id, entry in entries
    ]
    await tx.execute_many(insert(TASK_HISTORY), rows)


async def history_of(tx: ReadTx, follow_up_id: UUID) -> list[HistoryEntry]:
    """The history of a task, oldest first."""
    rows = await tx.all(f"select {_HISTORY} from task_history where follow_up_id = :id order by entry", id=follow_up_id)
    return [
        HistoryEntry(
            row["action"], row["actor"], row["at"], row["version"], row["comment"], row["changes"], row["event_id"]
        )
        for row in rows
    ]


async def forget_texts(tx: WriteTx, follow_up_ids: Iterable[UUID]) -> None:
    """Take what people wrote out of histories."""
    await tx.execute(
        "update task_history set comment = null, changes = '{}' where follow_up_id = any(cast(:ids as uuid[]))",
        ids=list(follow_up_ids),
    )


_PROMISE = {"promised": "what", "promised_by": "by"}
_CLOSING = {name: name for name in ("outcome", "root_cause", "what_was_done", "told_customer", "result")}
_OVER = {"over_since": "since", "over_because": "because", "over_outcome": "outcome"}
_NEXT_ANSWER = {
    "next_response_id": "response_id",
    "next_score": "score",
    "next_answered_at": "answered_at",
    "next_result": "result",
}
"""Columns of what a task may have, and the fields that they hold. The first is null where the task has none."""
Part = TypeVar("Part")


def _part_of(row: RowMapping, part: Callable[..., Part], columns: Mapping[str, str]) -> Part | None:
    if row[next(iter(columns))] is None:
        return None
    return part(**{field: row[column] for column, field in columns.items()})


def _part_row(part: object, columns: Mapping[str, str]) -> dict[str, Any]:
    if part is None:
        return dict.fromkeys(columns)
    return {column: getattr(part, field) for column, field in columns.items()}


def task_of(row: RowMapping) -> Task:
    """A row as a task."""
    return Task(
        follow_up_id=row["follow_up_id"],
        owner=Contact(row["owner_name"], row["owner_email"]),
        informed=tuple(Contact(contact["name"], contact["email"]) for contact in row["informed"]),
        reasons=tuple(row["reasons"]),
        inhibited=tuple(row["inhibited"]),
        promise=_part_of(row, Promise, _PROMISE),
        closing=_part_of(row, Closing, _CLOSING),
        over=_part_of(row, EndedReason, _OVER),
        next_answer=_part_of(row, NextAnswer, _NEXT_ANSWER),
        escalations=tuple(map(_escalation, row["escalations"])),
        **{name: row[name] for name in _SAME},
    )


def _task_row(task: Task) -> dict[str, Any]:
    same = {name: getattr(task, name) for name in _SAME}
    return {
        **same,
        **_part_row(task.promise, _PROMISE),
        **_part_row(task.closing, _CLOSING),
        **_part_row(task.over, _OVER),
        **_part_row(task.next_answer, _NEXT_ANSWER),
        "follow_up_id": task.follow_up_id,
        "owner_name": task.owner.name,
        "owner_email": task.owner.email,
        "informed": [{"name": contact.name, "email": contact.email} for contact in task.informed],
        "reasons": list(task.reasons),
        "inhibited": list(task.inhibited),
        "escalations": list(map(_escalation_row, task.escalations)),
        "next_escalation_at": next_at(task),
    }


def _escalation(document: dict[str, Any]) -> Escalation:
    fired_at = document["fired_at"]
    if fired_at is not None:
        fired_at = datetime.fromisoformat(fired_at)
    due_at = datetime.fromisoformat(document["due_at"])
    return Escalation(document["level"], document["cause"], document["to"], due_at, fired_at)


def _escalation_row(escalation: Escalation) -> dict[str, Any]:
    fired_at = None
    if escalation.fired_at is not None:
        fired_at = escalation.fired_at.isoformat()
    return {
        "level": escalation.level,
        "cause": escalation.cause,
        "to": escalation.to,
        "due_at": escalation.due_at.isoformat(),
        "fired_at": fired_at,
    }
