"""The limits of a server, over real sockets: slow clients, closed connections, and requests that are always
answered."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import websockets
from prometheus_client import REGISTRY
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from shared.access.caller import SCOPES, Caller
from shared.http.app import ServiceApp
from shared.http.connections import Limits, Phase
from tests.support.edge import Keys, edge_app
from tests.support.http import bearer, serving
from tests.support.polling import eventually
from tests.support.wire import Answer, Wire, wire_to, wires_to

QUICK = Limits(sweep=0.05)
"""Generous limits with a frequent sweep."""
GET = "GET /health/live HTTP/1.1"
POST = ("POST /v1/answers HTTP/1.1", "Content-Type: application/json", "Authorization: Bearer all")
LARGE = 20_000_000


class Slow:
    """The handlers of a slow service: calls wait until the test releases them."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        service = edge_app(Keys({"all": Caller("a" * 12, frozenset(SCOPES))}))
        assert isinstance(service, ServiceApp)
        service.hot = {("GET", "/slow"): self.wait, ("POST", "/slow"): self.wait, ("GET", "/large"): self.large}
        service.add_api_route("/endless", self.endless)
        service.add_api_websocket_route("/live", self.live)
        self.service = service

    async def wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the release, then read the body and answer with its length."""
        self.begun += 1
        await self.go_on.wait()
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        body = b"%d" % size
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def large(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with more than any buffer holds."""
        headers = [(b"content-length", b"%d" % LARGE)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(LARGE)})

    async def endless(self) -> StreamingResponse:
        """A stream that never sends anything."""

        async def nothing() -> AsyncIterator[bytes]:
            self.begun += 1
            try:
                await asyncio.Event().wait()
                yield b""
            finally:
                self.begun -= 1

        return StreamingResponse(nothing(), media_type="text/csv")

    async def live(self, connection: WebSocket) -> None:
        """Echo what is sent."""
        await connection.accept()
        async for text in connection.iter_text():
            await connection.send_text(text)


@pytest.fixture
def slow() -> Slow:
    return Slow()


def closed(reason: str) -> float:
    """How many connections were closed for this reason so far."""
    name = "tellback_http_connections_closed_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


def observed(method: str, status: str) -> float:
    """How many requests outside of all routes were counted so far."""
    labels = {"method": method, "route": "unmatched", "status": status}
    return REGISTRY.get_sample_value("tellback_http_request_duration_seconds_count", labels) or 0.0


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """The answer is problem+json, and closes the connection."""
    kind, connection = answer.headers["content-type"], answer.headers["connection"]
    assert (answer.status, kind, connection) == (status, "application/problem+json", "close")
    body = json.loads(answer.body)
    assert (body["code"], body["request_id"]) == (code, answer.headers["x-request-id"])


