"""Malformed calls to the dashboard: every form and every page, with one fault at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

from fastapi.routing import APIRoute
from nicegui import Client

from services.dashboard.web import accounts_json, login, site
from services.dashboard.web.forms import FORM, SESSION
from tests.support.raw_calls import Answer, Wire
from tests.support.strange import Call
from tests.support.strange_values import FORMS, KINDS, NUMBERS, TEXTS, TIMES, WHOLE_BODIES

_ROUTES = [
    route for router in (login.router, accounts_json.router) for route in router.routes if isinstance(route, APIRoute)
]
FORM_ROUTES = [route for route in _ROUTES if route.body_field is not None]
assert site.PAGES, "importing them is what registers them"
PAGES = sorted(Client.page_routes.values())
ADDRESSES = [
    *PAGES,
    *(route.path for route in _ROUTES if route.body_field is None),
    *("/_nicegui_ws/socket.io/", "/static/nothing", "/nothing"),
]
QUERY = ("q", "sort", "cursor", "window", "as_of", "class", "owner", "tier", "industry", "since", "until", "next", "id")
BROWSER = (b"content-type", b"application/x-www-form-urlencoded")
VALUES = TEXTS | NUMBERS | TIMES


@dataclass(frozen=True, slots=True)
class Visit:
    """A session at a dashboard: its cookie, and the token for its forms."""

    url: str
    session: bytes
    token: bytes


async def signed_in(wire: Wire, password: str) -> Visit:
    """Sign in as the first admin."""
    page = await wire.send(Call("", "GET", b"/login"))
    cookie = cookie_of(page, FORM)
    body = encoded({"email": b"admin", "password": quote(password).encode(), "token": token_of(page)})
    opened = await wire.send(Call("", "POST", b"/login", (BROWSER, (b"cookie", cookie)), body))
    session = cookie_of(opened, SESSION)
    form = await wire.send(Call("", "GET", b"/password", ((b"cookie", session),)))
    return Visit(wire.url, session, token_of(form))


def cookie_of(answer: Answer, name: str) -> bytes:
    """The cookie of this name that an answer sets, in the form in which it is sent back."""
    found = re.search(rf"{name}=[^;]+", answer.headers.get("set-cookie", ""))
    assert found, answer
    return found[0].encode()


def token_of(page: Answer) -> bytes:
    """The token of the form on a page."""
    found = re.search(rb'name="token" value="(\w+)"', page.body)
    assert found, page
    return found[1]


def strange_forms(route: APIRoute, visit: Visit) -> list[Call]:
    """Posts of a form from our own page with one fault; the session must survive them."""
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


def encoded(fields: Mapping[str, bytes]) -> bytes:
    """The body of a form, from values that are escaped already."""
    return b"&".join(name.encode() + b"=" + value for name, value in fields.items())


def strange_addresses(path: str, known: Mapping[str, str], visit: Visit) -> list[Call]:
    """Requests for a page with one fault in the address."""
    head = ((b"cookie", visit.session),)
    names = re.findall(r"{(\w+)}", path)
    there = {name: quote(known.get(name, "detractor"), safe="").encode() for name in names}
    calls = [
        Call(f"{name} is {what}", "GET", filled(path, there | {name: value}), head)
        for name, (what, value) in product(names, VALUES.items())
    ]
    target = filled(path, there)
    calls += [
        Call(f"{name} is {what}", "GET", target + b"?" + name.encode() + b"=" + value, head)
        for name, (what, value) in zip(QUERY * len(VALUES), VALUES.items(), strict=False)
    ]
    return [*calls, Call("posted to", "POST", target, (*head, BROWSER), b"a=%00")]


def filled(path: str, values: Mapping[str, bytes]) -> bytes:
    """The path with these values, escaped already."""
    target = path.encode()
    for name, value in values.items():
        target = target.replace(b"{%s}" % name.encode(), value)
    return target
