"""The outermost layer of every request, pure ASGI: framing, request id, metrics, and the last catch."""

import re
import time
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import BadRequest, Invalid, TellbackError, UnsupportedMedia
from shared.http.health import Health
from shared.http.limits import HEADER_BYTES
from shared.http.problem import HeadersTooLarge, internal_error, of_status, problem_response
from shared.ids import uuid7
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

REQUEST_ID = "tellback.request_id"
_REQUEST_ID_FORM = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CLIENT_GONE = 499

log = get_logger(__name__)


class Edge:
    """Wraps an ASGI app so that every request ends with a well-formed, counted answer, whatever happens inside. While
    the `health` of the service says that it cannot serve, requests are refused."""

    def __init__(self, app: ASGIApp, health: Health) -> None:
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        request_id = _request_id(headers)
        scope[REQUEST_ID] = request_id
        method: str = scope["method"]
        if method == "HEAD":  # routes know GET only; a copy, since the server still uses its scope
            scope = {**scope, "method": "GET"}
        exchange = _Exchange(method, scope, request_id, send)
        with structlog.contextvars.bound_contextvars(request_id=request_id, **_trace(headers)):
            metrics.http_requests_in_flight.inc()
            try:
                await self._answer(scope, receive, exchange)
            finally:
                metrics.http_requests_in_flight.dec()
                exchange.observe()

    async def _answer(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        try:
            refuse_bad_framing(scope)
            self._health.require_open(scope["path"])
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_GONE
        except TellbackError as error:
            await self._fail(scope, receive, exchange, error)
        except Exception as error:
            log.error("request_failed", method=scope["method"], route=route_of(scope), exc_info=error)
            if exchange.started:
                raise  # half of the answer is sent: a broken connection tells the client
            await self._fail(scope, receive, exchange, internal_error())

    async def _fail(self, scope: Scope, receive: Receive, exchange: "_Exchange", error: TellbackError) -> None:
        await problem_response(error, exchange.request_id)(scope, receive, exchange.send)


class _Exchange:
    """One request and the state of its answer."""

    def __init__(self, method: str, scope: Scope, request_id: str, send: Send) -> None:
        self.request_id = request_id
        self.status = 0
        self._method = method
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        self._replaced = False

    @property
    def started(self) -> bool:
        """Whether the head of the answer has been sent."""
        return self.status != 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message.setdefault("headers", [])
            if self.status == 405:
                message["headers"] = [_with_head(*header) for header in message["headers"]]
            if _of_framework(message):
                self._replaced = True
                await self._send_problem(_allowed(message))
                return
            message["headers"] = [*message["headers"], *self._own_headers(message["headers"])]
            if self._method == "HEAD":
                await self._send(message)
                message = {"type": "http.response.body"}
        elif self._method == "HEAD":
            return  # HEAD has no body; a stream learns that the client is gone
        if not self._replaced:
            await self._send(message)

    async def _send_problem(self, allowed: Mapping[str, str]) -> None:
        response = problem_response(of_status(self.status), self.request_id, allowed)
        headers = [*response.raw_headers, *self._own_headers(response.raw_headers)]
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await self._send({"type": "http.response.body", "body": response.body})

    def _own_headers(self, present: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in present}
        own = {
            b"x-request-id": self.request_id.encode(),
            b"x-content-type-options": b"nosniff",
            b"cache-control": b"no-store",
        }
        return [(name, value) for name, value in own.items() if name not in names]

    def observe(self) -> None:
        """Record the metrics of the exchange under its route template."""
        took = time.perf_counter() - self._began
        method, route = known_method(self._method), route_of(self._scope)
        status = self.status or _CLIENT_GONE
        metrics.http_request_duration_seconds.labels(method, route, str(status)).observe(took)
        write = log.debug
        if status >= 500:
            write = log.warning
        write("request", method=method, route=route, status=status, ms=round(took * 1000, 1))


def refuse_bad_framing(scope: Scope) -> None:
    """Refuse malformed requests before they reach a route. Raises `BadRequest` for two lengths (request smuggling),
    `HeadersTooLarge`, `UnsupportedMedia` for a compressed body and for two content types, `Invalid` for NUL in the path
    or query, and for a slash within an id."""
    names = [name for name, _ in scope["headers"]]
    if b"transfer-encoding" in names and b"content-length" in names:
        raise BadRequest("two_lengths", "Content-Length and Transfer-Encoding exclude each other")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        raise HeadersTooLarge("headers_too_large", f"the headers hold more than {HEADER_BYTES} bytes")
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in scope["headers"]):
        raise UnsupportedMedia("unsupported_encoding", "the body must not be compressed")
    if names.count(b"content-type") > 1:
        raise UnsupportedMedia("two_content_types", "the body must have one content type")
    if "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Invalid("nul_character", "the address holds the character NUL")
    # Paths are decoded before they are routed: an id with a slash would run the route of another address.
    if b"%2f" in (scope.get("raw_path") or b"").lower():
        raise Invalid("invalid_id", "an id in the address must not hold '/'")


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, never the path itself, which may hold ids."""
    return getattr(scope.get("route"), "path", None) or "unmatched"


def request_id_of(scope: Scope) -> str | None:
    """The id of the request; None for a request that did not come through `Edge`."""
    request_id = scope.get(REQUEST_ID)
    if not isinstance(request_id, str):
        return None
    return request_id


def _request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The caller's `X-Request-ID` if it is harmless, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID_FORM.fullmatch(value):
            return value.decode()
    return uuid7().hex


def _trace(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The trace id of W3C `traceparent`, if there is one."""
    for name, value in headers:
        if name == b"traceparent" and (match := _TRACEPARENT.fullmatch(value)):
            return {"trace_id": match["trace"].decode()}
    return {}


def _of_framework(message: Message) -> bool:
    """Whether the framework worded the error, so that our own problem has to replace it: plain text (a body over its
    limit), or JSON for a path or method that does not exist."""
    status, kind = message["status"], _media_type(message)
    return status >= 400 and (kind == b"text/plain" or (kind == b"application/json" and status in (404, 405)))


def _with_head(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header; to `Allow` HEAD is added, since the framework does not know that it works wherever GET does."""
    if name.lower() == b"allow" and b"GET" in value and b"HEAD" not in value:
        return name, value + b", HEAD"
    return name, value


def _allowed(message: Message) -> dict[str, str]:
    """The methods that an answer says are allowed, as its header."""
    for name, value in message["headers"]:
        if name.lower() == b"allow":
            return {"allow": value.decode()}
    return {}


def _media_type(message: Message) -> bytes:
    for name, value in message["headers"]:
        if name.lower() == b"content-type":
            return bytes(value).partition(b";")[0].strip().lower()
    return b""


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def known_method(method: str) -> str:
    """The method, or `other` for one that a client made up, which must not become a label."""
    if method not in _METHODS:
        return "other"
    return method
