"""A real HTTP receiver on a loopback address, with scripted answers; keeps the raw bytes of every request."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Answer:
    """A scripted answer: sent after `delay` seconds, in pieces of `drip` bytes (when set) `pause` seconds apart.

    `reset` breaks the connection without an answer; `before` is called when the request has arrived.
    """

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: int | None = None
    pause: float = 0.0
    reset: bool = False
    before: Callable[[], None] | None = None

    def raw(self) -> bytes:
        """The bytes of the response."""
        headers = {"Content-Length": str(len(self.body))} | dict(self.headers)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{lines}\r\n".encode() + self.body


OK = Answer()
FAIL = Answer(500, b"no")


@dataclass(frozen=True)
class Request:
    """One request as received: `headers` with lower-case names, `raw_headers` as they came."""

    method: str
    path: str
    headers: dict[str, str]
    raw_headers: list[tuple[str, str]]
    body: bytes
    at: float

    @property
    def webhook_id(self) -> str:
        """The `webhook-id` header."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The JSON body, after an independent check of the signature over the raw bytes."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers with `script` in turn, afterwards with `default`; counts connections and requests."""

    def __init__(self, default: Answer = OK, script: list[Answer] | None = None) -> None:
        self.default = default
        self.script = list(script or [])
        self.requests: list[Request] = []
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.host, self.port, self.scheme = "", 0, "http"
        self.closing = asyncio.Event()

    @property
    def url(self) -> str:
        """The address of the receiver."""
        host = self.host
        if ":" in host:
            host = f"[{host}]"
        return f"{self.scheme}://{host}:{self.port}/hook"

    def ids(self) -> list[str]:
        """The webhook ids in the order of arrival."""
        return [request.webhook_id for request in self.requests]

    def answer_to(self, request: Request) -> Answer:
        """The answer to a request."""
        return self.script.pop(0) if self.script else self.default

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one keep-alive connection."""
        self.connections += 1
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    if not await self._write(writer, self.answer_to(request)):
                        break
                finally:
                    self.in_flight -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        if answer.before:
            answer.before()
        await self._pass(answer.delay)
        if answer.reset:
            writer.transport.abort()
            return False
        raw = answer.raw()
        size = answer.drip or len(raw)
        for start in range(0, len(raw), size):
            writer.write(raw[start : start + size])
            await writer.drain()
            await self._pass(answer.pause)
        return True

    async def _pass(self, seconds: float) -> None:
        """Wait, unless the receiver is closing."""
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.closing.wait()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    raw = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = {name.lower(): value for name, value in raw}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, raw, body, time.monotonic())


@asynccontextmanager
async def receiving(
    *script: Answer,
    default: Answer = OK,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    receiver: Receiver | None = None,
) -> AsyncIterator[Receiver]:
    """A listening receiver, a new one unless given; `script` are its first answers."""
    receiver = receiver or Receiver(default, list(script))
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(connected, host, port, ssl=tls)
    receiver.host, receiver.port = server.sockets[0].getsockname()[:2]
    receiver.scheme = "https" if tls else "http"
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
