"""A stand-in for a service behind a proxy: it says what reached it, streams one event at a time, and speaks enough of
WebSockets to be upgraded to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Echo:
    """One service: answers with its name, the path and the headers that it got. A stream (`/v1/stream`) sends `first`
    and, once `go_on` is set, `second`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.go_on = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        path = line.split()[1]
        if headers.get("upgrade") == "websocket":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            writer.write(await reader.readexactly(4))
            await writer.drain()
            return False
        await reader.readexactly(int(headers.get("content-length", "0")))
        if path == "/v1/stream":
            await self._stream(writer)
            return False
        body = json.dumps({"service": self.name, "path": path, "headers": headers}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        return True

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: first\n\n")
        await writer.drain()
        await self.go_on.wait()
        writer.write(b"data: second\n\n")
        await writer.drain()


@asynccontextmanager
async def echoing(*names: str) -> AsyncIterator[dict[str, Echo]]:
    """Such services, by name, each on a port of its own."""
    async with contextlib.AsyncExitStack() as stack:
        echoes = {name: Echo(name) for name in names}
        for echo in echoes.values():
            server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
            echo.port = server.sockets[0].getsockname()[1]
            stack.callback(server.close)
        yield echoes
