"""uvicorn's HTTP protocol with a way past ASGI, for a call that is worth it.

Half of what a small request costs is not its work: a task, a scope that is handed around, an answer in two messages and
two writes. So a whole request may be offered to a function first, which answers it later or leaves it to the
application. All else stays uvicorn's: parsing, pipelining, timeouts, closing, the limit of connections.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Headers = Sequence[tuple[bytes, bytes]]
Reply = Callable[[int, Headers, bytes], None]
"""Status, headers but for the length, body. To be called once, and never before the function has returned."""
Direct = Callable[[Scope, bytes, Reply], bool]
"""Takes a request with its body; False leaves it to the application, and nothing must have happened then."""


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


class DirectProtocol(HttpToolsProtocol):
    """Offers requests to the function of their method and path before a task is made for them."""

    _direct: Mapping[tuple[str, str], Direct] = MappingProxyType({})
    _turns = Turns()
    _held: RequestResponseCycle | None = None

    @classmethod
    def offering(cls, direct: Mapping[tuple[str, str], Direct]) -> "type[DirectProtocol]":
        """The protocol with these functions, as uvicorn's setting `http` takes it."""

        class Offering(cls):  # type: ignore[misc, valid-type]
            _direct = direct
            _turns = Turns()

        return Offering

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cast(Scope, cycle.scope)
        direct = self._direct.get((scope["method"], scope["path"]))
        left = cycle.waiting_for_100_continue or self.flow.write_paused or len(cycle.body) > HIGH_WATER_LIMIT
        if direct is None or app is not self.app or left:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._held = cycle
        elif len(cycle.body) > SMALL:
            self._turns.take(self.loop, partial(self._offer, direct, scope, cycle))
        else:
            self._offer(direct, scope, cycle)

    def _offer(self, direct: Direct, scope: Scope, cycle: RequestResponseCycle) -> None:
        if self._taken(direct, scope, cycle):
            cycle.body = bytearray()  # or it would lie there until the next request of the connection
        else:
            super()._start_asgi_task(cycle, self.app)

    def _taken(self, direct: Direct, scope: Scope, cycle: RequestResponseCycle) -> bool:
        try:
            return direct(scope, bytes(cycle.body), self._replying(cycle))
        except Exception as error:
            # In the parser's call-back it would pass for a request that cannot be read.
            log.error("direct_failed", path=scope["path"], exc_info=error)
            return False

    def on_body(self, body: bytes) -> None:
        """Offer no body that is large enough for uvicorn to stop reading."""
        super().on_body(body)
        if self._held is not None and len(self._held.body) > HIGH_WATER_LIMIT:
            self._let_go()

    def on_message_complete(self) -> None:
        """Offer the request now that it is whole."""
        super().on_message_complete()
        held, self._held = self._held, None
        if held is not None:
            self._start_asgi_task(held, self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application of a client that went away in the middle of its request."""
        super().connection_lost(exc)
        if self._held is not None:
            self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        super()._start_asgi_task(held, self.app)  # type: ignore[arg-type]

    def _replying(self, cycle: RequestResponseCycle) -> Reply:
        def reply(status: int, headers: Headers, body: bytes) -> None:
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
