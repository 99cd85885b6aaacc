"""Invitation and context facts, from mailing tools and from whatever knows of events at an account."""

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from services.collector.api import batches
from services.collector.api.models import Accepted, EventBatchAnswer
from services.collector.api.resources import Collector, Resources
from services.collector.handlers.facts import context_fact, invitation_fact, note_lost_contract
from services.collector.handlers.inputs.facts import ContextInput, InvitationInput
from shared.access.caller import Caller
from shared.errors import TellbackError
from shared.events.envelope import Event
from shared.http import strict_json
from shared.http.auth import Ingester
from shared.http.limits import BATCH_BYTES
from shared.http.problem import invalid
from shared.http.routing import Router, require_media_type
from shared.topics import CONTEXT_EVENTS, INVITATIONS, Topic

router = Router(tags=["facts"])
_EXAMPLE = {
    "invitation_id": "inv-2031",
    "account_id": "acme",
    "email": "ann.lee@acme.example",
    "kind": "opened",
    "at": "2026-03-31T09:30:00Z",
}
_SCHEMA = InvitationInput.model_json_schema()


@router.post(
    "/v1/invitation-events",
    summary="Take one or many invitation facts",
    status_code=202,
    response_model=Accepted,
    responses={200: {"model": EventBatchAnswer, "description": "For `{events: [...]}`: each is answered by itself"}},
    openapi_extra=batches.body_of({"events": [_EXAMPLE]}, _SCHEMA, events=_SCHEMA),
    max_body_size=BATCH_BYTES,
)
async def post_invitation_events(request: Request, caller: Ingester, collector: Resources) -> Accepted | JSONResponse:
    """One fact as an object, or `{events: [...]}`. The same fact sent again counts once."""
    now = collector.clock.now()
    kind = require_media_type(request.headers, "application/json", *batches.NDJSON)
    body = None
    if kind == "application/json":
        body = strict_json.loads_items(await request.body())
    if isinstance(body, dict) and "events" not in body:
        try:
            fact = invitation_fact(InvitationInput.model_validate(body), now)
        except ValidationError as error:
            raise invalid(error) from None
        return await _publish(collector, caller, INVITATIONS, fact)
    items = await batches.read_items(request, "events")
    events = batches.each(InvitationInput, items, lambda item, _: invitation_fact(item, now))
    outcomes = await collector.outgoing.publish_each(INVITATIONS, events, caller)
    facts = [{"event_id": _event_id(event)} for event in events]
    return batches.answer(outcomes, facts)


@router.post("/v1/context-events", status_code=202, summary="Take a context fact")
async def post_context_event(body: ContextInput, caller: Ingester, collector: Resources) -> Accepted:
    """A mark on the trend of an account. The same fact sent again counts once. `contract_lost` also closes the account
    in the directory.
    """
    now = collector.clock.now()
    fact = context_fact(body, now)
    if body.kind == "contract_lost":
        await collector.database.retrying(lambda tx: note_lost_contract(tx, body, now, caller.owner_email))
    return await _publish(collector, caller, CONTEXT_EVENTS, fact)


def _event_id(event: Event | TellbackError) -> str | None:
    if isinstance(event, Event):
        return str(event.id)
    return None


async def _publish(collector: Collector, caller: Caller, topic: Topic, event: Event) -> Accepted:
    via = await collector.outgoing.publish(topic, event, caller)
    return Accepted(event_id=event.id, recorded_at=event.time, via=via)
