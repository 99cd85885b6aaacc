"""Calls about webhook endpoints: who gets told, with which secret."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Path

from services.alerting.courier.api.models import EndpointChanges, NewEndpoint, Recovery, Rotation
from services.alerting.courier.api.views import delivery_item, endpoint_detail, endpoint_item, endpoint_with_secret
from services.alerting.courier.domain.deliveries import Endpoint, EndpointSettings
from services.alerting.courier.handlers import deliveries
from services.alerting.courier.handlers import endpoints as handlers
from services.alerting.courier.handlers.resources import Courier
from services.alerting.courier.store import endpoints as store
from services.alerting.courier.store import log
from services.alerting.outbound.gateways.egress import require_allowed
from shared.access.caller import Caller
from shared.api.webhooks import DeliveryItem, EndpointDetail, EndpointItem, EndpointWithSecret, RecoveryStarted
from shared.db.transaction import ReadTx
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Manager, Reader
from shared.http.deps import service
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router

router = Router(prefix="/v1/webhook-endpoints", tags=["webhooks"])
_LIST = "webhook-endpoints"


def courier_of(resources: Annotated[Any, Depends(service)]) -> Courier:
    """The courier's part of the service's resources."""
    courier: Courier = resources.courier
    return courier


TheCourier = Annotated[Courier, Depends(courier_of)]
EndpointId = Annotated[str, Path(max_length=200)]


@router.post("", status_code=201)
async def create_endpoint(body: NewEndpoint, caller: Manager, courier: TheCourier) -> EndpointWithSecret:
    """Register where messages go. The answer shows the secret, this once."""
    await require_allowed(courier.egress, body.url)
    wanted = EndpointSettings(
        url=body.url,
        event_types=None if body.event_types is None else tuple(body.event_types),
        description=body.description,
        headers=body.headers or {},
        format=body.format,
        ordered=body.ordered,
        max_in_flight=body.max_in_flight,
    )
    given = body.secret.get_secret_value() if body.secret else None
    async with courier.database.write() as tx:
        endpoint_id, secret = await handlers.create_endpoint(tx, courier, caller, wanted, given)
        endpoint = await _found(tx, courier, caller, endpoint_id)
    return endpoint_with_secret(endpoint, secret)


@router.get("")
async def list_endpoints(
    caller: Reader, courier: TheCourier, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[EndpointItem]:
    """All endpoints, oldest first."""
    after = None
    if cursor:
        created_at, last_id = read_cursor(cursor, _LIST, paging.instant, paging.text)
        after = (created_at, last_id)
    async with courier.database.read() as tx:
        rows = await store.page(tx, caller.owner_email, after, limit + 1, courier.clock.now())
    page = page_of(rows, limit, lambda row: (row.created_at, row.endpoint_id), _LIST)
    return Page(items=[endpoint_item(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/{endpoint_id}")
async def get_endpoint(endpoint_id: EndpointId, caller: Reader, courier: TheCourier) -> EndpointDetail:
    """One endpoint, its health, how many messages are held for it, and notices."""
    async with courier.database.read() as tx:
        return await _detail(tx, courier, caller, endpoint_id)


@router.patch("/{endpoint_id}")
async def change_endpoint(
    endpoint_id: EndpointId, body: EndpointChanges, caller: Manager, courier: TheCourier
) -> EndpointDetail:
    """Change an endpoint, disable or enable it. The URL keeps to the same rules as at the start."""
    changes = body.given()
    if "url" in changes:
        await require_allowed(courier.egress, body.url)
    async with courier.database.write() as tx:
        await handlers.change_endpoint(tx, courier, caller, endpoint_id, changes, body.enabled)
        detail = await _detail(tx, courier, caller, endpoint_id)
    courier.drop(endpoint_id)
    return detail


@router.delete("/{endpoint_id}", status_code=204)
async def delete_endpoint(endpoint_id: EndpointId, caller: Manager, courier: TheCourier) -> None:
    """Remove an endpoint. What waited for it is cancelled; its delivery log stays readable by delivery id."""
    async with courier.database.write() as tx:
        await handlers.delete_endpoint(tx, courier, caller, endpoint_id)
    courier.drop(endpoint_id)


@router.post("/{endpoint_id}/secret/rotate")
async def rotate_secret(
    endpoint_id: EndpointId, caller: Manager, courier: TheCourier, body: Rotation | None = None
) -> EndpointWithSecret:
    """A new secret, shown this once. Until the grace of the old one ends, messages carry signatures of
    both."""
    body = body or Rotation()
    given = body.secret.get_secret_value() if body.secret else None
    async with courier.database.write() as tx:
        secret = await handlers.rotate_secret(tx, courier, caller, endpoint_id, given, timedelta(seconds=body.grace_s))
        endpoint = await _found(tx, courier, caller, endpoint_id)
    courier.drop(endpoint_id)
    return endpoint_with_secret(endpoint, secret)


@router.post("/{endpoint_id}/test", status_code=202)
async def test_endpoint(endpoint_id: EndpointId, caller: Manager, courier: TheCourier) -> DeliveryItem:
    """Send a message of type `webhook.test`, once, the way of all others. Read what came of it by its id."""
    async with courier.database.read() as tx:
        endpoint = await _found(tx, courier, caller, endpoint_id)
    await require_allowed(courier.egress, endpoint.url)
    async with courier.database.write() as tx:
        delivery_id = await deliveries.test_endpoint(tx, courier, caller, endpoint_id)
        delivery = await log.find(tx, delivery_id, caller.owner_email)
    courier.wake()
    if delivery is None:
        raise NotFound("not_found", "there is no such endpoint")
    return delivery_item(delivery)


@router.post("/{endpoint_id}/recover", status_code=202)
async def recover(endpoint_id: EndpointId, body: Recovery, caller: Manager, courier: TheCourier) -> RecoveryStarted:
    """Send again what never met a 2xx: held while the endpoint was disabled, or given up. At the endpoint's
    pace."""
    job_id, count = await courier.database.retrying(
        lambda tx: deliveries.recover(tx, courier, caller, endpoint_id, body.since, body.until)
    )
    courier.wake()
    return RecoveryStarted(job_id=job_id, count=count)


async def _found(tx: ReadTx, courier: Courier, caller: Caller, endpoint_id: str) -> Endpoint:
    endpoint = await store.find(tx, endpoint_id, caller.owner_email, courier.clock.now())
    if endpoint is None:
        raise NotFound("not_found", "there is no such endpoint")
    return endpoint


async def _detail(tx: ReadTx, courier: Courier, caller: Caller, endpoint_id: str) -> EndpointDetail:
    endpoint = await _found(tx, courier, caller, endpoint_id)
    held = await store.held_count(tx, endpoint_id)
    return endpoint_detail(endpoint, held, await store.notices(tx, endpoint_id))
