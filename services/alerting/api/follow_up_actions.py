"""What people and CRMs do with a follow-up. Each call may name the version it saw, in the body or as If-Match."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.alerting.api.follow_ups import shown
from services.alerting.api.models import AssignStep, CloseStep, CommentStep, PromiseStep, SnoozeStep, Step
from services.alerting.api.resources import Alerting, FollowUpId, TheService
from services.alerting.domain import lifecycle
from services.alerting.domain.tasks import Closing, Promise
from services.alerting.handlers.follow_ups import Action, Command, change_follow_up
from shared.access.caller import Caller
from shared.api.follow_ups import FollowUpDetail
from shared.db.engine import Database
from shared.http.auth import Actor
from shared.http.deps import TheDatabase
from shared.http.if_match import IfMatch, version_seen
from shared.http.params import require_ahead
from shared.http.routing import Router

router = Router(prefix="/v1/follow-ups/{follow_up_id}", tags=["follow-ups"])
NOTHING = Step()
RESOLVED = CloseStep()


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A request to change a follow-up: which one, from whom, and what it takes to answer."""

    follow_up_id: UUID
    caller: Caller
    if_match: int | None
    database: Database
    service: Alerting
    response: Response

    async def carry_out(self, step: Step | CommentStep, action: Action) -> FollowUpDetail:
        """One change in one transaction; a follow-up that is so already is given back unchanged."""
        version = version_seen(step.version, self.if_match)
        command = Command(self.follow_up_id, self.caller, version, step.comment)
        task = await self.database.retrying(lambda tx: change_follow_up(tx, self.service.resources, command, action))
        self.service.committed()
        return await shown(self.database, self.service, task, self.response)

    def require_ahead(self, field: str, at: datetime) -> None:
        """Raises Invalid for a deadline that has passed, or that nobody who works here now will see."""
        require_ahead(field, at, self.service.resources.clock.now())


def action_request(
    follow_up_id: FollowUpId,
    caller: Actor,
    if_match: IfMatch,
    database: TheDatabase,
    service: TheService,
    response: Response,
) -> ActionRequest:
    """What the parameters of the call say."""
    return ActionRequest(follow_up_id, caller, if_match, database, service, response)


TheRequest = Annotated[ActionRequest, Depends(action_request)]


@router.post("/acknowledge", summary="Take it on")
async def acknowledge(request: TheRequest, step: Step = NOTHING) -> FollowUpDetail:
    """The first touch: its clock stops. Again changes nothing; 409 once the work has begun or it is closed."""
    return await request.carry_out(step, lifecycle.acknowledge)


@router.post("/start", summary="Begin the work")
async def start(request: TheRequest, step: Step = NOTHING) -> FollowUpDetail:
    """Somebody is speaking with the customer. Again changes nothing; 409 when it is closed."""
    return await request.carry_out(step, lifecycle.start)


@router.post("/snooze", summary="Put it away until a time")
async def snooze(request: TheRequest, step: SnoozeStep) -> FollowUpDetail:
    """It comes back by itself. Meanwhile its clocks stand still: the business time of the pause is added to the due
    time.
    """
    request.require_ahead("until", step.until)
    return await request.carry_out(step, lambda task, change: lifecycle.snooze(task, change, step.until))


@router.post("/assign", summary="Hand it to somebody")
async def assign(request: TheRequest, step: AssignStep) -> FollowUpDetail:
    """Who is assigned by hand stays, whatever the directory says later."""
    owner = step.owner.value()
    return await request.carry_out(step, lambda task, change: lifecycle.assign(task, change, owner))


@router.post("/promise", summary="Write down what was promised")
async def promise(request: TheRequest, step: PromiseStep) -> FollowUpDetail:
    """The newest promise stands; earlier ones are in the history."""
    request.require_ahead("by", step.by)
    made = Promise(step.what, step.by)
    return await request.carry_out(step, lambda task, change: lifecycle.promise(task, change, made))


@router.post("/close", summary="Close the loop")
async def close(request: TheRequest, step: CloseStep = RESOLVED) -> FollowUpDetail:
    """409 `follow_up_closed` when it is closed already: nobody is told twice."""
    closing = Closing(step.outcome, step.root_cause, step.what_was_done, step.told_customer, step.result)
    return await request.carry_out(step, lambda task, change: lifecycle.close(task, change, closing))


@router.post("/reopen", summary="Open it again")
async def reopen(request: TheRequest, step: Step = NOTHING) -> FollowUpDetail:
    """Goes to `open`. 409 when it is not closed, or when another of its kind is open for the person."""
    return await request.carry_out(step, lifecycle.reopen)


@router.post("/comments", status_code=201, summary="Say something about it")
async def comment(request: TheRequest, step: CommentStep) -> FollowUpDetail:
    """In any state; it stands in the history."""
    return await request.carry_out(step, lifecycle.comment)
