"""Calls about deliveries: what was sent to whom, what came of it, and sending it again."""

from typing import Annotated

from fastapi import Depends, Path, Query

from services.alerting.courier.api.endpoints import EndpointId, TheCourier
from services.alerting.courier.api.views import delivery_detail, delivery_item
from services.alerting.courier.domain.retry import Status
from services.alerting.courier.handlers import deliveries as handlers
from services.alerting.courier.store import endpoints, log
from services.alerting.courier.store.log import DeliveryFilter
from shared.api.webhooks import DeliveryDetail, DeliveryItem
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Instant
from shared.http.routing import Router

router = Router(prefix="/v1", tags=["webhooks"])
DeliveryId = Annotated[str, Path(max_length=200)]
Text = Annotated[str | None, Query(max_length=200)]


def wanted(  # a dependency, so that the route stays readable
    status: Annotated[Status | None, Query()] = None,
    event_type: Text = None,
    account_id: Text = None,
    job_id: Annotated[str | None, Query(max_length=200, description="Those of one recovery.")] = None,
    since: Annotated[Instant | None, Query(description="Made at or after.")] = None,
    until: Annotated[Instant | None, Query(description="Made before.")] = None,
) -> DeliveryFilter:
    """The filters of a list of deliveries."""
    return DeliveryFilter(status and status.value, event_type, account_id, since, until, job_id)


@router.get("/webhook-endpoints/{endpoint_id}/deliveries")
async def list_deliveries(
    endpoint_id: EndpointId,
    caller: Reader,
    courier: TheCourier,
    chosen: Annotated[DeliveryFilter, Depends(wanted)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[DeliveryItem]:
    """The deliveries to one endpoint, newest first."""
    after = None
    if cursor:
        created_at, last_id = read_cursor(cursor, endpoint_id, paging.instant, paging.text)
        after = (created_at, last_id)
    owner = caller.owner_email
    async with courier.database.read() as tx:
        if await endpoints.find(tx, endpoint_id, owner, courier.clock.now()) is None:
            raise NotFound("not_found", "there is no such endpoint")
        rows = await log.page(tx, endpoint_id, owner, chosen, after, limit + 1)
    page = page_of(rows, limit, lambda row: (row.created_at, row.delivery_id), endpoint_id)
    return Page(items=[delivery_item(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/deliveries/{delivery_id}")
async def get_delivery(delivery_id: DeliveryId, caller: Reader, courier: TheCourier) -> DeliveryDetail:
    """One delivery with every attempt and what was sent."""
    async with courier.database.read() as tx:
        delivery = await log.find(tx, delivery_id, caller.owner_email)
        if delivery is None:
            raise NotFound("not_found", "there is no such delivery")
        return delivery_detail(delivery, await log.attempts(tx, delivery_id))


@router.post("/deliveries/{delivery_id}/resend", status_code=202)
async def resend(delivery_id: DeliveryId, caller: Actor, courier: TheCourier) -> DeliveryDetail:
    """Send it again now, with the same webhook-id and the same bytes."""
    async with courier.database.write() as tx:
        await handlers.resend(tx, courier, caller, delivery_id)
        delivery = await log.find(tx, delivery_id, caller.owner_email)
        if delivery is None:
            raise NotFound("not_found", "there is no such delivery")
        detail = delivery_detail(delivery, await log.attempts(tx, delivery_id))
    courier.wake()
    return detail
