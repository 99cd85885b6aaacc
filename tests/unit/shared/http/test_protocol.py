"""Answers of the server over real sockets: the head together with the first of the body, in the order of the
requests."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shared.http.connections import Limits
from shared.http.protocol import GuardedProtocol
from tests.support.polling import eventually
from tests.support.wire import Wire, wire_to

LENGTH = (b"content-length", b"10")


class Desk:
    """An application that answers in two halves of five bytes; on the path /waits it waits before each."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gone = 0
        self.go_on = asyncio.Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone += 1
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-body", body), LENGTH]})
        self.begun.append(scope["path"])
        if scope["path"] == "/broken":
            return
        for number, half in enumerate((b"hello", b"world")):
            if scope["path"] == "/waits":
                await self.go_on.acquire()
            await send({"type": "http.response.body", "body": half, "more_body": number == 0})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    config = uvicorn.Config(
        desk,
        port=0,
        log_config=None,
        interface="asgi3",
        lifespan="off",
        http=GuardedProtocol.within(Limits()),
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serve = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serve


@pytest.fixture
async def wire(address: str) -> AsyncIterator[Wire]:
    async with wire_to(address) as wire:
        yield wire


def came(wire: Wire) -> bytes:
    """The bytes that have arrived from the server and are not read yet."""
    return bytes(wire._reader._buffer)  # type: ignore[attr-defined]


async def test_a_head_leaves_with_the_first_of_its_body_which_waits_for_nothing_more(
    desk: Desk, address: str, wire: Wire
) -> None:
    await wire.send("GET /waits HTTP/1.1")
    await eventually(lambda: desk.begun == ["/waits"])
    async with wire_to(address) as other:
        await other.send("GET /other HTTP/1.1")
        assert (await other.answer()).body == b"helloworld"
    assert came(wire) == b""
    desk.go_on.release()
    await eventually(lambda: came(wire).endswith(b"\r\n\r\nhello"))
    desk.go_on.release()
    assert (await wire.answer()).body == b"helloworld"


async def test_a_head_without_a_body_leaves_by_itself(wire: Wire) -> None:
    await wire.send("HEAD /a HTTP/1.1")
    assert (await wire.answer(head_only=True)).headers["content-length"] == "10"
    await wire.send("GET /b HTTP/1.1")
    assert (await wire.answer()).body == b"helloworld"


async def test_an_answer_that_breaks_off_after_its_head_says_so(wire: Wire) -> None:
    await wire.send("GET /broken HTTP/1.1")
    assert (await wire.answer(head_only=True)).status == 200
    assert await wire.closed()


async def test_requests_sent_ahead_are_answered_in_their_order(desk: Desk, wire: Wire) -> None:
    desk.go_on.release()
    for path in ("/waits", "/b", "/c"):
        await wire.send(f"POST {path} HTTP/1.1", f"Content-Length: {len(path)}", body=path.encode())
    await eventually(lambda: came(wire).endswith(b"hello"))
    assert desk.begun == ["/waits"]
    desk.go_on.release()
    assert [(await wire.answer()).headers["x-body"] for _ in range(3)] == ["/waits", "/b", "/c"]
    assert desk.begun == ["/waits", "/b", "/c"]


async def test_a_client_that_wants_to_be_asked_first_is_asked(wire: Wire) -> None:
    await wire.send("POST /a HTTP/1.1", "Expect: 100-continue", "Content-Length: 3")
    await eventually(lambda: came(wire) == b"HTTP/1.1 100 Continue\r\n\r\n")
    assert (await wire.answer(head_only=True)).status == 100
    await wire.send_raw(b"yes")
    assert (await wire.answer()).headers["x-body"] == "yes"


async def test_the_application_hears_of_a_client_that_goes_in_the_middle(desk: Desk, address: str) -> None:
    async with wire_to(address) as wire:
        await wire.send("POST /a HTTP/1.1", "Content-Length: 9", body=b"not all")
    await eventually(lambda: desk.gone == 1)


@pytest.mark.parametrize(
    ("version", "headers"), [("1.1", ("Connection: close",)), ("1.0", ())], ids=["asked to", "HTTP/1.0"]
)
async def test_the_connection_closes_after_the_answer(wire: Wire, version: str, headers: tuple[str, ...]) -> None:
    await wire.send(f"GET /last HTTP/{version}", *headers)
    assert (await wire.answer()).body == b"helloworld"
    assert await wire.closed()


async def test_an_answer_for_a_client_that_is_gone_is_dropped(desk: Desk, address: str, wire: Wire) -> None:
    async with wire_to(address) as gone:
        await gone.send("GET /waits HTTP/1.1")
        await eventually(lambda: desk.begun == ["/waits"])
    desk.go_on.release()
    desk.go_on.release()
    await wire.send("GET /other HTTP/1.1")
    assert (await wire.answer()).body == b"helloworld"
