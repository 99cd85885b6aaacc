"""What tasks rest on: occasions with the facts they were judged by, and those that people have settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.arrangement import Claim, Held, Rest
from services.alerting.domain.tasks import Task
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = (
    *("follow_up_id", "kind", "stakeholder_id", "occasion", "account_id", "role", "event", "response_id", "at"),
    *("facts", "matches", "holds", "settled"),
)


@dataclass(frozen=True, slots=True)
class RestsOn:
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


async def occasions_of(tx: ReadTx, follow_up_ids: Iterable[UUID]) -> dict[UUID, list[RestsOn]]:
    """What tasks rest on, oldest first."""
    rows = await tx.all(
        f"select {', '.join(_COLUMNS)} from task_occasions where follow_up_id = any(cast(:ids as uuid[]))"
        " order by at nulls last, kind, occasion",
        ids=sorted(set(follow_up_ids)),
    )
    found: dict[UUID, list[RestsOn]] = {}
    for row in rows:
        found.setdefault(row["follow_up_id"], []).append(_rests_on(row))
    return found


async def settled(tx: ReadTx, people: Iterable[tuple[str, str | None]]) -> dict[str, set[Rest]]:
    """What people have closed of these (account, stakeholder), by account; what they opened again is not among it."""
    pairs = sorted({(account_id, stakeholder_id or "") for account_id, stakeholder_id in people})
    rows = await tx.all(
        "select o.account_id, o.kind, o.stakeholder_id, o.occasion"
        " from task_occasions o join tasks using (follow_up_id)"
        " where o.settled and state = 'closed' and (o.account_id, o.stakeholder_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:people as text[])))",
        accounts=[account_id for account_id, _ in pairs],
        people=[stakeholder_id for _, stakeholder_id in pairs],
    )
    found: dict[str, set[Rest]] = {}
    for row in rows:
        rest = (row["kind"], row["stakeholder_id"] or None, row["occasion"])
        found.setdefault(row["account_id"], set()).add(rest)
    return found


async def settle(tx: WriteTx, follow_up_ids: Iterable[UUID]) -> None:
    """A person has closed these tasks, and with them all that they have taken in."""
    await tx.execute(
        "update task_occasions set settled = true where follow_up_id = any(cast(:ids as uuid[]))",
        ids=list(follow_up_ids),
    )


async def save_occasions(tx: WriteTx, resting: Sequence[tuple[Task, Claim | None, Sequence[Claim]]]) -> None:
    """Write what tasks rest on now: their own claim and those taken in. What they rested on before stays, not held."""
    ids = [task.follow_up_id for task, _, _ in resting]
    if ids:
        await tx.execute(
            "update task_occasions set holds = false where holds and follow_up_id = any(cast(:ids as uuid[]))", ids=ids
        )
    await tx.execute_many(
        "insert into task_occasions (follow_up_id, kind, stakeholder_id, occasion, account_id, role, event,"
        " response_id, at, facts, matches, holds) values (:follow_up_id, :kind, :stakeholder_id, :occasion,"
        " :account_id, :role, :event, :response_id, :at, cast(:facts as jsonb), cast(:matches as jsonb), true)"
        " on conflict (follow_up_id, kind, stakeholder_id, occasion) do update set role = excluded.role,"
        " response_id = excluded.response_id, at = excluded.at, facts = excluded.facts, matches = excluded.matches,"
        " holds = true",
        [row for task, own, taken_in in resting for row in _rows(task, own, taken_in)],
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


def _rows(task: Task, own: Claim | None, taken_in: Sequence[Claim]) -> list[dict[str, Any]]:
    parts = [("own", own)] if own else []
    return [
        {
            "follow_up_id": task.follow_up_id,
            "kind": claim.kind,
            "stakeholder_id": claim.stakeholder_id or "",
            "occasion": held.occasion.id,
            "account_id": task.account_id,
            "role": role,
            "event": held.rule.event,
            "response_id": held.occasion.response_id,
            "at": held.occasion.at,
            "facts": held.occasion.lasting,
            "matches": _matches(held),
        }
        for role, claim in (*parts, *(("taken_in", claim) for claim in taken_in))
        for held in claim.held
    ]


def _matches(held: Held) -> list[dict[str, Any]]:
    chosen = {"severity": held.severity, "reasons": list(held.said)}
    return [
        {"rule_id": rule.rule_id, "rule_version": rule.version, "kind": rule.kind}
        | (chosen if rule is held.rule else {"severity": rule.severity, "reasons": []})
        for rule in (held.rule, *held.others)
    ]


def _rests_on(row: RowMapping) -> RestsOn:
    return RestsOn(
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
