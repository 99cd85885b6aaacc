"""Connections that are kept alive for a moment, by receiver. Who sends keeps the number of requests in bounds.

httpcore's pool looks at all of its connections for every request; with some slow receivers those are many.
"""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

KEEPALIVE_S = 4.0
"""Shorter than the keep-alive of common servers (5 s), so that an attempt rarely meets a connection just
closed."""
PRUNE_S = 1.0


class Connections:
    """Opens connections through `backend`, which checks where they lead, and keeps at most `most_idle`."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext, most_idle: int) -> None:
        self._backend = backend
        self._tls = tls
        self._most_idle = most_idle
        self._idle: dict[str, list[httpcore.AsyncHTTPConnection]] = {}
        self._count = 0
        self._prune_at = 0.0

    @asynccontextmanager
    async def to(self, scheme: str, host: str, port: int) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection for one request; what can serve another one is kept."""
        await self._prune()
        key = f"{scheme}://{host}:{port}"
        connection = await self._kept(key) or self._new(scheme, host, port)
        try:
            yield connection
        finally:
            if connection.is_available() and self._count < self._most_idle:
                self._idle.setdefault(key, []).append(connection)
                self._count += 1
            else:
                await connection.aclose()

    async def aclose(self) -> None:
        """Close all that are idle."""
        for kept in self._idle.values():
            for connection in kept:
                await connection.aclose()
        self._idle, self._count = {}, 0

    def _new(self, scheme: str, host: str, port: int) -> httpcore.AsyncHTTPConnection:
        origin = httpcore.Origin(scheme.encode(), host.encode(), port)
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=KEEPALIVE_S, network_backend=self._backend
        )

    async def _kept(self, key: str) -> httpcore.AsyncHTTPConnection | None:
        """The one used last, unless it has expired or the other side has closed it."""
        kept = self._idle.get(key, [])
        while kept:
            connection = kept.pop()
            self._count -= 1
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _prune(self) -> None:
        """Close what has expired, also where nobody asks for it any more."""
        if time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_S
        for key, kept in list(self._idle.items()):
            expired = [connection for connection in kept if connection.has_expired()]
            self._idle[key] = [connection for connection in kept if connection not in expired]
            self._count -= len(expired)
            if not self._idle[key]:
                del self._idle[key]
            for connection in expired:
                await connection.aclose()
