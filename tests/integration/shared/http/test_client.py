"""The client of the other services, over a real socket: pages, errors, and services that are away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from services.cli.embedded.process import free_port
from shared.errors import Invalid, TooMany
from shared.http.client import Api, Away, Call, Question, Services, within
from shared.http.paging import Page
from tests.support.http import serving

GOOD = "Bearer tb_good"
ALL: list[dict[str, Any]] = [{"n": n} for n in range(7)]


class Thing(BaseModel):
    """An item of the service's list."""

    n: int


class Colour(BaseModel):
    """A type that no answer of the service has."""

    colour: str


THINGS = Question("scorer", "/v1/{kind}", Page[Thing])
COLOURS = Question("scorer", "/v1/things", Page[Colour])
MAKE = Call("scorer", "POST", "/v1/things/{name}", Thing)
PAINT = Call("scorer", "POST", "/v1/things/{name}", Colour)
REMOVE = Call("scorer", "DELETE", "/v1/things/{name}", NoneType)


@dataclass
class Upstream:
    """A service that lists seven things in pages and remembers its requests."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/v1/things", self._things)
        app.add_api_route("/v1/things/{name:path}", self._made, methods=["POST"])
        app.add_api_route("/v1/things/{name}", self._removed, methods=["DELETE"])
        app.add_api_route("/v1/stream", self._stream)
        app.add_api_route("/v1/broken", self._broken)
        app.add_api_route("/v1/crowded", self._crowded)
        app.add_api_route("/{rest:path}", self._no, methods=["GET", "POST"])
        return app

    async def _things(self, request: Request) -> Response:
        self.asked.append((request.url.path, dict(request.query_params)))
        if request.headers["authorization"] != GOOD:
            return JSONResponse({"code": "unauthorized", "detail": "no valid key"}, 401)
        first = int(request.query_params.get("cursor", "0"))
        items = ALL[first : first + 3]
        return JSONResponse({"items": items, "next_cursor": str(first + 3) if first + 3 < 7 else None})

    async def _made(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append((request.scope["raw_path"].decode(), {"body": body.decode()}))
        return JSONResponse({"n": 7}, 201)

    async def _removed(self, name: str) -> Response:
        self.asked.append((name, {}))
        return Response(status_code=204)

    async def _stream(self) -> Response:
        async def lines() -> AsyncIterator[str]:
            yield "event: changed\n"
            yield "data: {}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def _broken(self) -> Response:
        return Response("<h1>Bad gateway</h1>", 502)

    async def _crowded(self) -> Response:
        return JSONResponse({"code": "rate_limited", "detail": "later"}, 429, {"retry-after": "7"})

    async def _no(self, request: Request) -> Response:
        # The raw path: escapes are kept.
        self.asked.append((request.scope["raw_path"].decode(), dict(request.query_params)))
        problem = {
            "code": "invalid_by",
            "detail": "the request is not valid",
            "errors": [{"field": "by", "code": "invalid_by", "detail": "must lie ahead"}],
        }
        return JSONResponse(problem, 422, media_type="application/problem+json")


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def services(upstream: Upstream) -> AsyncIterator[Services]:
    async with serving(upstream.app()) as url:
        found = Services({"scorer": url, "alerting": f"http://127.0.0.1:{free_port()}"})
        yield found
        await found.close()


@pytest.fixture
def api(services: Services) -> Api:
    return Api(services, "tb_good")


async def test_a_list_is_read_page_by_page_and_no_further_than_wanted(api: Api, upstream: Upstream) -> None:
    assert await api.ask_all(THINGS, kind="things") == [Thing(**thing) for thing in ALL]
    assert [query.get("cursor") for _, query in upstream.asked] == [None, "3", "6"]
    upstream.asked.clear()
    assert await api.items("scorer", "/v1/things") == ALL
    assert [query.get("cursor") for _, query in upstream.asked] == [None, "3", "6"]
    upstream.asked.clear()
    assert await api.items("scorer", "/v1/things", most=2) == ALL[:2]
    assert len(upstream.asked) == 1


async def test_a_call_sends_its_body_and_is_answered_by_its_model(api: Api, upstream: Upstream) -> None:
    assert await api.call(MAKE, {"n": 7}, name="a/b") == Thing(n=7)
    assert await api.call(MAKE, name="c") == Thing(n=7)
    assert upstream.asked == [("/v1/things/a%2Fb", {"body": '{"n":7}'}), ("/v1/things/c", {"body": ""})]
    with pytest.raises(Away):
        await api.call(PAINT, name="c")


async def test_a_call_without_an_answer_gives_none(api: Api, upstream: Upstream) -> None:
    await api.call(REMOVE, name="c")
    assert upstream.asked == [("c", {})]
    with pytest.raises(Away):
        await api.call(REMOVE.to("alerting"), name="c")


async def test_a_question_is_answered_by_its_model(api: Api, upstream: Upstream) -> None:
    page = await api.ask(THINGS, kind="things", cursor=3)
    assert [thing.n for thing in page.items] == [3, 4, 5]
    assert upstream.asked == [("/v1/things", {"cursor": "3"})]
    upstream.asked.clear()
    assert await api.ask_all(THINGS, most=4, kind="things") == [Thing(n=n) for n in range(4)]
    assert [query["limit"] for _, query in upstream.asked] == ["4", "4"]


async def test_an_answer_of_another_kind_is_none_of_the_service(api: Api) -> None:
    with pytest.raises(Away):
        await api.ask(COLOURS)


async def test_what_is_asked_twice_in_one_loading_is_asked_once_and_fails_for_both(
    api: Api, upstream: Upstream
) -> None:
    loading = api.once()
    first, second = await asyncio.gather(*(loading.ask_all(THINGS, kind="things") for _ in range(2)))
    assert first == second
    assert len(upstream.asked) == 3
    assert (await loading.ask(THINGS, kind="things", cursor=6)).items
    failed = await asyncio.gather(*(loading.ask(THINGS, kind="broken") for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in failed] == [Away, Away]
    upstream.asked.clear()
    await api.once().ask(THINGS, kind="things")
    assert len(upstream.asked) == 1


async def test_a_service_that_has_enough_says_when_to_come_again(api: Api) -> None:
    with pytest.raises(TooMany) as crowded:
        await api.get("scorer", "/v1/crowded")
    assert (crowded.value.code, crowded.value.retry_after) == ("rate_limited", 7)


async def test_a_file_comes_piece_by_piece(api: Api) -> None:
    assert b"".join([chunk async for chunk in api.chunks("scorer", "/v1/stream")]) == b"event: changed\ndata: {}\n\n"


async def test_what_is_not_chosen_is_not_asked(api: Api, upstream: Upstream) -> None:
    await api.get("scorer", "/v1/things", class_="at_risk", tier=None, q="", silent=True)
    assert upstream.asked == [("/v1/things", {"class": "at_risk", "silent": "true"})]


async def test_ids_are_escaped_in_paths(api: Api, upstream: Upstream) -> None:
    with pytest.raises(Invalid):
        await api.get("scorer", within("/v1/accounts", "a/b?c #ü", "score"))
    assert upstream.asked == [("/v1/accounts/a%2Fb%3Fc%20%23%C3%BC/score", {})]


async def test_a_key_that_is_not_known_any_more_is_made_anew_once(services: Services, upstream: Upstream) -> None:
    made: list[str] = []

    async def renew() -> str:
        made.append("tb_good")
        return made[-1]

    old = Api(services, "tb_old", renew)
    assert (await old.get("scorer", "/v1/things"))["items"] == ALL[:3]
    assert (await old.get("scorer", "/v1/things", cursor=6))["items"] == ALL[6:]
    assert made == ["tb_good"]
    assert len(upstream.asked) == 3


async def test_a_no_is_told_in_the_words_of_the_service(api: Api) -> None:
    with pytest.raises(Invalid) as refused:
        await api.post("scorer", "/v1/follow-ups/1/promise", {"by": "yesterday"})
    assert (refused.value.status, refused.value.code, refused.value.service) == (422, "invalid_by", "scorer")
    assert refused.value.errors == [{"field": "by", "code": "invalid_by", "detail": "must lie ahead"}]


@pytest.mark.parametrize(("service", "path"), [("scorer", "/v1/broken"), ("alerting", "/v1/follow-ups")])
async def test_a_service_that_fails_or_is_not_there_is_named(api: Api, service: Any, path: str) -> None:
    with pytest.raises(Away) as away:
        await api.get(service, path)
    assert away.value.service == service


async def test_a_stream_is_told_line_by_line(api: Api) -> None:
    assert [line async for line in api.lines("scorer", "/v1/stream")] == ["event: changed", "data: {}", ""]
    with pytest.raises(Away):
        await anext(api.lines("alerting", "/v1/stream"))


@contextlib.asynccontextmanager
async def hanging_up_once() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that closes its first connection on the first request, like a server whose idle timeout has passed."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if len(asked) > 1:
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{"items":[]}')
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_question_survives_a_connection_that_was_idle_too_long_and_a_deed_is_not_done_twice() -> None:
    async with hanging_up_once() as (url, asked):
        services = Services({"scorer": url})
        assert await Api(services, "tb_good").get("scorer", "/v1/things") == {"items": []}
        assert len(asked) == 2
        await services.close()
    async with hanging_up_once() as (url, asked):
        services = Services({"alerting": url})
        with pytest.raises(Away):
            await Api(services, "tb_good").post("alerting", "/v1/follow-ups", {"account_id": "acme"})
        assert len(asked) == 1
        await services.close()
