"""The rows of the accounts grid: for people who are signed in, loaded with their own key, a block at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.dashboard.web import accounts_json
from services.dashboard.web.resources import Resources
from shared.api import examples
from shared.http.app import create_bare_app
from tests.integration.dashboard.fake_services import FakeServices
from tests.support.http import running

ACCOUNT: dict[str, Any] = examples.ACCOUNT | {
    "class": "at_risk",
    "owner": {"name": None, "email": "ada@supplier.example"},
    "annual_revenue": {"amount": 1000, "currency": "EUR"},
    "trend": [50.0, None],
}
COVERAGE: dict[str, Any] = examples.PORTFOLIO_FIGURES["coverage"] | {
    "accounts": {"known": 10_000, "asked": 1, "answered": 1}
}
PORTFOLIO = examples.PORTFOLIO | {"groups": [examples.PORTFOLIO["groups"][0] | {"coverage": COVERAGE}]}


@pytest.fixture
async def browser(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async with running(create_bare_app("dashboard", "t", "t", (accounts_json.router,), nothing)) as client:
        yield client


@pytest.fixture
async def signed_in(browser: httpx.AsyncClient, resources: Resources, services: FakeServices) -> httpx.AsyncClient:
    password = await resources.desk.first_admin()
    assert password
    token = await resources.signing_in.sign_in("admin", password, "here")
    browser.cookies.set("tellback_session", token)
    services.answers["/v1/accounts"] = {"items": [ACCOUNT], "next_cursor": "more"}
    services.answers["/v1/portfolio/score"] = PORTFOLIO
    return browser


async def test_without_a_session_there_are_no_rows(browser: httpx.AsyncClient, services: FakeServices) -> None:
    assert (await browser.get("/rows/accounts")).status_code == 401
    assert services.asked == []


async def test_a_block_comes_with_the_cursor_of_the_next(signed_in: httpx.AsyncClient, services: FakeServices) -> None:
    answer = await signed_in.get("/rows/accounts", params={"sort": "-nps", "tier": "key", "window": "30d", "x": "y"})
    found = answer.json()
    assert found["next"] == "more"
    assert (found["rows"][0]["class"], found["rows"][0]["trend"]) == ("▼ At risk", [50.0, None])
    assert (found["rows"][0]["owner"], found["rows"][0]["revenue"]) == ("ada@supplier.example", 1000)
    asked = next(request for request in services.asked if request.url.path == "/v1/accounts")
    wanted = {"sort": "-nps", "tier": "key", "window": "30d", "limit": "200", "trend": "12"}
    assert dict(asked.url.params) == wanted
    assert answer.headers["cache-control"] == "no-store"


async def test_the_total_is_asked_for_by_itself(signed_in: httpx.AsyncClient, services: FakeServices) -> None:
    answer = await signed_in.get("/rows/accounts/total", params={"sort": "-nps", "tier": "key"})
    assert answer.json() == {"total": 10_000}
    asked = next(request for request in services.asked if request.url.path == "/v1/portfolio/score")
    assert dict(asked.url.params) == {"tier": "key"}


@pytest.mark.parametrize("more", [{"q": "acme"}, {"class": "at_risk"}, {"answered": "false"}])
async def test_searches_and_what_the_figures_say_are_not_counted(
    signed_in: httpx.AsyncClient, services: FakeServices, more: dict[str, str]
) -> None:
    assert (await signed_in.get("/rows/accounts/total", params=more)).json() == {"total": None}
    assert "/v1/portfolio/score" not in {request.url.path for request in services.asked}


async def test_a_scorer_that_is_away_is_named(signed_in: httpx.AsyncClient, services: FakeServices) -> None:
    await signed_in.get("/rows/accounts")
    services.away = True
    answer = await signed_in.get("/rows/accounts")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The scorer is not reachable")
