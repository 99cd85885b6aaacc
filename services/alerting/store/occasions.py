"""What tasks rest on: occasions with the facts that rules were evaluated on, and those that people have settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.arrangement import DesiredTask, MatchedOccasion
from services.alerting.domain.rules import Rule
from services.alerting.domain.severity import Severity
from services.alerting.domain.tasks import Task
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = (
    *("follow_up_id", "kind", "stakeholder_id", "occasion", "account_id", "role", "event", "response_id", "at"),
    *("facts", "matches", "holds", "settled"),
)


@dataclass(frozen=True, slots=True)
class TaskOccasion:
    """An occasion behind a task: its own or one that it has taken in, whether it still holds, and the rules that held,
    the strongest first, as JSON values.
    """

    kind: str
    stakeholder_id: str | None
    occasion: str
    role: Literal["own", "taken_in"]
    event: str
    response_id: str | None
    at: datetime | None
    facts: dict[str, Any]
    matches: list[dict[str, Any]]
    holds: bool
    settled: bool


async def occasions_of(tx: ReadTx, follow_up_ids: Iterable[UUID]) -> dict[UUID, list[TaskOccasion]]:
    """What tasks rest on, oldest first."""
    ids = sorted(set(follow_up_ids))
    if not ids:
        return {}
    rows = await tx.all(
        f"select {', '.join(_COLUMNS)} from task_occasions where follow_up_id = any(cast(:ids as uuid[]))"
        " order by at nulls last, kind, occasion",
        ids=ids,
    )
    by_task: dict[UUID, list[TaskOccasion]] = {}
    for row in rows:
        by_task.setdefault(row["follow_up_id"], []).append(_task_occasion(row))
    return by_task


async def settle(tx: WriteTx, follow_up_ids: Iterable[UUID]) -> None:
    """A person has closed these tasks, and with them all that they have taken in."""
    await tx.execute(
        "update task_occasions set settled = true where follow_up_id = any(cast(:ids as uuid[]))",
        ids=list(follow_up_ids),
    )


async def save_occasions(
    tx: WriteTx, resting: Sequence[tuple[Task, DesiredTask | None, Sequence[DesiredTask]]]
) -> None:
    """Write the occasions of tasks, their own and those taken in. Earlier occasions stay, and no longer hold."""
    ids = [task.follow_up_id for task, _, _ in resting if task.version > 1]
    if ids:
        await tx.execute(
            "update task_occasions set holds = false where holds and follow_up_id = any(cast(:ids as uuid[]))", ids=ids
        )
    rows = []
    for task, own, taken_in in resting:
        rows += _rows(task, own, taken_in)
    await tx.execute_many(
        "insert into task_occasions (follow_up_id, kind, stakeholder_id, occasion, account_id, role, event,"
        " response_id, at, facts, matches, holds) values (:follow_up_id, :kind, :stakeholder_id, :occasion,"
        " :account_id, :role, :event, :response_id, :at, cast(:facts as jsonb), cast(:matches as jsonb), true)"
        " on conflict (follow_up_id, kind, stakeholder_id, occasion) do update set role = excluded.role,"
        " response_id = excluded.response_id, at = excluded.at, facts = excluded.facts, matches = excluded.matches,"
        " holds = true",
        rows,
    )


async def forget_occasions(tx: WriteTx, account_id: str, stakeholder_id: str, follow_up_ids: Iterable[UUID]) -> None:
    """Take a person out of what tasks rest on: their own tasks', and what somebody else's task has taken in."""
    await tx.execute(
        "delete from task_occasions where account_id = :account_id and (stakeholder_id = :stakeholder_id"
        " or starts_with(occasion, :stakeholder_id || '/')"
        " or follow_up_id = any(cast(:ids as uuid[])) or response_id in (select response_id from responses"
        " where account_id = :account_id and stakeholder_id = :stakeholder_id))",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        ids=list(follow_up_ids),
    )


def _rows(task: Task, own: DesiredTask | None, taken_in: Sequence[DesiredTask]) -> list[dict[str, Any]]:
    rows = []
    if own is not None:
        rows += [_row(task, "own", own, matched) for matched in own.occasions]
    for desired in taken_in:
        rows += [_row(task, "taken_in", desired, matched) for matched in desired.occasions]
    return rows


def _row(task: Task, role: str, desired: DesiredTask, matched: MatchedOccasion) -> dict[str, Any]:
    return {
        "follow_up_id": task.follow_up_id,
        "kind": desired.kind,
        "stakeholder_id": desired.stakeholder_id or "",
        "occasion": matched.occasion.id,
        "account_id": task.account_id,
        "role": role,
        "event": matched.rule.event,
        "response_id": matched.occasion.response_id,
        "at": matched.occasion.at,
        "facts": matched.occasion.lasting,
        "matches": _matches(matched),
    }


def _matches(matched: MatchedOccasion) -> list[dict[str, Any]]:
    """The rules that hold on an occasion: the strongest with its severity at the account and its reasons first."""
    matches = [_match(matched.rule, matched.severity, matched.reasons)]
    matches += [_match(rule, rule.severity, ()) for rule in matched.weaker]
    return matches


def _match(rule: Rule, severity: Severity, reasons: Sequence[str]) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "rule_version": rule.version,
        "kind": rule.kind,
        "severity": severity,
        "reasons": list(reasons),
    }


def _task_occasion(row: RowMapping) -> TaskOccasion:
    return TaskOccasion(
        row["kind"],
        row["stakeholder_id"] or None,
        row["occasion"],
        row["role"],
        row["event"],
        row["response_id"],
        row["at"],
        row["facts"],
        row["matches"],
        row["holds"],
        row["settled"],
    )