async def ticks(seconds: float) -> None:
    """Let the server sweep several times."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    await eventually(lambda: loop.time() >= end)


async def test_a_client_may_come_back_to_its_connection_for_as_long_as_the_setting_says(slow: Slow) -> None:
    # With uvicorn's keep-alive timer each of these posts would meet a closing connection.
    async with serving(slow.service, QUICK, timeout_keep_alive=0) as url, wire_to(url) as wire:
        for _ in range(10):
            await wire.send(*POST, "Content-Length: 12", body=b'{"score": 9}')
            assert (await wire.answer()).status == 200
            await ticks(0.06)
        assert wire.open


async def test_an_idle_connection_is_closed_in_the_end(slow: Slow) -> None:
    before = closed("idle")
    async with serving(slow.service, replace(QUICK, keep_alive=0.2)) as url, wire_to(url) as wire:
        await wire.send(GET)
        assert (await wire.answer()).status == 200
        assert await wire.closed()
    assert closed("idle") == before + 1


@pytest.mark.parametrize(
    ("reason", "begun"),
    [
        ("silent", b""),
        ("silent", b"\r\n\r\n"),
        ("head", b"GET /health/live HTTP/1.1\r\nHost: "),
        ("body", b"POST /v1/open-answers HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
    ],
)
async def test_a_client_that_does_not_go_on_is_hung_up_on(slow: Slow, reason: str, begun: bytes) -> None:
    before = closed(reason)
    async with serving(slow.service, replace(QUICK, head=0.2, body=0.2)) as url, wire_to(url) as wire:
        await wire.send_raw(begun)
        assert await wire.closed()
    assert closed(reason) == before + 1


@pytest.mark.parametrize("begin", [b"GET /health/live HTTP/1.1\r\nX-Slow: ", b"POST /slow HTTP/1.1\r\n"])
async def test_a_byte_now_and_then_buys_no_time(slow: Slow, begin: bytes) -> None:
    async with serving(slow.service, replace(QUICK, head=0.2)) as url, wire_to(url) as wire:
        await wire.send_raw(begin)

        async def given_up() -> bool:
            try:
                await wire.send_raw(b"x")
            except ConnectionError:
                return True
            return not wire.open

        await eventually(given_up)


def test_a_body_has_a_second_more_for_each_8_kilobytes_of_it() -> None:
    assert [Limits().seconds(Phase.BODY, size) for size in (0, 8_000, 8_000_000)] == [20, 21, 1_020]


async def test_a_body_is_not_late_while_we_ourselves_do_not_read(slow: Slow) -> None:
    async with serving(slow.service, replace(QUICK, body=0.2)) as url, wire_to(url) as wire:
        size = 3_000_000
        sending = asyncio.create_task(wire.send("POST /slow HTTP/1.1", f"Content-Length: {size}", body=bytes(size)))
        await eventually(lambda: slow.begun)
        await ticks(0.6)
        slow.go_on.set()
        assert (await wire.answer()).body == b"%d" % size
        await sending


async def test_an_answer_that_nobody_takes_is_given_up(slow: Slow) -> None:
    before = closed("answer")
    async with serving(slow.service, replace(QUICK, answer=0.2)) as url, wire_to(url) as wire:
        await wire.send("GET /large HTTP/1.1")
        await eventually(lambda: closed("answer") == before + 1)


async def test_requests_streams_and_live_connections_take_their_time(slow: Slow) -> None:
    limits = replace(QUICK, keep_alive=0.1, body=0.1)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(slow.service, limits))
        wire, stream = await stack.enter_async_context(wires_to(url, 2))
        live = await stack.enter_async_context(websockets.connect(url.replace("http", "ws") + "/live"))
        await wire.send("GET /slow HTTP/1.1")
        await stream.send("GET /endless HTTP/1.1")
        await eventually(lambda: slow.begun == 2)
        await ticks(0.5)
        await live.send("still there")
        assert await live.recv() == "still there"
        assert slow.begun == 2
        slow.go_on.set()
        assert (await wire.answer()).status == 200


async def test_where_all_are_full_the_longest_idle_goes_and_then_the_oldest_without_a_head(slow: Slow) -> None:
    before = closed("full")
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(slow.service, replace(QUICK, connections=3)))
        silent, *idle = await stack.enter_async_context(wires_to(url, 3))
        for wire in idle:
            await wire.send(GET)
            assert (await wire.answer()).status == 200
        for gone in (*idle, silent):
            newcomer = await stack.enter_async_context(wire_to(url))
            await newcomer.send("GET /slow HTTP/1.1")
            assert await gone.closed()
        await eventually(lambda: slow.begun == 3)
        slow.go_on.set()
    assert closed("full") == before + 3


async def test_a_house_full_of_work_turns_newcomers_away_and_keeps_what_it_has(slow: Slow) -> None:
    async with serving(slow.service, replace(QUICK, connections=2)) as url, wires_to(url, 2) as wires:
        for wire in wires:
            await wire.send("GET /slow HTTP/1.1")
        await eventually(lambda: slow.begun == 2)
        async with wire_to(url) as newcomer:
            assert await newcomer.closed()
        slow.go_on.set()
        assert [(await wire.answer()).status for wire in wires] == [200, 200]


@pytest.mark.parametrize(("counted", "left"), [(True, 2), (False, 3)], ids=["a client", "a proxy or loopback"])
async def test_one_client_waits_with_a_few_connections_only(slow: Slow, counted: bool, left: int) -> None:
    limits = replace(QUICK, per_client=2, uncounted=() if counted else Limits().uncounted)
    async with serving(slow.service, limits) as url, wires_to(url, 2) as wires, wire_to(url) as newest:
        await newest.send(GET)
        assert (await newest.answer()).status == 200
        open_wires = [wire for wire in (*wires, newest) if wire.open]
        assert len(open_wires) == left
        assert newest in open_wires


@pytest.fixture
async def busy(slow: Slow) -> AsyncIterator[str]:
    """The URL of a server that has reached its limit of running requests."""
    async with serving(slow.service, replace(QUICK, requests=2)) as url, wires_to(url, 2) as wires:
        for wire in wires:
            await wire.send("GET /slow HTTP/1.1")
        await eventually(lambda: slow.begun == 2)
        yield url
        slow.go_on.set()
        assert [(await wire.answer()).status for wire in wires] == [200, 200]


async def test_one_request_too_many_is_told_to_come_again(busy: str) -> None:
    before = observed("POST", "503")
    async with wire_to(busy) as wire:
        await wire.send(*POST, "Content-Length: 12", body=b'{"score": 9}')
        answer = await wire.answer()
        assert_problem(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert await wire.closed()
    assert observed("POST", "503") == before + 1


async def test_health_and_metrics_are_answered_however_much_work_there_is(busy: str) -> None:
    async with httpx.AsyncClient(base_url=busy) as client:
        paths = ("/health/live", "/health/ready", "/health/startup", "/metrics")
        assert [(await client.get(path)).status_code for path in paths] == [200] * 4
        assert (await client.head("/health/live")).status_code == 200


async def test_a_live_connection_too_many_is_refused_too(busy: str) -> None:
    async with wire_to(busy) as wire:
        await wire.send("GET /live HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
        assert_problem(await wire.answer(), 503, "busy")


async def test_connections_that_say_nothing_are_no_work(slow: Slow) -> None:
    async with (
        serving(slow.service, replace(QUICK, requests=2)) as url,
        wires_to(url, 50),
        httpx.AsyncClient() as client,
    ):
        answer = await client.post(f"{url}/v1/answers", json={"score": 9}, headers=bearer("all"))
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01 hello\r\n\r\n", b"GET nowhere HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"]
)
async def test_what_is_no_http_is_a_counted_problem(slow: Slow, garbage: bytes) -> None:
    before = observed("other", "400") + observed("GET", "400")
    async with serving(slow.service) as url, wire_to(url) as wire:
        await wire.send_raw(garbage)
        assert_problem(await wire.answer(), 400, "malformed_request")
        assert await wire.closed()
    assert observed("other", "400") + observed("GET", "400") == before + 1


async def test_a_body_that_is_no_http_is_a_problem_too(slow: Slow) -> None:
    async with serving(slow.service) as url, wire_to(url) as wire:
        await wire.send(*POST, "Transfer-Encoding: chunked", body=b"no length\r\n")
        assert_problem(await wire.answer(), 400, "malformed_request")


async def test_what_came_whole_is_answered_before_the_garbage_behind_it(slow: Slow) -> None:
    async with serving(slow.service) as url, wire_to(url) as wire:
        await wire.send("GET /slow HTTP/1.1", body=b"garbage\r\n\r\n")
        await eventually(lambda: slow.begun)
        slow.go_on.set()
        assert (await wire.answer()).status == 200
        assert await wire.closed()


async def refused_early(wire: Wire) -> Answer:
    """The answer to a head with a wrong key, whose body has not come."""
    await wire.send(POST[0], POST[1], "Authorization: Bearer wrong", "Content-Length: 50000")
    return await wire.answer()


async def test_a_wrong_key_is_refused_before_the_body_and_the_answer_can_be_read(slow: Slow) -> None:
    async with serving(slow.service) as url, wire_to(url) as wire:
        assert_problem(await refused_early(wire), 401, "unauthorized")
        await wire.send_raw(bytes(50_000))  # many clients report a reset here instead of the answer
        assert await wire.closed()


@pytest.mark.parametrize("reason", ["leaving", None], ids=["stays", "sends without end"])
async def test_who_was_refused_early_may_not_stay(slow: Slow, reason: str | None) -> None:
    before = closed("leaving")
    async with serving(slow.service, replace(QUICK, head=0.2 if reason else 60)) as url, wire_to(url) as wire:
        await refused_early(wire)

        async def given_up() -> bool:
            try:
                await wire.send_raw(b"" if reason else bytes(100_000))
            except ConnectionError:
                return True
            return closed("leaving") > before

        await eventually(given_up)
    assert closed("leaving") == before + (reason is not None)


async def test_a_stream_asked_for_by_its_head_ends_there(slow: Slow) -> None:
    async with serving(slow.service) as url, wire_to(url) as wire:
        await wire.send("HEAD /endless HTTP/1.1")
        assert (await wire.answer(head_only=True)).headers["content-type"].startswith("text/csv")
        await eventually(lambda: slow.begun == 0)
        await wire.send(GET)
        assert (await wire.answer()).status == 200
