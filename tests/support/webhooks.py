"""Alerting with webhooks to receivers on this machine: its API, and messages to send."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.alerting.app import build
from services.alerting.courier.interface import WebhookMessage, enqueue
from shared.clock import Clock
from shared.ids import uuid7
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running, serving
from tests.support.polling import eventually
from tests.support.receiver import Receiver

OPENED = "follow_up.opened"
CLOSED = "follow_up.closed"
SETTINGS = {
    "ALLOW_NETWORKS": "127.0.0.1/32",
    "RETRY_SCHEDULE": "0.05,0.1,0.1",
    "RETRY_BUSY_WAIT_S": "0.1",
    "ATTEMPT_TIMEOUT_S": "5",
}


def message(kind: str = OPENED, account_id: str = "acme", **fields: Any) -> WebhookMessage:
    """A message with an id of its own."""
    given: dict[str, Any] = {"event_id": uuid7(), "timestamp": datetime.now(UTC), "sequence": None, "data": {}}
    return WebhookMessage(type=kind, account_id=account_id, **given | fields)


def webhook_id(event_id: UUID) -> str:
    """The id of this event's message."""
    return f"msg_{event_id}"


@dataclass
class Hooks:
    """A running alerting service and a key with all scopes for it."""

    app: FastAPI
    client: httpx.AsyncClient
    environment: Environment

    async def call(self, method: str, path: str, status: int | None = None, **options: Any) -> Any:
        """The JSON of a call, after a check of the status."""
        answer = await self.client.request(method, f"/v1{path}", **options)
        wanted = {status} if status else {200, 201, 202, 204}
        assert answer.status_code in wanted, answer.text
        return answer.json() if answer.content else None

    async def endpoint(self, receiver: Receiver | str, **fields: Any) -> dict[str, Any]:
        """A new endpoint for a receiver."""
        url = receiver if isinstance(receiver, str) else receiver.url
        made: dict[str, Any] = await self.call("POST", "/webhook-endpoints", 201, json={"url": url} | fields)
        return made

    async def send(self, *messages: WebhookMessage) -> int:
        """Enqueue messages in one transaction, as a handler does, and wake the sender."""
        webhooks = self.app.state.service.courier
        async with webhooks.database.write() as tx:
            count: int = await enqueue(tx, *messages)
        webhooks.wake()
        return count

    async def deliveries(self, endpoint: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        """The deliveries to an endpoint, newest first."""
        page = await self.call("GET", f"/webhook-endpoints/{endpoint['id']}/deliveries", params={"limit": 200} | params)
        items: list[dict[str, Any]] = page["items"]
        return items

    async def only(self, endpoint: dict[str, Any]) -> dict[str, Any]:
        """The one delivery to an endpoint, in detail."""
        items = await self.deliveries(endpoint)
        assert len(items) == 1
        detail: dict[str, Any] = await self.call("GET", f"/deliveries/{items[0]['id']}")
        return detail

    async def settled(self, endpoint: dict[str, Any], status: str, timeout: float = 10) -> dict[str, Any]:
        """The one delivery to an endpoint, once it has this status."""

        async def probe() -> bool:
            delivery = await self.only(endpoint)
            assert delivery["status"] == status, delivery
            return True

        await eventually(probe, timeout)
        return await self.only(endpoint)

    async def all_settled(self, endpoint: dict[str, Any], *statuses: str, **params: Any) -> list[dict[str, Any]]:
        """The deliveries to an endpoint, once each has one of these statuses."""

        async def probe() -> bool:
            items = await self.deliveries(endpoint, **params)
            assert {item["status"] for item in items} <= set(statuses), items
            return bool(items)

        await eventually(probe)
        return await self.deliveries(endpoint, **params)

    async def as_key(self, *scopes: str, owner: str | None = None) -> dict[str, str]:
        """Headers of another key."""
        return bearer(await api_key(self.environment, scopes, owner))

    async def execute(self, statement: str, **params: Any) -> Any:
        """Run SQL in the service's schema, for states that only time brings about."""
        async with self.app.state.service.courier.database.write() as tx:
            return await tx.execute(statement, **params)


@contextlib.asynccontextmanager
async def hooks(environment: Environment, *, clock: Clock | None = None, **settings: str) -> AsyncIterator[Hooks]:
    """Alerting with quick retries; `settings` are variables without `TELLBACK_ALERTING_`."""
    app, key = _app(environment, settings, clock), await api_key(environment, ("read", "act", "manage"))
    async with running(app) as client:
        client.headers.update(bearer(key))
        yield Hooks(app, client, environment)


@contextlib.asynccontextmanager
async def served_hooks(environment: Environment, **settings: str) -> AsyncIterator[Hooks]:
    """Alerting on a real port, for programs that call it; its address is the client's `base_url`."""
    app, key = _app(environment, settings), await api_key(environment, ("read", "act", "manage"))
    async with serving(app) as url, httpx.AsyncClient(base_url=url, headers=bearer(key)) as client:
        yield Hooks(app, client, environment)


def _app(environment: Environment, settings: dict[str, str], clock: Clock | None = None) -> FastAPI:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SETTINGS | settings).items():
            patch.setenv(f"TELLBACK_ALERTING_{name}", value)
        return build(environment.common, clock)


def arrived(receiver: Receiver, count: int) -> Callable[[], bool]:
    """A probe: at least so many requests have come."""
    return lambda: len(receiver.requests) >= count
