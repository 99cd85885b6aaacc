"""HTTP in bytes, for requests that no client library sends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *lines: str, body: bytes = b"") -> None:
        """Send a request: its first line and headers, then the body unchanged."""
        await self.send_raw("\r\n".join([*lines, "Host: tellback.test", "", ""]).encode() + body)

    async def send_raw(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, *, head_only: bool = False) -> Answer:
        """The next answer, which must have a content-length."""
        async with asyncio.timeout(ANSWER_SECONDS):
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            length = 0 if head_only else int(headers["content-length"])
            return Answer(int(first.split()[1]), headers, await self._reader.readexactly(length))

    async def closed(self) -> bool:
        """Wait until the server closes the connection; False when data arrived instead."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True

    @property
    def open(self) -> bool:
        """Whether the server has not closed the connection yet."""
        return not self._reader.at_eof()

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


@contextlib.asynccontextmanager
async def wire_to(base_url: str) -> AsyncIterator[Wire]:
    """A connection to the server."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def wires_to(base_url: str, count: int) -> AsyncIterator[list[Wire]]:
    """So many connections, opened one after the other."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(wire_to(base_url)) for _ in range(count)]
