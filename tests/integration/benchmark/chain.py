"""Scorer, alerting and benchmark in one process on one environment, each asked over its real API."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from services.alerting.app import build as alerting_app
from services.benchmark.app import build as benchmark_app
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from services.scorer.app import build as scorer_app
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW
from tests.support.http import api_key, bearer, running

SCOPES = ("ingest", "read", "act", "manage", "erase")


@dataclass(frozen=True)
class Chain:
    """Clients of the three with one key."""

    environment: Environment
    clock: FrozenClock
    scorer: httpx.AsyncClient
    alerting: httpx.AsyncClient
    benchmark: httpx.AsyncClient

    async def get(self, path: str, service: str = "benchmark", **query: Any) -> Any:
        """The body of a 200."""
        client: httpx.AsyncClient = getattr(self, service)
        answer = await client.get(path, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def limited_to(self, owner_email: str) -> "Chain":
        """A caller with a key that is limited to an owner."""
        key = await api_key(self.environment, SCOPES, owner_email)
        clients = (
            httpx.AsyncClient(transport=client._transport, base_url=client.base_url, headers=bearer(key))
            for client in (self.scorer, self.alerting, self.benchmark)
        )
        return Chain(self.environment, self.clock, *clients)


@contextlib.asynccontextmanager
async def benchmarking(environment: Environment, clock: FrozenClock, scorer: FastAPI, alerting: FastAPI) -> Any:
    """A client of the benchmark service that asks these two."""
    app = benchmark_app(
        environment.common,
        clock,
        Scorer("http://scorer.test", httpx.ASGITransport(app=scorer)),
        Alerting("http://alerting.test", httpx.ASGITransport(app=alerting)),
    )
    async with running(app) as client:
        client.headers.update(bearer(await api_key(environment, SCOPES)))
        yield client


@contextlib.asynccontextmanager
async def chained(environment: Environment) -> AsyncIterator[Chain]:
    """All three, at `NOW`."""
    clock = FrozenClock(NOW)
    scorer, alerting = scorer_app(environment.common, clock), alerting_app(environment.common, clock)
    async with (
        running(scorer) as scores,
        running(alerting) as follow_ups,
        benchmarking(environment, clock, scorer, alerting) as client,
    ):
        for asking in (scores, follow_ups):
            asking.headers.update(client.headers)
        yield Chain(environment, clock, scores, follow_ups, client)
