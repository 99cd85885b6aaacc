"""Requests that are answered past ASGI, over real sockets: what is offered, what is left, and what becomes of the
connection."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shared.http.connections import Limits
from shared.http.direct import DirectProtocol, Reply, Take, Turns
from tests.support.polling import eventually

PATH = "/short"


class Desk:
    """An application with a short cut: it takes what does not begin with `no`, and answers when it is told to."""

    def __init__(self) -> None:
        self.offered: list[bytes] = []
        self.waiting: list[tuple[bytes, Reply]] = []
        self.at_once = True
        self.asked: list[bytes] = []
        self.gone = 0

    def direct(self, scope: Scope) -> Take | None:
        """The short cut, closed for those who say so in their head."""
        return None if (b"x-way", b"asgi") in scope["headers"] else self.take

    def take(self, body: bytes, reply: Reply) -> bool:
        """Take a request by the short cut."""
        self.offered.append(body)
        if body.startswith(b"no"):
            return False
        if body == b"broken":
            raise RuntimeError
        self.waiting.append((body, reply))
        if self.at_once:
            asyncio.get_running_loop().call_soon(self.answer)
        return True

    def answer(self) -> None:
        """Answer the request that has waited longest."""
        body, reply = self.waiting.pop(0)
        reply(202, [(b"x-way", b"direct")], body.upper())

    def waits(self, body: bytes) -> bool:
        """Whether this request alone waits for its answer."""
        return [waiting for waiting, _ in self.waiting] == [body]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application: says how long the body was."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone += 1
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.asked.append(body)
        answer = b"%d" % len(body)
        headers = [(b"x-way", b"asgi"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class Client:
    """One connection, in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def post(self, body: bytes, *headers: str, path: str = PATH, version: str = "1.1") -> None:
        """Send a request, without waiting for its answer."""
        self.writer.write(request(body, *headers, path=path, version=version))
        await self.writer.drain()

    async def answer(self) -> tuple[int, str, bytes]:
        """Status, the way it took, and body of the next answer."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head)
            way = re.search(r"x-way: (\w+)", head)
            assert length, head
            assert way, head
            return int(head.split()[1]), way[1], await self.reader.readexactly(int(length[1]))

    async def closed(self) -> bool:
        """Whether the server closes the connection and says nothing more."""
        async with asyncio.timeout(10):
            return await self.reader.read() == b""


def request(body: bytes, *headers: str, path: str = PATH, version: str = "1.1") -> bytes:
    """A POST as bytes."""
    head = [f"POST {path} HTTP/{version}", "Host: tellback.test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture
def desk() -> Desk:
    return Desk()


@contextlib.asynccontextmanager
async def server_of(desk: Desk, limits: Limits | None = None) -> AsyncIterator[tuple[str, int]]:
    """A real server of the desk."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)  # much may come in one piece
        listening.bind(("127.0.0.1", 0))
        protocol = DirectProtocol.offering({("POST", PATH): desk.direct}, limits or Limits())
        config = uvicorn.Config(desk.app, log_config=None, interface="asgi3", lifespan="off", http=protocol)
        server = uvicorn.Server(config)
        serve = asyncio.create_task(server._serve([listening]))
        try:
            await eventually(lambda: server.started)
            yield listening.getsockname()
        finally:
            server.should_exit = True
            await serve


