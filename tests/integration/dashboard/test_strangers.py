"""Visitors who are not signed in leave no state: NiceGUI makes no page for them, and nothing is stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from nicegui import Client, core

from services.dashboard.web import accounts_json, login, passwords
from services.dashboard.web.resources import Resources
from services.dashboard.web.site import mount
from shared.http.app import create_bare_app
from tests.support.http import running

PATHS = (
    *("/", "/accounts", "/accounts/acme?days=7", "/follow-ups", "/settings/people", "/rows/accounts"),
    *("/login", "/login?next=/people", "/password", "/set-password?link=x", "/logout", "/favicon.ico"),
    *("/unknown", "/unknown/deeper?with=query", "/static/unknown.css"),
    *("/_nicegui/unknown", "/_nicegui/9.9/static/x.js"),
    *("/_nicegui_ws/socket.io/?EIO=4&transport=polling", "/_nicegui_ws/", "/_nicegui_ws/unknown"),
)
_NONE = ("made-up", "x" * 3000, "a; tellback_session=b")
COOKIES = ("", "=;;", *(f"tellback_session={value}" for value in _NONE))


@pytest.fixture
async def stranger(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole site as a process serves it; NiceGUI is mounted once a process, so one test covers
    everything."""

    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_bare_app("dashboard", "t", "t", (login.router, passwords.router, accounts_json.router), nothing)
    mount(app)
    async with running(app) as client:
        yield client


def kept() -> tuple[int, ...]:
    """The sizes of NiceGUI's state of clients in memory."""
    storage = core.app.storage
    return len(Client.instances), len(storage._users), len(storage._tabs), len(core.sio.environ)


async def test_nothing_is_kept_of_requests_without_a_session(stranger: httpx.AsyncClient, resources: Resources) -> None:
    before = kept()
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            for cookie in COOKIES:
                answer = await stranger.request(method, path, headers={"cookie": cookie})
                assert answer.status_code < 500, (method, path)
                assert "client_id" not in answer.text
    for number in range(200):
        answer = await stranger.get(f"/accounts/{number}")
        assert answer.status_code == 303, (number, answer.status_code, answer.text)
        assert answer.headers["location"] == f"/login?next=%2Faccounts%2F{number}"
    assert kept() == before
    async with resources.desk.database.read() as tx:
        assert await tx.scalar("select count(*) from sessions") == 0

    password = await resources.desk.first_admin()
    session = {"cookie": f"tellback_session={await resources.signing_in.sign_in('admin', str(password), 'here')}"}
    assert (await stranger.get("/unknown", headers=session)).status_code == 404
    assert kept() == before, "nor of an address where there is nothing"
    assert (await stranger.get("/people", headers=session)).status_code == 200
    assert kept() != before, "else this test looks at the wrong thing"
