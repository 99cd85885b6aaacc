"""Scripts and styles are sent compressed, and compressed once; answers that are no files pass through unchanged."""

import asyncio
import gzip

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from services.dashboard.web.gzip_cache import GzipCache

SCRIPT = b"let figures = [];\n" * 200


class Counting:
    """An application that counts its requests."""

    def __init__(self) -> None:
        self.asked = 0
        self.app = Starlette(routes=[Route("/{path:path}", self.answer)])

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        keep = {"cache-control": "public, max-age=60", "etag": '"1"'}
        if request.url.path.endswith("gone.js"):
            return Response(b"no", 404, keep, "text/javascript")
        return Response(SCRIPT, 200, keep if request.url.path.endswith(".js") else {}, "text/javascript")


@pytest.fixture
def inner() -> Counting:
    return Counting()


@pytest.fixture
def client(inner: Counting) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(GzipCache(inner.app)), base_url="http://pages.test")


async def test_a_file_is_compressed_once_and_the_same_for_everybody(inner: Counting, client: httpx.AsyncClient) -> None:
    answers = [await client.get("/static/a.js") for _ in range(3)]
    assert inner.asked == 1
    assert {answer.content for answer in answers} == {SCRIPT}
    assert answers[2].headers["content-encoding"] == "gzip"
    assert int(answers[2].headers["content-length"]) == len(gzip.compress(SCRIPT))
    assert "Accept-Encoding" in answers[2].headers["vary"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/static/a.js", {"accept-encoding": "identity"}),
        ("/static/a.js", {"if-none-match": '"1"'}),
        ("/static/a.js", {"range": "bytes=0-9"}),
        ("/static/page", {}),
        ("/static/gone.js", {}),
        ("/accounts/a.js", {}),
    ],
)
async def test_everything_else_is_asked_for_each_time(
    inner: Counting, client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    for _ in range(2):
        await client.get(path, headers=headers)
    assert inner.asked == 2


async def test_what_is_added_to_an_address_fills_no_memory(inner: Counting, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.get("/static/a.js", params={"v": number})
    assert inner.asked == 1


async def test_who_goes_away_while_a_file_is_read_leaves_no_part_of_it_to_others() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        """Sends as long as somebody is there, as the middleware of the framework does."""
        headers = [(b"content-type", b"text/javascript"), (b"cache-control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await receive()
        gone = asyncio.ensure_future(receive())
        for piece in (SCRIPT[:1000], SCRIPT[1000:]):
            done, _ = await asyncio.wait([gone], timeout=0.05)
            if done:
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        gone.cancel()

    async def leaves() -> Message:
        return {"type": "http.disconnect"}

    async def nothing(_message: Message) -> None:
        pass

    packed = GzipCache(slow)
    headers = [(b"accept-encoding", b"gzip")]
    await packed({"type": "http", "method": "GET", "path": "/static/a.js", "headers": headers}, leaves, nothing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(packed), base_url="http://pages.test") as other:
        assert (await other.get("/static/a.js")).content == SCRIPT
