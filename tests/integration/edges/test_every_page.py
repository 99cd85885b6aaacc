"""Whatever is sent to the dashboard, signed in or not, gets an answer that is no failure of ours."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from nicegui import Client

from services.dashboard.web import login, rows, site
from services.dashboard.web.forms import FORM, SESSION
from tests.integration.edges.house import House, sent
from tests.support.dashboard import Dashboard, dashboard_of
from tests.support.strange import Call
from tests.support.strange_values import FORMS, KINDS, NUMBERS, TEXTS, TIMES, WHOLE_BODIES
from tests.support.wire import Answer, Wire, wired

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PAGES = sorted(Client.page_routes.values())
ROUTES = [route for router in (login.router, rows.router) for route in router.routes if isinstance(route, APIRoute)]
QUERY = ("q", "sort", "cursor", "window", "as_of", "class", "owner", "tier", "industry", "since", "until", "next", "id")
BROWSER = (b"content-type", b"application/x-www-form-urlencoded")
VALUES = TEXTS | NUMBERS | TIMES


@dataclass(frozen=True, slots=True)
class Visit:
    """The admin's session: its cookie, and the token of its forms."""

    dashboard: Dashboard
    session: bytes
    token: bytes


@pytest.fixture(scope="module")
async def visit(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visit]:
    assert site.PAGES, "importing the pages is what registers them"
    async with dashboard_of(house.installation, tmp_path_factory.mktemp("dashboard")) as dashboard:
        async with wired(dashboard.url, {}, 1) as [wire]:
            visit = await signed_in(wire, dashboard)
        yield visit


async def test_no_form_is_a_failure_of_ours(visit: Visit) -> None:
    calls = [call for route in ROUTES if "POST" in route.methods for call in strange_forms(route, visit)]
    async with wired(visit.dashboard.url, {}, 1) as wires:
        answers = await sent(wires, calls)
    assert [f"{call}: {answer.body[:300]!r}" for call, answer in answers if answer.status >= 500] == []
    assert [answer.status for call, answer in answers if call.what == "email is NUL"] == [422]
    assert await visit.dashboard.ready()


async def test_no_address_is_a_failure_of_ours(house: House, visit: Visit) -> None:
    paths = [*PAGES, *(route.path for route in ROUTES if "GET" in route.methods), "/_nicegui_ws/socket.io/", "/x"]
    calls = [call for path in paths for call in strange_addresses(path, house, visit.session)]
    async with wired(visit.dashboard.url, {}, 2) as wires:
        answers = await sent(wires, calls)
    assert [f"{call}: {answer.status} {answer.body[-300:]!r}" for call, answer in answers if answer.status >= 500] == []
    assert await visit.dashboard.ready()


async def signed_in(wire: Wire, dashboard: Dashboard) -> Visit:
    """Sign in as the first admin."""
    page = await wire.send(Call("", "GET", b"/login"))
    cookie = cookie_of(page, FORM)
    body = encoded({"email": b"admin", "password": quote(dashboard.password).encode(), "token": token_of(page)})
    opened = await wire.send(Call("", "POST", b"/login", (BROWSER, (b"cookie", cookie)), body))
    session = cookie_of(opened, SESSION)
    form = await wire.send(Call("", "GET", b"/password", ((b"cookie", session),)))
    return Visit(dashboard, session, token_of(form))


def cookie_of(answer: Answer, name: str) -> bytes:
    """The cookie of this name that an answer sets, as it is sent back."""
    found = re.search(rf"{name}=[^;]+", answer.headers.get("set-cookie", ""))
    assert found, answer
    return found[0].encode()


def token_of(page: Answer) -> bytes:
    """The token of the form on a page."""
    found = re.search(rb'name="token" value="(\w+)"', page.body)
    assert found, page
    return found[1]


def strange_forms(route: APIRoute, visit: Visit) -> list[Call]:
    """Posts of a form from our own page with one thing wrong; the session must outlive them."""
    fields = [field.alias for field in route.dependant.body_params if field.alias != "token"]
    head, target = (b"cookie", visit.session), route.path.encode()
    good = {"token": visit.token}
    calls = [
        Call(f"{name} is {what}", "POST", target, (head, BROWSER), encoded(good | {name: value}))
        for name, (what, value) in product([*fields, "token", "%00", "unknown"], TEXTS.items())
        if route.path != "/logout"
    ]
    for what, (kind, body) in FORMS.items():
        calls.append(Call(f"a form, {what}", "POST", target, (head, (BROWSER[0], kind)), body))
    calls += [Call(f"a form as {what}", "POST", target, (head, *kinds), b"email=a") for what, kinds in KINDS.items()]
    return calls + [Call(what, "POST", target, (head, BROWSER), body) for what, body in WHOLE_BODIES.items()]


def encoded(fields: dict[str, bytes]) -> bytes:
    """Values that are escaped already."""
    return b"&".join(name.encode() + b"=" + value for name, value in fields.items())


def strange_addresses(path: str, house: House, session: bytes) -> list[Call]:
    """Looks at a page with one thing wrong in its address."""
    head = ((b"cookie", session),)
    names = re.findall(r"{(\w+)}", path)
    known = {name: quote(house.known.get(name, "detractor"), safe="").encode() for name in names}
    calls = [
        Call(f"{name} is {what}", "GET", filled(path, known | {name: value}), head)
        for name, (what, value) in product(names, VALUES.items())
    ]
    target = filled(path, known)
    calls += [
        Call(f"{name} is {what}", "GET", target + b"?" + name.encode() + b"=" + value, head)
        for name, (what, value) in zip(QUERY * len(VALUES), VALUES.items(), strict=False)
    ]
    return [*calls, Call("posted to", "POST", target, (*head, BROWSER), b"a=%00")]


def filled(path: str, values: dict[str, bytes]) -> bytes:
    """The path with these values, escaped already."""
    target = path.encode()
    for name, value in values.items():
        target = target.replace(b"{%s}" % name.encode(), value)
    return target
