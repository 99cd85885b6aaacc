"""What is said of follow-ups because of an evaluation: how they changed, a person's next answer, a late comment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerting.domain.answers import AnswerKey
from services.alerting.domain.people import PersonKey
from services.alerting.domain.reconciliation import TaskUpdate
from services.alerting.domain.recovery import next_answer_of
from services.alerting.domain.rule_facts import Facts
from services.alerting.handlers.casework import Casework
from shared.ids import derived_uuid


def change_block(update: TaskUpdate) -> dict[str, Any]:
    """The `change` of a message about an update: whether the reason holds, and what has changed about it."""
    task = update.after
    if task.over is not None:
        return {
            "kind": "reason",
            "reason_holds": False,
            "because": task.over.because,
            "outcome": task.over.outcome,
        }
    block: dict[str, Any] = {"kind": "reason", "reason_holds": True}
    if update.desired is None:
        return block
    newest = update.desired.newest.occasion
    values = newest.lasting
    if "category" in values:
        change = values.get("change")
        category_before = None
        if isinstance(change, str) and not change.startswith("new_"):
            category_before = change.partition("_to_")[0]
        block |= {
            "kind": change,
            "from": category_before,
            "to": values["category"],
            "score": values["score"],
            "previous_score": values.get("previous_score"),
            "falls_in_a_row": values.get("falls_in_a_row"),
            "response_id": newest.response_id,
        }
    return block


def link_next_answers(
    casework: Casework, facts: Mapping[str, Facts], persons: Collection[PersonKey], now: datetime
) -> None:
    """Note a person's next score in the follow-ups about the score before it, open and closed."""
    for task in casework.tasks():
        if (task.account_id, task.stakeholder_id) not in persons:
            continue
        answers = facts[task.account_id].answers.get(task.stakeholder_id or "", ())
        next_answer = next_answer_of(task, answers)
        if next_answer == task.next_answer:
            continue
        tied = replace(task, next_answer=next_answer)
        casework.amend(tied)
        change: dict[str, Any] = {"kind": "next_answer", "response_id": None, "score": None}
        change |= {"before": task.score, "result": None}
        cause = derived_uuid("next_answer", str(now))
        if next_answer is not None:
            change["response_id"] = next_answer.response_id
            change["score"] = next_answer.score
            change["result"] = next_answer.result
            cause = derived_uuid("next_answer", next_answer.response_id, str(next_answer.score))
        casework.publish_again(tied, cause, now, "answered_again", change)


def publish_comments(
    casework: Casework, updates: Sequence[TaskUpdate], comments: Mapping[AnswerKey, tuple[UUID, datetime]]
) -> None:
    """Publish again the open follow-ups whose comment has come or changed since they were opened."""
    just_opened = set()
    for update in updates:
        if update.step is not None and update.step.entry.action == "opened":
            just_opened.add(update.after.follow_up_id)
    for task in casework.tasks():
        key = (task.account_id, task.response_id or "")
        if key in comments and not task.is_closed and task.follow_up_id not in just_opened:
            event_id, at = comments[key]
            casework.publish_again(task, event_id, at, "comment_received", {"kind": "comment"})
