"""Closing many follow-ups at once: each by itself, so that one that somebody else has changed holds up no other."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from services.alerting.api.models import Input, Line, Text, Version
from services.alerting.api.resources import TheService
from services.alerting.domain import lifecycle
from services.alerting.domain.tasks import Closing, Outcome, Task, TaskChange, TaskStep
from services.alerting.handlers.follow_ups import Action, Command, change_follow_up
from shared.api.follow_ups import BulkAnswer, BulkResult, OutcomeName
from shared.errors import Conflict, Invalid, NotFound
from shared.http.auth import Actor
from shared.http.deps import TheDatabase
from shared.http.problem import problem_body
from shared.http.routing import Router

router = Router(prefix="/v1/follow-ups", tags=["follow-ups"])
MOST = 200


class Seen(Input):
    """A follow-up as it was seen."""

    follow_up_id: UUID
    version: Version


class BulkClose(Input):
    """Which to close, and how they ended."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"follow_ups": [{"follow_up_id": "5f1c2a52-6a0f-5f5e-9b68-0d9f2f6a7c11", "version": 3}]}]
        },
    )

    follow_ups: Annotated[list[Seen], Field(min_length=1, max_length=MOST)]
    outcome: OutcomeName | None = Field(
        default=None, description="By default what the facts propose; `resolved` where the reason holds."
    )
    root_cause: Line | None = None
    comment: Text | None = None


@router.post("/close", summary="Close many at once")
async def close_many(body: BulkClose, caller: Actor, database: TheDatabase, service: TheService) -> BulkAnswer:
    """Each is closed, or refused with its problem, by itself: one of another version than was seen is left alone."""
    results = []
    for seen in body.follow_ups:
        command = Command(seen.follow_up_id, caller, seen.version, body.comment)
        change = partial(change_follow_up, resources=service.resources, command=command, action=_closing(body))
        try:
            task = await database.retrying(change)
        except (Conflict, NotFound, Invalid) as refused:
            results.append(_refused(seen, problem_body(refused)))
        else:
            results.append(_closed(task))
    service.committed()
    closed = sum(result.status == "closed" for result in results)
    return BulkAnswer(closed=closed, refused=len(results) - closed, results=results)


def _closing(body: BulkClose) -> Action:
    def close(task: Task, change: TaskChange) -> TaskStep:
        proposed: Outcome = "resolved"
        if task.over is not None:
            proposed = task.over.outcome
        return lifecycle.close(task, change, Closing(body.outcome or proposed, body.root_cause))

    return close


def _closed(task: Task) -> BulkResult:
    return BulkResult(
        follow_up_id=str(task.follow_up_id), status="closed", version=task.version, outcome=task.outcome, problem=None
    )


def _refused(seen: Seen, problem: dict[str, Any]) -> BulkResult:
    return BulkResult(
        follow_up_id=str(seen.follow_up_id), status="refused", version=None, outcome=None, problem=problem
    )
