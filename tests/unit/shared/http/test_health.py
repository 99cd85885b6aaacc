"""Probes: live checks no dependency, ready says why not, startup waits for the resources."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from shared.errors import Unavailable
from shared.http import health
from shared.http.app import create_app
from shared.http.health import Health, health_of
from tests.support.edge import edge_app
from tests.support.http import running


async def test_live_answers_whatever_is_away(app: FastAPI, anonymous: httpx.AsyncClient) -> None:
    app.state.switch_reason = "gone"
    response = await anonymous.get("/health/live")
    assert (response.status_code, response.json()["status"]) == (200, "alive")


async def test_ready_says_why_not(app: FastAPI, anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/health/ready")).json() == {
        "status": "ready",
        "checks": [{"name": "switch", "ok": True, "reason": None}],
        "remarks": [],
    }
    app.state.switch_reason = "kafka_unavailable"
    response = await anonymous.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not_ready",
        "checks": [{"name": "switch", "ok": False, "reason": "kafka_unavailable"}],
        "remarks": [],
    }


async def test_startup_and_ready_follow_the_lifespan() -> None:
    app = edge_app()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tellback.test") as outside:

        async def statuses() -> tuple[int, int]:
            startup, ready = await outside.get("/health/startup"), await outside.get("/health/ready")
            return startup.status_code, ready.status_code

        assert await statuses() == (503, 503)
        async with running(app):
            assert await statuses() == (200, 200)
            health_of(app).stopping = True
            assert (await outside.get("/health/ready")).json()["status"] == "stopping"
        assert await statuses() == (200, 503)


async def test_a_service_that_says_nothing_needs_its_database_and_remarks_on_the_rest() -> None:
    reasons = ["database_unavailable"]

    async def not_ready() -> list[str]:
        return reasons

    async def remarks() -> list[str]:
        return ["kafka_unavailable"]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.plumbing = SimpleNamespace(not_ready=not_ready, remarks=remarks, shut=lambda: None)
        yield

    async with running(create_app("test", "Test", "", [], lifespan)) as client:
        response = await client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["checks"][0]["reason"] == "database_unavailable"
        reasons.clear()
        response = await client.get("/health/ready")
        assert (response.status_code, response.json()["remarks"]) == (200, ["kafka_unavailable"])


async def test_a_check_that_fails_or_hangs_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_DEADLINE_S", 0.05)
    checked, release = Health(), asyncio.Event()
    checked.started = True

    async def away() -> str | None:
        raise Unavailable("database_unavailable", "the database is not reachable")

    async def mistaken() -> str | None:
        raise RuntimeError("postgresql://user:password@host")

    async def hanging() -> str | None:
        await release.wait()
        raise RuntimeError("too late to matter")

    for name, check in (("away", away), ("mistaken", mistaken), ("hanging", hanging)):
        checked.add(name, check)
    ready, report = await checked.report()
    release.set()
    assert not ready
    assert {result.name: result.reason for result in report.checks} == {
        "away": "the database is not reachable",
        "mistaken": "the check itself failed",
        "hanging": "no answer in time",
    }


async def test_all_that_ask_at_once_get_the_answer_of_one_look() -> None:
    looks = 0

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)

    health = Health()
    health.started = True
    health.add("counted", counted)
    assert all(ready for ready, _ in await asyncio.gather(*(health.report() for _ in range(100))))
    assert looks == 1
    await health.report()
    assert looks == 2
