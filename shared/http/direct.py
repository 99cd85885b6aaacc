"""The server's HTTP protocol with a way past ASGI, for a call that is worth it.

Half of what a small request costs is not its work: a task, a scope that is handed around, an answer in two messages and
two writes. So a request may be offered to a function first, which judges its head and answers it later, or leaves it to
the application. All else is as in `shared.http.protocol`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import cast

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from shared.http.connections import Connections, Limits
from shared.http.protocol import GuardedProtocol
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Headers = Sequence[tuple[bytes, bytes]]
Reply = Callable[[int, Headers, bytes], None]
"""Status, headers but for the length, body. To be called once, and never before the function has returned."""
Take = Callable[[bytes, Reply], bool]
"""Takes a body; False leaves the request to the application, and nothing must have happened then."""
Direct = Callable[[Scope], Take | None]
"""Judges a head before its body has come. None leaves the request to the application at once, which can refuse it
without reading it; so no body is held for somebody who may not send it."""


SMALL = 8_192
"""Bodies of so many bytes are offered as they come, larger ones in turn."""


class Turns:
    """Calls one after the other, with a turn of the event loop between them: of many that come at once the last does
    not hold up the acknowledgements of those before."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def take(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Call this when all before it were called."""
        self._waiting.append(call)
        if len(self._waiting) == 1:
            loop.call_soon(self._next, loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        call = self._waiting.popleft()
        if self._waiting:
            loop.call_soon(self._next, loop)
        call()


def _nothing() -> None:
    """Take the place of a call-back that was made."""


class DirectProtocol(GuardedProtocol):
    """Offers requests to the function of their method and path before a task is made for them."""

    _direct: Mapping[tuple[str, str], Direct] = MappingProxyType({})
    _turns = Turns()
    _held: tuple[RequestResponseCycle, Take] | None = None

    @classmethod
    def offering(cls, direct: Mapping[tuple[str, str], Direct], limits: Limits) -> "type[DirectProtocol]":
        """The protocol with these functions, as uvicorn's setting `http` takes it, for one server."""

        class Offering(cls):  # type: ignore[misc, valid-type]
            guard = Connections(limits)
            _direct = direct
            _turns = Turns()

        return Offering

    def _begin(self, cycle: RequestResponseCycle) -> None:
        take = self._judged(cycle)
        if take is None:
            super()._begin(cycle)
        elif cycle.more_body:
            self._held = (cycle, take)
        elif len(cycle.body) > SMALL:
            self._turns.take(self.loop, partial(self._offer, cycle, take))
        else:
            self._offer(cycle, take)

    def _judged(self, cycle: RequestResponseCycle) -> Take | None:
        """What takes the body, if the head is one of those that are answered directly."""
        scope = cast(Scope, cycle.scope)
        direct = self._direct.get((scope["method"], scope["path"]))
        if direct is None or cycle.waiting_for_100_continue or len(cycle.body) > HIGH_WATER_LIMIT:
            return None
        try:
            return direct(scope)
        except Exception as error:
            # In the parser's call-back it would pass for a request that cannot be read.
            log.error("direct_failed", path=scope["path"], exc_info=error)
            return None

    def _offer(self, cycle: RequestResponseCycle, take: Take) -> None:
        if not self.flow.write_paused and self._taken(cycle, take):
            self.guard.direct += 1
            cycle.body = bytearray()  # or it would lie there until the next request of the connection
        else:
            super()._begin(cycle)

    def _taken(self, cycle: RequestResponseCycle, take: Take) -> bool:
        try:
            return take(bytes(cycle.body), self._replying(cycle))
        except Exception as error:
            log.error("direct_failed", path=cycle.scope["path"], exc_info=error)
            return False

    def on_body(self, body: bytes) -> None:
        """Offer no body that is large enough for uvicorn to stop reading."""
        super().on_body(body)
        if self._held is not None and len(self._held[0].body) > HIGH_WATER_LIMIT:
            self._let_go(self._held[0])

    def on_message_complete(self) -> None:
        """Offer the request now that it is whole."""
        super().on_message_complete()
        held, self._held = self._held, None
        if held is None:
            return
        if len(held[0].body) > SMALL:
            self._turns.take(self.loop, partial(self._offer, *held))
        else:
            self._offer(*held)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application of a client that went away in the middle of its request."""
        super().connection_lost(exc)
        if self._held is not None:
            self._let_go(self._held[0])

    def _let_go(self, cycle: RequestResponseCycle) -> None:
        self._held = None
        super()._begin(cycle)

    def _replying(self, cycle: RequestResponseCycle) -> Reply:
        def reply(status: int, headers: Headers, body: bytes) -> None:
            self.guard.direct -= 1
            if cycle.disconnected:
                return
            parts = [STATUS_LINE[status]]
            for name, value in (*cycle.default_headers, *headers):
                parts += (name, b": ", value, b"\r\n")
            parts += (b"" if cycle.keep_alive else b"connection: close\r\n", b"content-length: %d\r\n\r\n" % len(body))
            parts.append(body)
            cycle.response_started = cycle.response_complete = True
            self.transport.write(b"".join(parts))
            if not cycle.keep_alive:
                self.transport.close()
            answered, cycle.on_response = cycle.on_response, _nothing  # as uvicorn does, so that no ring is left
            answered()

        return reply
