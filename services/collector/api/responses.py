"""Responses: posted one by one or in batches, amended, withdrawn."""

from fastapi import Request
from fastapi.responses import JSONResponse

from services.collector.api import batches, browsers
from services.collector.api.browsers import Signature
from services.collector.api.models import AcceptedResponse, ResponseBatchAnswer
from services.collector.api.resources import Collector, IdempotencyKey, QueryAccountId, Resources, ResponseId
from services.collector.handlers import responses
from services.collector.handlers.inputs.responses import EXAMPLE, Amendment, NewResponse
from services.collector.handlers.responses import Sender
from shared.access.caller import Caller
from shared.events.envelope import Event
from shared.events.responses import ResponseRecorded
from shared.http.auth import Ingester, Poster
from shared.http.limits import BATCH_BYTES
from shared.http.routing import Router
from shared.telemetry.metrics import responses_accepted_total
from shared.topics import RESPONSES

router = Router(tags=["responses"])


@router.post("/v1/responses", status_code=202, summary="Take a response", response_model_exclude_none=True)
async def post_response(
    body: NewResponse,
    caller: Poster,
    collector: Resources,
    idempotency_key: IdempotencyKey = None,
    signature: Signature = None,
) -> AcceptedResponse:
    """202 when the response is durable. Without `response_id` send an `Idempotency-Key`: a retry then counts once."""
    browsers.check_signature(collector, caller, body, signature)
    now = collector.clock.now()
    event = responses.recorded(body, now, response_id=Sender(caller.key_id, idempotency_key).response_id())
    accepted = await _publish(collector, caller, event, str(_response_id(event)))
    responses_accepted_total.labels(accepted.via).inc()
    return accepted.model_copy(update={"amend_token": browsers.amend_token(collector, caller, event)})


@router.post(
    "/v1/responses/batch",
    summary="Take up to 1,000 responses",
    response_model=ResponseBatchAnswer,
    openapi_extra=batches.body_of({"responses": [EXAMPLE]}, responses=batches.known(NewResponse)),
    max_body_size=BATCH_BYTES,
)
async def post_responses(
    request: Request, caller: Ingester, collector: Resources, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """An array in an object, or NDJSON. Each item is answered by itself; 503 only when nothing could be stored."""
    items = await batches.read_items(request, "responses")
    now, sender = collector.clock.now(), Sender(caller.key_id, idempotency_key)

    def event_of(body: NewResponse, index: int) -> Event:
        return responses.recorded(body, now, response_id=sender.response_id(index))

    events = batches.each(NewResponse, items, event_of)
    outcomes = await collector.outgoing.publish_each(RESPONSES, events, caller)
    for via in ("kafka", "outbox"):
        responses_accepted_total.labels(via).inc(sum(outcome == via for outcome in outcomes))
    facts: list[dict[str, str | None]] = []
    for item, event in zip(items, events, strict=True):
        if isinstance(event, Event):
            facts.append({"response_id": _response_id(event)})
        else:
            facts.append({"response_id": batches.sent_id(item, "response_id")})
    return batches.answer(outcomes, facts)


@router.patch(
    "/v1/responses/{response_id}", status_code=202, summary="Amend a response", response_model_exclude_none=True
)
async def amend_response(
    response_id: ResponseId,
    body: Amendment,
    caller: Poster,
    collector: Resources,
    idempotency_key: IdempotencyKey = None,
) -> AcceptedResponse:
    """Score now, comment later. Absent fields stay, null clears. May overtake its response. What turns out not to fit
    it is among the conflicts of the scorer."""
    body, posted = browsers.checked_amendment(collector, caller, response_id, body)
    event = responses.amended(response_id, body, idempotency_key, collector.clock.now(), posted)
    return await _publish(collector, caller, event, response_id)


@router.delete(
    "/v1/responses/{response_id}", status_code=202, summary="Withdraw a response", response_model_exclude_none=True
)
async def withdraw_response(
    response_id: ResponseId,
    account_id: QueryAccountId,
    caller: Ingester,
    collector: Resources,
    idempotency_key: IdempotencyKey = None,
) -> AcceptedResponse:
    """Takes it out of every figure, for good."""
    event = responses.withdrawn(response_id, account_id, idempotency_key, collector.clock.now())
    return await _publish(collector, caller, event, response_id)


def _response_id(event: Event) -> str | None:
    return event.data.response_id if isinstance(event.data, ResponseRecorded) else None


async def _publish(collector: Collector, caller: Caller, event: Event, response_id: str) -> AcceptedResponse:
    via = await collector.outgoing.publish(RESPONSES, event, caller)
    return AcceptedResponse(response_id=response_id, event_id=event.id, recorded_at=event.time, via=via)
