"""In front of all pages: headers that keep foreign script out, and nobody on the live connection who is not signed in
from our own page."""

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.dashboard.web.forms import SESSION
from services.dashboard.web.resources import resources

LIVE = "/_nicegui_ws/"
NO_ANSWER = "No response returned."
_SCRIPT = re.compile(rb"<script(?=[ >])")
# NiceGUI compiles its templates in the browser and sends script for the browser to run, hence unsafe-eval; its own
# inline scripts carry the nonce, and whatever else gets into a page does not.
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


class Guard:
    """Wraps NiceGUI's application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(LIVE) and not await _may_connect(scope):
            await _refuse(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _Page(send).send
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if str(error) != NO_ANSWER:
                raise
            raise ClientDisconnect from None  # the middlewares of NiceGUI say so when the browser has gone


class _Page:
    """An answer on its way out: gets its headers, and an HTML page its nonces."""

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


def protect(headers: MutableHeaders, nonce: str) -> None:
    """Set the headers of every answer."""
    headers["content-security-policy"] = POLICY.format(nonce=nonce)
    headers["referrer-policy"] = "same-origin"
    headers["x-content-type-options"] = "nosniff"
    headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"


async def _may_connect(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SESSION)
    except CookieError:
        return False
    return await resources().signing_in.visitor(cookie.value if cookie else None) is not None


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"sign in first"})
