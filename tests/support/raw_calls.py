"""HTTP byte by byte: raw targets, repeated headers, bodies of any kind."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.strange import Call

STREAM = "text/event-stream"
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; of an endless stream only its head."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The media type."""
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """A connection to one service, opened again after it was closed. `headers` are sent with every call."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self._head = f"host: {parts.netloc}\r\n".encode() + b"".join(
            f"{name}: {value}\r\n".encode() for name, value in headers.items()
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, call: Call) -> Answer:
        """The answer to a call. Raises OSError or EOFError where there is none, and TimeoutError after a minute."""
        headers = b"".join(name + b": " + value + b"\r\n" for name, value in call.headers)
        length = b"content-length: %d\r\n" % len(call.body) if call.body or call.method != "GET" else b""
        head = call.method.encode() + b" " + call.target + b" HTTP/1.1\r\n" + self._head + headers + length + b"\r\n"
        async with asyncio.timeout(SECONDS):
            used = self._streams is not None
            try:
                return await self._exchange(head + call.body)
            except (OSError, EOFError):
                await self.close()
                if not used:
                    raise
                return await self._exchange(head + call.body)  # the server may have closed an idle connection

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(request)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines[1:] if line):
            headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value.strip())))
        endless = headers.get("content-type", "").startswith(STREAM)
        answer = Answer(status, headers, b"" if endless else await _body(reader, status, headers))
        if endless or headers.get("connection") == "close":
            await self.close()
        return answer

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]) -> bytes:
    if status in (204, 304):
        return b""
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers["content-length"]))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)


@contextlib.asynccontextmanager
async def wired(url: str, headers: Mapping[str, str], count: int) -> AsyncIterator[list[Wire]]:
    """So many wires for the block."""
    wires = [Wire(url, headers) for _ in range(count)]
    try:
        yield wires
    finally:
        await asyncio.gather(*(wire.close() for wire in wires))
