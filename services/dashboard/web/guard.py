"""A middleware in front of all pages: visitors who are not signed in are redirected before NiceGUI, so that it keeps no
state for strangers; and every answer gets the headers that keep foreign script out."""

import re
import secrets
from typing import cast
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.web.forms import session_of
from services.dashboard.web.gzip_cache import FOLDERS
from services.dashboard.web.headers import protect
from services.dashboard.web.plain import plain_page, to_login
from services.dashboard.web.resources import resources
from shared.errors import Forbidden, Unavailable
from shared.http.edge import request_id_of
from shared.http.problem import problem_response

LIVE = "/_nicegui_ws/"
OPEN = (*FOLDERS, "/favicon.ico")
"""Files that are the same for everybody, signed in or not."""
NO_ANSWER = "No response returned."
AWAY = "This does not work right now. Please try again in a minute."
VISITOR = "tellback.visitor"
CONNECTION = "sid"
"""The query parameter by which engine.io names an existing connection."""
SIGN_IN_FIRST = "sign in first"
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
_SCRIPT = re.compile(rb"<script(?=[ >])")


class PageGuard:
    """The middleware around NiceGUI's application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        app = await _refusal(scope) or self._app
        if scope["type"] == "http":
            send = _Page(send).send
        try:
            await app(scope, receive, send)
        except RuntimeError as error:
            if str(error) != NO_ANSWER:
                raise
            raise ClientDisconnect from None  # raised by NiceGUI's middlewares when the client has disconnected


class _Page:
    """An answer to be sent: gets its headers, and an HTML page its nonces."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            protect(MutableHeaders(raw=message["headers"]), self._nonce)
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = _SCRIPT.sub(b'<script nonce="' + self._nonce.encode() + b'"', self._body)
            MutableHeaders(raw=self._start["headers"])["content-length"] = str(len(body))
            await self._send(self._start)
            message = {"type": "http.response.body", "body": body}
            self._start = None
        await self._send(message)


def visitor_of(request: Request) -> Visitor:
    """The visitor of a page, who is always signed in: others are redirected before."""
    return cast(Visitor, request.scope[VISITOR])


async def _refusal(scope: Scope) -> ASGIApp | None:
    """The answer in place of NiceGUI's; None for signed-in visitors, and for files."""
    path, headers = scope["path"], Headers(scope=scope)
    if scope["type"] == "http" and path.startswith(OPEN):
        return None
    socket = scope["type"] == "websocket"
    if path.startswith(LIVE) and not socket:
        return _sign_in_first(scope)
    try:
        visitor = None
        if not socket or _may_connect(scope, headers):
            visitor = await _visitor(headers)
    except Unavailable:
        if socket:
            return WebSocketClose(TRY_AGAIN_LATER)
        return plain_page("Tellback", "", AWAY, 503)
    if visitor is not None:
        scope[VISITOR] = visitor
        return None
    if socket:
        return WebSocketClose(POLICY_VIOLATION)
    if scope["method"] not in ("GET", "HEAD"):
        return _sign_in_first(scope)
    return to_login(Request(scope))


def _sign_in_first(scope: Scope) -> ASGIApp:
    return problem_response(Forbidden("not_signed_in", SIGN_IN_FIRST), request_id_of(scope))


def _may_connect(scope: Scope, headers: Headers) -> bool:
    """Whether our own page opens a new live connection. A request could also join an existing connection by naming it,
    so anybody who knows the name could. For the same reason plain HTTP requests are refused as transport: they always
    name a connection."""
    origin = headers.get("origin")
    ours = origin is None or urlsplit(origin).netloc == headers.get("host")
    return ours and CONNECTION not in parse_qs(scope["query_string"].decode("latin-1"))


async def _visitor(headers: Headers) -> Visitor | None:
    return await resources().signing_in.visitor(session_of(headers))
