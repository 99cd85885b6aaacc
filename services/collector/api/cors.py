"""Cross-origin rules for browsers with a publishable key: they may only post a response, and amend it.

A preflight request shows no key, so it is answered for the origins of all live publishable keys; the post itself is
then checked against the origins of its key.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.access.keystore import KeyStore
from shared.errors import Forbidden

ONE, EACH = "/v1/responses", "/v1/responses/"
METHODS = {ONE: "POST", EACH: "PATCH"}
SENT = "authorization, content-type, idempotency-key, tellback-signature"
SHOWN = "retry-after, x-request-id"
PREFLIGHT_SECONDS = "600"


class CrossOrigin:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or allow the page that asked to read the answer. Raises `Forbidden`."""
        path = _path(scope)
        origin = None
        if path is not None:
            origin = Headers(scope=scope).get("origin")
        if path is None or origin is None:
            await self._app(scope, receive, send)
            return
        keys: KeyStore = scope["app"].state.plumbing.keys
        allowed = await keys.lists_origin(origin)
        if scope["method"] == "OPTIONS":
            if not allowed:
                raise Forbidden("origin_not_allowed", "no key may be used from this origin")
            await _preflight(path, origin)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and allowed:
                headers = MutableHeaders(scope=message)
                headers["access-control-allow-origin"] = origin
                headers["access-control-expose-headers"] = SHOWN
                headers.add_vary_header("origin")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _path(scope: Scope) -> str | None:
    """The key in `METHODS` of a request's route; None for a route without cross-origin rules."""
    path = str(scope.get("path"))
    if scope["type"] != "http":
        return None
    if path == ONE:
        return ONE
    if path.startswith(EACH):
        return EACH
    return None


def _preflight(path: str, origin: str) -> Response:
    headers = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": METHODS[path],
        "access-control-allow-headers": SENT,
        "access-control-max-age": PREFLIGHT_SECONDS,
        "cache-control": "no-store",
        "vary": "origin",
    }
    return Response(status_code=204, headers=headers)