@contextlib.asynccontextmanager
async def talking(address: tuple[str, int]) -> AsyncIterator[Client]:
    """A client of the server."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(desk: Desk, limits: Limits | None = None) -> AsyncIterator[Client]:
    """A client of a server of the desk."""
    async with server_of(desk, limits) as address, talking(address) as client:
        yield client


async def test_what_the_short_cut_takes_never_reaches_the_application(desk: Desk) -> None:
    async with connected(desk) as client:
        for body in (b"one", b"two"):
            await client.post(body)
            assert await client.answer() == (202, "direct", body.upper())
    assert desk.asked == []


async def test_what_it_leaves_reaches_the_application_whole(desk: Desk) -> None:
    async with connected(desk) as client:
        for body in (b"no, thanks", b"yes"):
            await client.post(body)
            await client.post(body, path="/other")
        assert [await client.answer() for _ in range(4)] == [
            (200, "asgi", b"10"),
            (200, "asgi", b"10"),
            (202, "direct", b"YES"),
            (200, "asgi", b"3"),
        ]
    assert desk.offered == [b"no, thanks", b"yes"]


async def test_a_short_cut_that_breaks_leaves_the_request(desk: Desk) -> None:
    async with connected(desk) as client:
        await client.post(b"broken")
        assert await client.answer() == (200, "asgi", b"6")


async def test_requests_sent_ahead_are_answered_in_their_order(desk: Desk) -> None:
    desk.at_once = False
    async with connected(desk) as client:
        client.writer.write(request(b"a") + request(b"no") + request(b"b") + request(b"c", path="/other"))
        await eventually(lambda: desk.waits(b"a"))
        assert (desk.asked, desk.offered) == ([], [b"a"])
        desk.answer()
        await eventually(lambda: desk.waits(b"b"))
        assert desk.asked == [b"no"]
        desk.answer()
        ways = [(await client.answer())[1] for _ in range(4)]
    assert ways == ["direct", "asgi", "direct", "asgi"]


async def test_a_body_in_pieces_is_offered_once_it_is_whole(desk: Desk) -> None:
    async with connected(desk) as client:
        whole = request(b"piece by piece")
        for at in range(len(whole)):
            client.writer.write(whole[at : at + 1])
            await client.writer.drain()
            await asyncio.sleep(0)
        assert await client.answer() == (202, "direct", b"PIECE BY PIECE")
        chunked = request(b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        client.writer.write(chunked + b"5\r\nchunk\r\n2\r\ned\r\n0\r\n\r\n")
        assert await client.answer() == (202, "direct", b"CHUNKED")
    assert desk.offered == [b"piece by piece", b"chunked"]


async def test_larger_bodies_have_their_turns_and_end_alike(desk: Desk) -> None:
    bodies = [(b"no " if number % 3 == 0 else b"yes ") + b"%d " % number * 4_000 for number in range(12)]
    async with server_of(desk) as address, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(talking(address)) for _ in bodies]
        for client, body in zip(clients, bodies, strict=True):
            await client.post(body)
        for client, body in zip(clients, bodies, strict=True):
            left = body.startswith(b"no")
            expected = (200, "asgi", b"%d" % len(body)) if left else (202, "direct", body.upper())
            assert await client.answer() == expected
    assert sorted(desk.offered) == sorted(bodies)


async def test_between_two_turns_everything_else_has_one() -> None:
    loop, turns, seen = asyncio.get_running_loop(), Turns(), list[str]()

    def tick() -> None:
        seen.append("-")
        if len(seen) < 20:
            loop.call_soon(tick)

    loop.call_soon(tick)
    for name in "abc":
        turns.take(loop, partial(seen.append, name))
    await eventually(lambda: "c" in seen)
    turns.take(loop, partial(seen.append, "d"))
    await eventually(lambda: "d" in seen)
    assert re.fullmatch("-+a-+b-+c-*d-*", "".join(seen))


async def test_a_large_body_is_the_application_s(desk: Desk) -> None:
    async with connected(desk) as client:
        await client.post(b"x" * 300_000)
        assert await client.answer() == (200, "asgi", b"300000")
        await client.post(b"small")
        assert await client.answer() == (202, "direct", b"SMALL")
    assert desk.offered == [b"small"]


async def test_a_large_body_sent_ahead_is_the_application_s_too(desk: Desk) -> None:
    desk.at_once = False
    async with connected(desk) as client:
        client.writer.write(request(b"first") + request(b"x" * 70_000))
        await eventually(lambda: desk.waits(b"first"))
        desk.answer()
        assert await client.answer() == (202, "direct", b"FIRST")
        assert await client.answer() == (200, "asgi", b"70000")
    assert desk.offered == [b"first"]


async def test_a_client_that_wants_to_be_asked_first_is_asked_by_the_application(desk: Desk) -> None:
    async with connected(desk) as client:
        client.writer.write(request(b"", "Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 3"))
        async with asyncio.timeout(10):
            assert b"100 Continue" in await client.reader.readuntil(b"\r\n\r\n")
        client.writer.write(b"yes")
        assert await client.answer() == (200, "asgi", b"3")


async def test_the_application_hears_of_a_client_that_goes_in_the_middle(desk: Desk) -> None:
    async with connected(desk) as client:
        client.writer.write(request(b"never all of it")[:-3])
        await client.writer.drain()
        client.writer.close()
        await eventually(lambda: desk.gone == 1)
    assert desk.offered == []


async def test_an_answer_for_a_client_that_is_gone_is_dropped(desk: Desk) -> None:
    desk.at_once = False
    async with server_of(desk) as address, talking(address) as client:
        async with talking(address) as gone:
            await gone.post(b"hello")
            await eventually(lambda: desk.waits(b"hello"))
        for _ in range(2):
            await client.post(b"no")
            assert (await client.answer())[1] == "asgi"
            if desk.waiting:
                desk.answer()


@pytest.mark.parametrize(
    ("headers", "version"), [(("Connection: close",), "1.1"), ((), "1.0")], ids=["asked to", "HTTP/1.0"]
)
async def test_the_connection_closes_after_the_answer(desk: Desk, headers: tuple[str, ...], version: str) -> None:
    async with connected(desk) as client:
        await client.post(b"last", *headers, version=version)
        assert await client.answer() == (202, "direct", b"LAST")
        assert await client.closed()


async def test_over_the_limit_of_requests_nothing_is_offered(desk: Desk) -> None:
    desk.at_once = False
    async with server_of(desk, Limits(requests=1)) as address, talking(address) as client, talking(address) as other:
        await client.post(b"first")
        await eventually(lambda: desk.waits(b"first"))
        await other.post(b"one too many")
        async with asyncio.timeout(10):
            assert b" 503 " in await other.reader.readuntil(b"\r\n")
        desk.answer()
        assert await client.answer() == (202, "direct", b"FIRST")
        desk.at_once = True
        await client.post(b"second")
        assert await client.answer() == (202, "direct", b"SECOND")
    assert desk.offered == [b"first", b"second"]


async def test_a_head_that_is_not_taken_is_the_application_s_before_its_body_has_come(desk: Desk) -> None:
    async with connected(desk) as client:
        await client.post(b"body", "x-way: asgi")
        assert await client.answer() == (200, "asgi", b"4")
    assert desk.offered == []


async def test_a_server_that_stops_waits_for_the_answer(desk: Desk) -> None:
    desk.at_once = False
    async with asyncio.timeout(20):
        async with contextlib.AsyncExitStack() as client_last:
            async with server_of(desk) as address:
                client = await client_last.enter_async_context(talking(address))
                await client.post(b"still there")
                await eventually(lambda: desk.waits(b"still there"))
                asyncio.get_running_loop().call_later(0.5, desk.answer)
            assert await client.answer() == (202, "direct", b"STILL THERE")
            assert await client.closed()
