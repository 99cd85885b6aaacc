"""The fast lane answers byte for byte like the routes behind it, except for parts that differ in every answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from services.collector.api import fast_responses
from services.collector.handlers.fast_parse import parse_many
from services.collector.handlers.publishing import Outgoing
from shared.http.app import ServiceApp
from shared.kafka import partition_batcher, record_batch
from shared.kafka.producer import Publisher
from tests.integration.collector.fast.both_ways import JSON, both, stable
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, bearer, serving
from tests.support.polling import eventually
from tests.support.wire import wire_to

BODY = {"account_id": " acme ", "email": "Ann.Lee@acme.example", "survey_type": "nps", "score": 9, "comment": "Ünïcode"}


@pytest.fixture
async def socket(environment: Environment, app: ServiceApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server."""
    async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=30) as client:
        client.headers.update(bearer(await api_key(environment, ["ingest"])))
        assert (await client.post("/v1/responses", json=BODY)).status_code == 202  # caches key and partitions
        yield client


CASES: dict[str, tuple[bytes, dict[str, str]]] = {
    "plain": (json.dumps(BODY | {"response_id": 'r"1'}).encode(), JSON),
    "idempotent": (json.dumps(BODY).encode(), JSON | {"idempotency-key": "k1"}),
    "charset": (json.dumps(BODY | {"response_id": "r2"}).encode(), {"content-type": "application/json; charset=utf-8"}),
    "bad score": (json.dumps(BODY | {"score": 11}).encode(), JSON),
    "bad type": (json.dumps(BODY | {"score": "9"}).encode(), JSON),
    "unknown field": (json.dumps(BODY | {"colour": "red"}).encode(), JSON),
    "duplicate key": (b'{"account_id":"a","account_id":"b","email":"x@y","survey_type":"nps","score":1}', JSON),
    "not json": (b"{", JSON),
    "empty": (b"", JSON),
    "array": (b"[1]", JSON),
    "latin-1": ('{"account_id":"ü"}'.encode("latin-1"), JSON),
    "byte order mark": (b"\xef\xbb\xbf{}", JSON),
    "surrogate": (b'{"account_id":"\\ud800","email":"x@y","survey_type":"nps","score":1}', JSON),
    "too large": (json.dumps(BODY | {"comment": "x" * 70_000}).encode(), JSON),
    "other type": (b"{}", {"content-type": "text/plain"}),
    "compressed": (b"{}", JSON | {"content-encoding": "gzip"}),
    "long key": (json.dumps(BODY).encode(), JSON | {"idempotency-key": "k" * 201}),
    "wrong key": (json.dumps(BODY).encode(), JSON | {"authorization": "Bearer tb_aaaaaaaaaaaa_" + "a" * 43}),
    "no key": (json.dumps(BODY).encode(), JSON | {"authorization": ""}),
}


@pytest.mark.parametrize("case", CASES)
async def test_one_response_is_answered_alike(client: httpx.AsyncClient, app: ServiceApp, case: str) -> None:
    fast, routed = await both(client, app, "/v1/responses", *CASES[case])
    assert stable(fast) == stable(routed)


async def test_what_kafka_does_not_take_goes_to_the_outbox(socket: httpx.AsyncClient, app: ServiceApp) -> None:
    """The record is in a group when the breaker opens, and is refused."""
    publisher: Publisher = app.state.plumbing.publisher
    held = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    publisher._produce = never  # type: ignore[method-assign]
    posting = asyncio.create_task(socket.post("/v1/responses", json=ITEM | {"response_id": "late"}))
    await held.wait()
    publisher._trip()
    answer = await posting
    assert (answer.status_code, answer.json()["via"], answer.json()["response_id"]) == (202, "outbox", "late")


@pytest.mark.parametrize(("batch_bytes", "groups"), [(262_144, 32), (8_000, 2)], ids=["all waits", "some has no room"])
async def test_a_batch_that_kafka_does_not_take_is_read_back_for_the_outbox(
    environment: Environment,
    socket: httpx.AsyncClient,
    app: ServiceApp,
    monkeypatch: pytest.MonkeyPatch,
    batch_bytes: int,
    groups: int,
) -> None:
    """The breaker opens while the batch waits; later Kafka is back, and the responses of each account are in order."""
    publisher: Publisher = app.state.plumbing.publisher
    held, produce = asyncio.Event(), publisher._produce

    async def never(*_: Any, **__: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(record_batch, "BATCH_BYTES", batch_bytes)
    monkeypatch.setattr(partition_batcher, "MAX_WAITING_GROUPS", groups)
    monkeypatch.setattr(publisher, "_produce", never)
    items: list[dict[str, Any]] = [
        ITEM | {"account_id": f"a{number % 9}", "response_id": f"late{number:03}"} for number in range(200)
    ]
    posting = asyncio.create_task(socket.post("/v1/responses/batch", json={"responses": items}))
    await held.wait()
    assert (publisher.pending() == len(items)) is (groups > 2)
    monkeypatch.setattr(publisher, "_produce", produce)
    publisher._trip()
    answer = await posting
    assert (answer.status_code, answer.json()["accepted"]) == (200, len(items))
    assert [result["response_id"] for result in answer.json()["results"]] == [item["response_id"] for item in items]

    async def published() -> list[dict[str, Any]]:
        records = await topic_records(environment.kafka, environment.topic_prefix + "responses")
        found = [json.loads(record.value or b"") | {"key": record.key} for record in records]
        late = [response for response in found if response["response_id"].startswith("late")]
        return late if len(late) == len(items) else []

    found = await eventually(published, timeout=30)
    for account in {item["account_id"] for item in items}:
        sent = [item["response_id"] for item in items if item["account_id"] == account]
        assert [response["response_id"] for response in found if response["key"] == account.encode()] == sent


async def test_a_failure_after_publishing_that_nobody_foresaw_is_answered(
    socket: httpx.AsyncClient, app: ServiceApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Outgoing, "settled", broken)
    answer = await socket.post("/v1/responses", json=ITEM)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


ITEM = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}
BATCHES: dict[str, Any] = {
    "plain": {"responses": [ITEM | {"response_id": f"b{number}"} for number in range(3)]},
    "one bad": {"responses": [ITEM | {"response_id": "c1"}, ITEM | {"response_id": "c2", "score": 12}]},
    "none": {"responses": []},
    "too many": {"responses": [ITEM] * 1_001},
    "not items": {"responses": [1]},
    "other name": {"answers": [ITEM]},
    "two names": {"responses": [ITEM], "more": 1},
    "array": [ITEM],
}


