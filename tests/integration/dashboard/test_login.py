"""Signing in and out over HTTP: cookies, and forms of our own pages only."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from services.cli.serve import _server
from services.dashboard.domain.users import Role
from services.dashboard.web import login, passwords
from services.dashboard.web.forms import Forms
from services.dashboard.web.resources import Resources
from shared.errors import Invalid
from shared.http.app import ServiceApp, create_bare_app
from shared.http.connections import Limits
from tests.support.clock import FrozenClock
from tests.support.http import running
from tests.support.problems import assert_problem


@pytest.fixture
async def browser(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async with running(create_bare_app("dashboard", "t", "t", (login.router, passwords.router), nothing)) as client:
        yield client


@pytest.fixture
async def password(resources: Resources) -> str:
    made = await resources.desk.first_admin()
    assert made
    return made


async def token_of(browser: httpx.AsyncClient, path: str = "/login") -> str:
    found = re.search(r'name="token" value="(\w+)"', (await browser.get(path)).text)
    assert found
    return found[1]


async def sign_in(browser: httpx.AsyncClient, password: str, email: str = "admin", next: str = "/") -> httpx.Response:
    form = {"email": email, "password": password, "token": await token_of(browser), "next": next}
    return await browser.post("/login", data=form)


async def test_the_right_password_opens_a_session_that_scripts_and_other_sites_cannot_use(
    browser: httpx.AsyncClient, password: str
) -> None:
    answer = await sign_in(browser, password, email=" Admin ", next="/people?category=detractor")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people?category=detractor")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("tellback_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert (await browser.get("/login")).status_code == 303


@pytest.mark.parametrize("field", ["email", "password", "next", "token"])
async def test_a_form_with_a_character_that_no_text_has_is_refused(
    browser: httpx.AsyncClient, password: str, field: str
) -> None:
    form = {"email": "admin", "password": password, "token": await token_of(browser), "next": "/"}
    answer = await browser.post("/login", data=form | {field: "a\0b"})
    in_parts = await browser.post("/login", data=form | {field: "a\0b"}, files={"other": b"\0"})
    for refused in (answer, in_parts):
        assert_problem(refused, 422, "invalid_request")
        assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [(field, "nul_character")]


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a\x1bb", ""])
async def test_nobody_is_let_in_under_a_name_that_cannot_be_written(
    resources: Resources, password: str, name: str
) -> None:
    [admin] = await resources.desk.everybody()
    with pytest.raises(Invalid):
        await resources.desk.add(admin, "ada@supplier.example", name, Role.VIEWER)
    with pytest.raises(Invalid):
        await resources.desk.add(admin, f"{name}@supplier.example", "Ada", Role.VIEWER)


def test_behind_https_cookies_never_go_out_in_the_clear() -> None:
    response = Response()
    Forms(("secret",), secure=True).set_cookie(response, "tellback_session", "value")
    assert "Secure" in response.headers["set-cookie"]


async def test_the_token_of_a_session_is_stored_as_its_hash_only(
    browser: httpx.AsyncClient, resources: Resources, password: str
) -> None:
    await sign_in(browser, password)
    token = browser.cookies["tellback_session"]
    async with resources.desk.database.read() as tx:
        rows = await tx.all("select token_hash from sessions")
    assert len(rows) == 1
    assert token.encode() not in bytes(rows[0]["token_hash"])


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_our_own_pages_only(browser: httpx.AsyncClient, password: str, target: str) -> None:
    assert (await sign_in(browser, password, next=target)).headers["location"] == "/"


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    browser: httpx.AsyncClient, password: str
) -> None:
    wrong = await sign_in(browser, "not it at all")
    unknown = await sign_in(browser, "not it at all", email="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert re.sub(r'value="\w*"', "", wrong.text) == re.sub(r'value="\w*"', "", unknown.text)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ((), "198.51.100.1", "127.0.0.1"),
        (("127.0.0.1",), "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/8"), "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
async def test_the_address_is_what_our_own_proxies_wrote_down(
    proxies: tuple[str, ...], forwarded: str, address: str
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(login.address_of(Request(scope)))(scope, receive, send)

    served = ServiceApp()
    served.mount("/", app)
    config = _server(served, ("127.0.0.1", 0), 0, proxies, Limits()).config
    config.load()
    transport = httpx.ASGITransport(app=config.loaded_app, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://tellback.test") as client:
        assert (await client.get("/", headers={"x-forwarded-for": forwarded})).text == address


async def test_passwords_are_kept_as_argon2id(resources: Resources, password: str) -> None:
    async with resources.desk.database.read() as tx:
        kept = str(await tx.scalar("select password_hash from users"))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert password not in kept


async def test_a_form_of_another_site_is_refused(browser: httpx.AsyncClient, password: str) -> None:
    form = {"email": "admin", "password": password}
    assert (await browser.post("/login", data=form | {"token": "made up"})).status_code == 403
    token = await token_of(browser)
    across = await browser.post("/login", data=form | {"token": token}, headers={"sec-fetch-site": "cross-site"})
    assert across.status_code == 403
    assert "tellback_session" not in browser.cookies


async def test_signing_out_ends_the_session_on_the_server(
    browser: httpx.AsyncClient, resources: Resources, password: str
) -> None:
    await sign_in(browser, password)
    session = browser.cookies["tellback_session"]
    await browser.post("/logout", data={"token": "made up"})
    assert await resources.signing_in.visitor(session)
    await browser.post("/logout", data={"token": resources.forms.token(session)})
    assert await resources.signing_in.visitor(session) is None


async def test_signing_out_everywhere_ends_the_sessions_on_other_devices(
    browser: httpx.AsyncClient, resources: Resources, password: str
) -> None:
    other = await resources.signing_in.sign_in("admin", password, "elsewhere")
    await sign_in(browser, password)
    session = browser.cookies["tellback_session"]
    await browser.post("/logout", data={"token": resources.forms.token(session), "everywhere": "yes"})
    assert await resources.signing_in.visitor(session) is None
    assert await resources.signing_in.visitor(other) is None


async def test_signing_in_again_makes_another_session_and_ends_the_one_before(
    browser: httpx.AsyncClient, resources: Resources, password: str
) -> None:
    await sign_in(browser, password)
    first = browser.cookies["tellback_session"]
    form = {"email": "admin", "password": password, "token": resources.forms.token(first), "next": "/"}
    assert (await browser.post("/login", data=form)).status_code == 303
    assert browser.cookies["tellback_session"] != first
    assert await resources.signing_in.visitor(first) is None


async def test_a_session_ends_after_a_week_however_busy_it_was(
    resources: Resources, clock: FrozenClock, password: str
) -> None:
    session = await resources.signing_in.sign_in("admin", password, "here")
    for _ in range(15):
        clock.advance(timedelta(hours=11))
        assert await resources.signing_in.visitor(session)
    clock.advance(timedelta(hours=3))
    assert await resources.signing_in.visitor(session) is None


async def test_a_session_ends_when_nobody_clicks(
    browser: httpx.AsyncClient, resources: Resources, clock: FrozenClock, password: str
) -> None:
    await sign_in(browser, password)
    session = browser.cookies["tellback_session"]
    clock.advance(timedelta(hours=11))
    assert await resources.signing_in.visitor(session)
    clock.advance(timedelta(hours=11))
    assert await resources.signing_in.present(session)
    clock.advance(timedelta(hours=2))
    assert await resources.signing_in.visitor(session) is None


async def test_a_new_password_ends_the_other_sessions(
    browser: httpx.AsyncClient, resources: Resources, password: str
) -> None:
    other = await resources.signing_in.sign_in("admin", password, "elsewhere")
    await sign_in(browser, password)
    form = {"token": await token_of(browser, "/password"), "old": password, "new": "a longer new password"}
    weak = await browser.post("/password", data=form | {"new": "short"})
    assert weak.status_code == 422
    assert (await browser.post("/password", data=form | {"old": "wrong"})).status_code == 422
    before = browser.cookies["tellback_session"]
    assert (await browser.post("/password", data=form)).status_code == 303
    assert await resources.signing_in.visitor(other) is None
    assert await resources.signing_in.visitor(before) is None
    assert await resources.signing_in.visitor(browser.cookies["tellback_session"])


async def test_who_is_shut_out_is_out_at_once(resources: Resources, password: str) -> None:
    admin = (await resources.desk.everybody())[0]
    link = await resources.desk.add(admin, "ben@supplier.example", "Ben", Role.VIEWER)
    await resources.signing_in.set_password(link.token, "correct horse battery")
    session = await resources.signing_in.sign_in("ben@supplier.example", "correct horse battery", "here")
    visitor = await resources.signing_in.visitor(session)
    assert visitor
    await resources.desk.change(admin, visitor.user.user_id, Role.VIEWER, disabled=True)
    assert await resources.signing_in.visitor(session) is None


async def test_what_is_typed_is_not_markup(browser: httpx.AsyncClient, password: str) -> None:
    answer = await browser.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
