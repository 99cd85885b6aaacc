"""What people do with deliveries: testing an endpoint, sending one again, recovering a range."""

import json
from datetime import datetime, timedelta

from services.alerting.courier.domain.deliveries import MAX_RECOVERED, TEST_TYPE, EndpointStatus
from services.alerting.courier.domain.retry import Status
from services.alerting.courier.handlers.resources import Courier, locked
from services.alerting.courier.store import log
from services.alerting.courier.store.log import Range
from shared.access.caller import Caller
from shared.db.transaction import WriteTx
from shared.errors import Conflict, Gone, Invalid, NotFound
from shared.ids import uuid7

MAX_RECOVER_AGE = timedelta(days=14)


async def test_endpoint(tx: WriteTx, courier: Courier, caller: Caller, endpoint_id: str) -> str:
    """Queue a test message, tried once, through the same queue, signer and guard as all; returns the
    delivery."""
    _require_enabled(await locked(tx, caller, endpoint_id))
    now = courier.clock.now()
    body = {
        "type": TEST_TYPE,
        "timestamp": now.isoformat().replace("+00:00", "Z"),
        "data": {"endpoint_id": endpoint_id, "text": "A test from Tellback: it reached you."},
        "sequence": None,
    }
    message = {
        "message_id": f"msg_{uuid7()}",
        "event_type": TEST_TYPE,
        "body": json.dumps(body, separators=(",", ":")).encode(),
    }
    return await log.insert_test(tx, endpoint_id, message, actor_of(caller), now)


async def resend(tx: WriteTx, courier: Courier, caller: Caller, delivery_id: str) -> None:
    """Send a delivery again now, with the same id and body.

    It takes the place of a pending automatic attempt, and the schedule goes on behind it; after the end of
    the schedule it is one attempt only. Raises `NotFound`, `Conflict` and `Gone`.
    """
    await log.lock(tx, delivery_id)
    delivery = await log.find(tx, delivery_id, caller.owner_email)
    if delivery is None:
        raise NotFound("not_found", "there is no such delivery")
    _require_enabled(delivery.endpoint_status)
    if delivery.body is None:
        raise Gone("payload_purged", "what was sent is no longer kept")
    if delivery.status == Status.SENDING:
        await log.send_again_afterwards(tx, delivery_id, actor_of(caller))
        return
    single = delivery.status not in (Status.PENDING, Status.HELD)
    await log.send_again(tx, delivery_id, actor_of(caller), single=single, now=courier.clock.now())


async def recover(
    tx: WriteTx, courier: Courier, caller: Caller, endpoint_id: str, since: datetime, until: datetime | None
) -> tuple[str, int]:
    """Send what never met a 2xx in a range of at most 14 days back; returns a job id and the number of
    deliveries.

    They become due one by one, oldest first, queue behind new messages and keep the endpoint's limit. Raises
    `NotFound`, `Conflict`, `Invalid`.
    """
    now = courier.clock.now()
    span = Range(endpoint_id, since, until or now)
    if since < now - MAX_RECOVER_AGE:
        raise _invalid_field("since", "must be at most 14 days ago", code="too_old")
    if span.until <= since:
        raise _invalid_field("until", "must be after since")
    _require_enabled(await locked(tx, caller, endpoint_id))
    if await log.count_undelivered(tx, span) > MAX_RECOVERED:
        raise _invalid_field("since", f"more than {MAX_RECOVERED} deliveries; choose a shorter range", code="too_many")
    job_id = f"rec_{uuid7().hex}"
    return job_id, await log.recover(tx, span, job_id, actor_of(caller), now, courier.recover_every)


def actor_of(caller: Caller) -> str:
    """How an attempt names who asked for it."""
    return f"key:{caller.key_id}"


def _invalid_field(field: str, detail: str, *, code: str = "invalid_value") -> Invalid:
    """A broken rule of one field."""
    problem = {"field": field, "code": code, "detail": detail}
    return Invalid("invalid_request", "the request breaks the rules of its fields", errors=[problem])


def _require_enabled(status: EndpointStatus) -> None:
    if status is EndpointStatus.DISABLED:
        raise Conflict("endpoint_disabled", "the endpoint is disabled; enable it first")
    if status is EndpointStatus.DELETED:
        raise Conflict("endpoint_deleted", "the endpoint was deleted")