@pytest.mark.parametrize("case", BATCHES)
async def test_a_batch_is_answered_alike(client: httpx.AsyncClient, app: ServiceApp, case: str) -> None:
    headers = JSON | {"idempotency-key": "batch"}
    fast, routed = await both(client, app, "/v1/responses/batch", json.dumps(BATCHES[case]).encode(), headers)
    assert stable(fast) == stable(routed)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ('"comment": "\\ud800"', "lone_surrogate"),
        ('"score": 8', "duplicate_key"),
        ('"attributes": {"a": 1e400}', "number_out_of_range"),
    ],
)
async def test_an_item_that_cannot_be_read_costs_no_other(
    client: httpx.AsyncClient, app: ServiceApp, fault: str, code: str
) -> None:
    good = json.dumps(ITEM | {"response_id": code})
    body = f'{{"responses": [{good}, {json.dumps(ITEM)[:-1]}, {fault}}}, {good}]}}'.encode()
    fast, routed = await both(client, app, "/v1/responses/batch", body, JSON)
    assert stable(fast) == stable(routed)
    results = fast.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "rejected", "accepted"]
    assert (results[1]["problem"]["code"], results[1]["response_id"]) == (code, None)


async def test_the_same_event_is_published(
    environment: Environment, client: httpx.AsyncClient, app: ServiceApp
) -> None:
    body = json.dumps(BODY | {"response_id": "same", "answered_at": "2026-05-01T08:00:00.123456+02:00"}).encode()
    for answer in await both(client, app, "/v1/responses", body, JSON):
        assert answer.status_code == 202
    first, second = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert (first.key, first.value, first.partition) == (second.key, second.value, second.partition)
    assert {name for name, _ in first.headers} == {name for name, _ in second.headers}


async def test_plain_posts_do_take_the_fast_lane(client: httpx.AsyncClient, app: ServiceApp) -> None:
    """Without this test the comparisons above could pass because no post takes the fast lane."""
    reached: list[str] = []

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        await ServiceApp.routed(app, scope, receive, send)

    for handler in app.hot.values():
        handler._route = routed  # type: ignore[attr-defined]
    single = await client.post("/v1/responses", json=BODY)
    assert (single.status_code, single.json()["via"]) == (202, "kafka")
    assert single.headers["x-request-id"] == single.json()["event_id"]  # the routes use a separate id
    batch = await client.post("/v1/responses/batch", json=BATCHES["plain"])
    assert (batch.status_code, batch.json()["accepted"]) == (200, 3)
    assert reached == []
    assert (await client.post("/v1/responses", json={})).status_code == 422
    assert reached == ["/v1/responses"]


@pytest.mark.parametrize("path", [fast_responses.ONE, fast_responses.MANY, "/v1/keys"])
async def test_a_key_is_judged_before_the_body_comes(socket: httpx.AsyncClient, path: str) -> None:
    async with wire_to(str(socket.base_url)) as wire:
        key = "Authorization: Bearer tb_000000000000_wrong"
        await wire.send(f"POST {path} HTTP/1.1", key, "Content-Type: application/json", "Content-Length: 200")
        answer = await wire.answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")


@pytest.mark.parametrize("path", [fast_responses.ONE, fast_responses.MANY, "/v1/keys"])
@pytest.mark.parametrize("types", [("text/plain", "application/json"), ("application/json", "text/plain")])
async def test_two_content_types_are_refused_on_every_path(
    socket: httpx.AsyncClient, path: str, types: tuple[str, str]
) -> None:
    headers = [*socket.headers.multi_items(), *(("content-type", kind) for kind in types)]
    answer = await socket.post(path, content=json.dumps(BODY).encode(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "two_content_types")


async def test_of_many_large_bodies_each_leaves_the_loop_a_turn_before_the_next_is_parsed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, seen = asyncio.get_running_loop(), list[str]()

    def parsed(*arguments: Any) -> Any:
        seen.append("parsed")
        return parse_many(*arguments)

    def tick() -> None:
        seen.append("tick")
        if seen.count("parsed") < 4:
            loop.call_soon(tick)

    monkeypatch.setattr("services.collector.api.fast_responses.parse_many", parsed)
    large = {"responses": [ITEM | {"comment": "x" * 1_000} for _ in range(9)]}
    loop.call_soon(tick)
    answers = await asyncio.gather(*(client.post("/v1/responses/batch", json=large) for _ in range(4)))
    assert [answer.json()["accepted"] for answer in answers] == [9] * 4
    places = [place for place, what in enumerate(seen) if what == "parsed"]
    assert all(later - earlier > 1 for earlier, later in pairwise(places))
