"""What every page behind a link has in common: the token is checked before anything is asked of PostgreSQL, bodies are
forms within limits, answers carry the headers of a page that nobody else shall see.

The route of a page is a Starlette route: nothing of the strict edge of the API applies, since mail programs and
browsers post forms. Tokens stand in no log and no metric: both know a request by the template of its route.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from services.outreach.domain.forms import MAX_FIELDS, Fields
from services.outreach.domain.tokens import Opened, Purpose
from services.outreach.web import plain
from services.outreach.web.resources import Pages
from shared.errors import Unavailable

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page, whose token is one of ours and for this page."""

    request: Request
    pages: Pages
    opened: Opened
    token: str
    fields: Fields = ()
    """What was posted; empty for a GET."""

    def asked(self, name: str) -> str:
        """A parameter of the address; empty where there is none."""
        return self.request.query_params.get(name, "")


Handler = Callable[[Visit], Awaitable[Response]]
"""Answers one visit. Raises `Unavailable` while PostgreSQL is away."""


@dataclass(frozen=True, slots=True)
class Named:
    """What logs and metrics name a request by, see `route_of`."""

    path: str


def page(path: str, purpose: Purpose, show: Handler, take: Handler) -> Route:
    """The route of a page, such as `/s/{token}`: `show` answers GET and HEAD, `take` a posted form."""

    async def endpoint(request: Request) -> Response:
        request.scope["route"] = Named(path)
        pages: Pages = request.app.state.pages
        token = request.path_params["token"]
        opened = pages.tokens.opened(purpose, token)
        if opened is None:
            return plain.unknown(request, pages.strangers)
        if request.method != "POST":
            return await _shown(show, Visit(request, pages, opened, token))
        try:
            fields = await read_fields(request)
        except FormRefused as refused:
            return plain.refused(request, refused.status)
        return await _taken(take, Visit(request, pages, opened, token, fields))

    return Route(path, endpoint, methods=["GET", "POST"])


async def _shown(show: Handler, visit: Visit) -> Response:
    try:
        return await show(visit)
    except Unavailable:
        return plain.away(visit.request)


async def _taken(take: Handler, visit: Visit) -> Response:
    """The answer to a form; while PostgreSQL is away the form comes back with all that it held."""
    try:
        return await take(visit)
    except Unavailable:
        return plain.kept(visit.request, visit.fields)


class FormRefused(Exception):
    """A body that is no form within the limits; `status` is the answer's."""

    def __init__(self, status: int) -> None:
        super().__init__("no form within the limits")
        self.status = status


async def read_fields(request: Request) -> Fields:
    """The fields of a posted form, in their order. Raises `FormRefused`: 408 for one that took longer than
    `BODY_SECONDS`, 413 for more than `BODY_BYTES`, 415 for what is no form, 400 for more than `MAX_FIELDS` and for what
    cannot be read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (FORM, MULTIPART):
        raise FormRefused(415)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read_body(request)
    except TimeoutError:
        raise FormRefused(408) from None

    async def replayed() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, replayed).form(max_files=0, max_fields=MAX_FIELDS)
    except (HTTPException, MultiPartException):
        raise FormRefused(400) from None
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


async def _read_body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES:
            raise FormRefused(413)
        chunks.append(chunk)
    return b"".join(chunks)


def value_of(fields: Sequence[tuple[str, str]], name: str) -> str:
    """The last value of a field; empty where there is none."""
    found = ""
    for field, value in fields:
        if field == name:
            found = value
    return found
