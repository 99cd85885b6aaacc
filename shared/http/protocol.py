"""uvicorn's HTTP protocol within the limits of `shared.http.connections`.

uvicorn closes an idle connection by a timer of its own and has no other time limit; over its limit of connections it
counts idle ones too and answers in plain text. Here each connection reports the phase that it is in, and the server's
own refusals are problem+json. Parsing, pipelining, answering and stopping stay uvicorn's. The names of uvicorn that
this relies on are pinned by `tests/contract/test_uvicorn.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shared.errors import TellbackError, Unavailable
from shared.http.connections import Connections, Limits, Phase, client_of
from shared.http.edge import known_method
from shared.http.problem import of_status, problem_response
from shared.ids import uuid7
from shared.telemetry import metrics

DROPPED_BYTES = 1_000_000
"""How many bytes a refused client may still send of its request; they are read and dropped."""
ALWAYS = ("/health/", "/metrics")
"""Paths that are answered even over the limit of running requests."""


class AnswerTransport:
    """The transport to which uvicorn writes one answer: it holds the head back until the first part of the body, so
    that both leave in one system call and one segment instead of two. ASGI allows that: until then nothing of an answer
    need be sent."""

    __slots__ = ("_cycle", "_hang_up", "_head", "_transport", "is_closing")

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport, hang_up: Callable[[], None]) -> None:
        self._cycle = cycle
        self._transport = transport
        self._hang_up = hang_up
        self._head: bytes | None = None
        """The head while it is held; None before there is one, empty once it has left."""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write the next part, or hold it back."""
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif self._head is None and self._cycle.response_started and self._cycle.scope["method"] != "HEAD":
            self._head = data
        else:  # 100 Continue, what follows the first of a body, and the head that stays alone
            self._transport.write(data)

    def close(self) -> None:
        """Write what is held back, then close the connection."""
        if self._head:
            self.write(b"")
        self._hang_up()


class GuardedProtocol(HttpToolsProtocol):
    """One connection, which reports the phase that it is in."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]
    """The last request whose head has come; None before the first."""
    scope: Any
    """The scope of the last request that has begun; None before the first."""
    guard = Connections(Limits())
    group: str | None = None
    received = 0
    _since = 0.0
    _stalled_since: float | None = None
    _in_head = False
    _keep_alive = True
    _deaf = False
    """Whether incoming bytes are dropped, since the connection ends with the present answer."""
    _left = False
    """Whether the last answer is sent and the client is expected to close."""

    @classmethod
    def within(cls, limits: Limits) -> "type[GuardedProtocol]":
        """The protocol class for a server with these limits, for uvicorn's setting `http`."""

        class Within(cls):  # type: ignore[misc, valid-type]
            guard = Connections(limits)

        return Within

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count a new connection."""
        super().connection_made(transport)
        self._since = self.loop.time()
        address = None
        if self.client:
            address = self.client[0]
        self.group = client_of(address, self.guard.limits.uncounted)
        self.guard.add(self, len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        self.guard.remove(self)
        super().connection_lost(exc)

    def waits(self) -> tuple[Phase, float]:
        """What the connection waits for, and since when, by the clock of the event loop."""
        if self._stalled_since is not None:
            return Phase.ANSWER, self._stalled_since
        if self.pipeline or (self.cycle is not None and not self.cycle.response_complete):
            return self._reading(), self._since
        if self._deaf:
            return Phase.LEAVING, self._since
        if self._in_head:
            return Phase.HEAD, self._since
        if self.cycle is None:
            return Phase.SILENT, self._since
        return Phase.IDLE, self._since

    def _reading(self) -> Phase:
        """The phase of a request that has begun: whether it waits for its body or for the server."""
        if self.flow.read_paused:  # the server itself does not read: the time limit of the body starts again
            self._since, self.received = self.loop.time(), 0
            return Phase.WORK
        if self.cycle is not None and self.cycle.more_body and not self.pipeline and not self._deaf:
            return Phase.BODY
        return Phase.WORK

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """Note that the client does not read what was written."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._stalled_since = None

    def data_received(self, data: bytes) -> None:
        """Parse incoming bytes, unless they are being dropped."""
        if self._deaf:
            self.received += len(data)
            if self.received > DROPPED_BYTES:
                self.transport.abort()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self._cannot_read()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._since = True, self.loop.time()

    def on_headers_complete(self) -> None:
        """A head has ended. An answer before the body is complete ends the connection: the rest of the body would be
        read for nothing."""
        self._in_head, self._since, self.received = False, self.loop.time(), 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before:
            self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False
            answer = AnswerTransport(self.cycle, self.transport, self._hang_up)
            self.cycle.transport = cast(asyncio.Transport, answer)

    def on_body(self, body: bytes) -> None:
        """Count a piece of a body."""
        super().on_body(body)
        self.received += len(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive

    def on_response_complete(self) -> None:
        """Go on as uvicorn does, but without its timer."""
        self.server_state.total_requests += 1
        self._since = self.loop.time()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._deaf:
            self._hang_up()

    def shutdown(self) -> None:
        """End the connection with the present answer."""
        super().shutdown()
        self._keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, unless there is too much work."""
        if self.guard.busy(len(self.tasks)):
            self._refuse(_busy())
            return
        self.guard.remove(self)
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._deaf:
            cycle.response_complete = True
        elif not cycle.scope["path"].startswith(ALWAYS) and self.guard.busy(len(self.tasks)):
            self._refuse(_busy(), cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _cannot_read(self) -> None:
        """Refuse bytes that are no HTTP; an earlier request that is complete is still answered, and nothing after
        it."""
        self._in_head = True  # what follows belongs to no request
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._refuse(of_status(400))
        elif self.pipeline or not cycle.more_body:
            self.pipeline.clear()
            self._deaf = True
        elif cycle.response_started:
            self.transport.abort()  # half of the answer is sent: a broken connection tells the client
        else:
            self._refuse(of_status(400))

    def _refuse(self, error: TellbackError, refused: RequestResponseCycle | None = None) -> None:
        """Answer in the application's place, count the refusal, and close the connection."""
        for cycle in filter(None, (refused, self.cycle)):
            cycle.disconnected = cycle.response_started = cycle.response_complete = True
            cycle.message_event.set()
        self.pipeline.clear()
        method = (self.scope or {}).get("method", "")
        own = {"connection": "close", "x-request-id": uuid7().hex, "x-content-type-options": "nosniff"}
        answer = problem_response(error, own["x-request-id"], own)
        headers = (*self.server_state.default_headers, *answer.raw_headers)
        head = [STATUS_LINE[error.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n"]
        body = answer.body
        if method == "HEAD":
            body = b""
        self.transport.write(b"".join(head) + body)
        took = self.loop.time() - self._since
        metrics.http_request_duration_seconds.labels(known_method(method), "unmatched", str(error.status)).observe(took)
        self._hang_up()

    def _hang_up(self) -> None:
        """Close the connection once the written bytes are sent. In the middle of a request that would reset the
        connection, and many clients would never read our answer: then only the writing side is closed, and what still
        arrives is dropped for a while."""
        if self.cycle is not None and not self.cycle.more_body and not self._in_head:
            self.transport.close()
        elif not self._left:
            self._left = self._deaf = True
            self._since, self.received = self.loop.time(), 0
            self.flow.resume_reading()
            self.transport.write_eof()


def _busy() -> Unavailable:
    return Unavailable("busy", "too many requests are being answered now; try again", retry_after=1)
