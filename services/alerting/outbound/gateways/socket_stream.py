"""Sockets for httpcore on plain asyncio: what arrives is kept up to a bound, so that a flood waits outside.

httpcore's own backend goes through anyio, which costs as much again as the request itself.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

BUFFER_BYTES = 64 * 1024


class SocketStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection. Reading has no timeout of its own: the deadline of the attempt ends it.

    What is written leaves when an answer is waited for: head and body of a request are handed over apart, and would
    cost both sides a packet and a wake-up each. Requests are small, so nothing waits for the other side to take them.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._arrived = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._unsent: list[bytes] = []
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came; past the bound nothing more is taken from the socket."""
        self._arrived += data
        if len(self._arrived) > BUFFER_BYTES and self._transport is not None and not self._paused:
            self._transport.pause_reading()
            self._paused = True
        _wake(self._reader)

    def eof_received(self) -> None:
        """The other side says no more."""
        self._ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed, by whomever."""
        self._ended, self._failure = True, exc
        _wake(self._reader)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Send what is unsent; then what has come, at most so much; empty at the end. Raises `httpcore.ReadError`."""
        if self._unsent and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()
        if not self._arrived and not self._ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self._arrived and self._failure is not None:
            raise httpcore.ReadError(str(self._failure)) from self._failure
        taken = bytes(self._arrived[:max_bytes])
        del self._arrived[:max_bytes]
        if self._paused and len(self._arrived) <= BUFFER_BYTES and self._transport is not None and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return taken

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Keep it until something is read. Raises `httpcore.WriteError` when the connection is closed."""
        if self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed") from self._failure
        if buffer:
            self._unsent.append(buffer)

    async def aclose(self) -> None:
        """Close at once; nothing we have not read is of interest."""
        if self._transport is not None:
            self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt from here on. Raises `httpcore.ConnectError` and `httpcore.ConnectTimeout`."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            raise httpcore.ConnectError("the connection is closed")
        secured = SocketStream()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport, secured, ssl_context, server_hostname=server_hostname or ""
                )
        except TimeoutError as error:
            await self.aclose()
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            await self.aclose()
            raise httpcore.ConnectError(str(error)) from error
        if transport is None:
            raise httpcore.ConnectError("the connection was closed while it was secured")
        secured.connection_made(transport)
        return secured

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`: whether something came, or the other side has closed, while nobody asked."""
        if info == "is_readable":
            return self._ended or bool(self._arrived)
        if info == "ssl_object" and self._transport is not None:
            return self._transport.get_extra_info("ssl_object")
        return None


async def opened_stream(
    host: str, port: int, timeout: float | None, options: Iterable[httpcore.SOCKET_OPTION]
) -> SocketStream:
    """A connection to an address. Raises `httpcore.ConnectError` and `httpcore.ConnectTimeout`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            transport, stream = await loop.create_connection(SocketStream, host, port)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    for option in options:
        transport.get_extra_info("socket").setsockopt(*option)
    return stream


def _wake(waiting: "asyncio.Future[None] | None") -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
