"""Kafka away, PostgreSQL away, both away: the answers, and where accepted facts end up."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from services.collector.app import why_not_ready
from services.collector.handlers.publishing import OUTBOX_SECONDS, Outgoing
from shared.db.engine import Database
from shared.events.responses import ResponseRecorded
from shared.kafka.connection import KafkaConnection
from shared.kafka.producer import SEND_SECONDS, Publisher
from shared.kafka.receipts import Receipt
from shared.records import KafkaUnavailable, Record
from shared.topics import CONTEXT_EVENTS, INVITATIONS, RESPONSES
from tests.integration.collector.conftest import Running
from tests.support.problems import assert_problem

RESPONSE: dict[str, Any] = {"account_id": "acme", "email": "ann@acme.example", "survey_type": "nps", "score": 9}


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never sends anything."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


@asynccontextmanager
async def away(collector: Running, **parts: Any) -> AsyncIterator[None]:
    """Requests of the collector publish by other `parts`; its relay keeps the real Kafka."""
    service = collector.app.state.service
    collector.app.state.service = replace(service, outgoing=replace(service.outgoing, **parts))
    try:
        yield
    finally:
        collector.app.state.service = service


def dead_publisher() -> Publisher:
    """A publisher whose breaker is open: nothing listens at its address."""
    return Publisher(KafkaConnection("127.0.0.1:1"))


class Mute:
    """A publisher whose broker never answers: every send ends at its deadline."""

    def __init__(self) -> None:
        self.asked = 0

    async def publish(self, records: Sequence[Record]) -> Receipt:
        """A receipt whose records are all refused at the deadline."""
        self.asked += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), SEND_SECONDS)
        receipt = Receipt()
        for index, record in enumerate(records):
            receipt.refuse(index, record, KafkaUnavailable())
        return receipt


class Silent:
    """A publisher whose Kafka does not answer; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def answers(self) -> bool:
        """Always false."""
        self.asked += 1
        return False


async def test_while_kafka_is_away_the_outbox_takes_and_later_relays(collector: Running) -> None:
    client = collector.client
    async with away(collector, publisher=dead_publisher()):
        posted = await client.post("/v1/responses", json=RESPONSE | {"response_id": "r1"})
        amended = await client.patch("/v1/responses/r1", json={"account_id": "acme", "score": 3})
        withdrawn = await client.delete("/v1/responses/r1", params={"account_id": "acme"})
        fact = {"account_id": "acme", "kind": "change", "at": "2026-05-01T00:00:00Z"}
        context = await client.post("/v1/context-events", json=fact | {"label": "new team"})
        sent = {"invitation_id": "i", "email": "ann@acme.example"}
        invitation = await client.post("/v1/invitation-events", json=fact | sent | {"kind": "sent"})
        answers = (posted, amended, withdrawn, context, invitation)
        assert [(answer.status_code, answer.json()["via"]) for answer in answers] == [(202, "outbox")] * 5
    events = await collector.events(RESPONSES, 3)
    assert [str(event.id) for event in events] == [answer.json()["event_id"] for answer in answers[:3]]
    await collector.events(CONTEXT_EVENTS, 1)
    await collector.events(INVITATIONS, 1)


async def test_a_batch_goes_to_the_outbox_as_a_whole(collector: Running) -> None:
    responses = [RESPONSE | {"response_id": f"r{number}"} for number in range(300)] + [{}]
    async with away(collector, publisher=dead_publisher()):
        body = (await collector.client.post("/v1/responses/batch", json={"responses": responses})).json()
    assert (body["accepted"], body["rejected"], body["unavailable"]) == (300, 1, 0)
    events = await collector.events(RESPONSES, 300)
    found = [event.data.response_id for event in events if isinstance(event.data, ResponseRecorded)]
    assert found == [f"r{number}" for number in range(300)]


async def test_postgres_away_stops_no_response(collector: Running) -> None:
    async with away(collector, database=Database("postgresql://nobody@127.0.0.1:1/none", "collector")):
        answer = await collector.client.post("/v1/responses", json=RESPONSE)
    assert (answer.status_code, answer.json()["via"]) == (202, "kafka")


@pytest.mark.parametrize("hanging", [False, True], ids=["refusing", "hanging"])
async def test_both_away_is_503_in_time(collector: Running, hanging: bool) -> None:
    with silent_port() as port:
        database = Database(f"postgresql://nobody@127.0.0.1:{port if hanging else 1}/none", "collector")
        async with away(collector, publisher=dead_publisher(), database=database):
            for path, body in (("/v1/responses", RESPONSE), ("/v1/responses/batch", {"responses": [RESPONSE, {}]})):
                began = time.monotonic()
                answer = await collector.client.post(path, json=body)
                assert time.monotonic() - began < OUTBOX_SECONDS + 1
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert 1 <= int(answer.headers["retry-after"]) <= 10
        await database.close()
    assert await collector.present(RESPONSES) == []


async def test_many_requests_at_once_do_not_wait_for_each_other(collector: Running) -> None:
    with silent_port() as port:
        database = Database(f"postgresql://nobody@127.0.0.1:{port}/none", "collector")
        async with away(collector, publisher=dead_publisher(), database=database):
            began = time.monotonic()
            answers = await asyncio.gather(*(collector.client.post("/v1/responses", json=RESPONSE) for _ in range(40)))
            assert time.monotonic() - began < 5 * OUTBOX_SECONDS, (
                "one after the other they would wait forty times as long"
            )
        await database.close()
    assert {answer.status_code for answer in answers} == {503}


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/batch"])
async def test_with_both_hanging_the_first_refusal_waits_for_each_once(collector: Running, path: str) -> None:
    """The broker has accepted the connection and sends nothing: only the deadline ends the wait. After the fast lane
    has waited, the route behind it must not wait again."""
    await collector.client.get("/v1/me")
    with silent_port() as port:
        database = Database(f"postgresql://nobody@127.0.0.1:{port}/none", "collector")
        service = collector.app.state.service
        hanging = Mute()
        hot = collector.app.hot[("POST", path)]  # type: ignore[attr-defined]
        outgoing = replace(service.outgoing, publisher=hanging, database=database)
        kept, hot._collector = hot._collector, replace(service, outgoing=outgoing)
        began = time.monotonic()
        body = RESPONSE if path == "/v1/responses" else {"responses": [RESPONSE]}
        answer = await collector.client.post(path, json=body)
        assert time.monotonic() - began < 10
        hot._collector = kept
        await database.close()
    assert_problem(answer, 503, "unavailable")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert hanging.asked == 1


async def test_the_outbox_is_not_asked_while_kafka_takes(collector: Running) -> None:
    outgoing: Outgoing = collector.app.state.service.outgoing
    assert outgoing.publisher.available
    await collector.client.post("/v1/responses", json=RESPONSE)
    async with outgoing.database.read() as tx:
        assert await tx.scalar("select count(*) from outbox") == 0


async def test_the_directory_says_503_while_postgres_is_away(collector: Running) -> None:
    service = collector.app.state.service
    dead = Database("postgresql://nobody@127.0.0.1:1/none", "collector")
    collector.app.state.service = replace(service, database=dead)
    calls: list[dict[str, Any]] = [
        {"method": "PUT", "url": "/v1/accounts/acme", "json": {}},
        {"method": "GET", "url": "/v1/accounts/acme"},
        {"method": "POST", "url": "/v1/directory/batch", "json": {"accounts": [{"account_id": "acme"}]}},
    ]
    for call in calls:
        answer = await collector.client.request(**call)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    collector.app.state.service = service


async def test_ready_means_that_one_of_the_two_takes(collector: Running) -> None:
    plumbing = collector.app.state.plumbing
    no_kafka = replace(plumbing, publisher=dead_publisher())
    no_postgres = replace(plumbing, database=Database("postgresql://nobody@127.0.0.1:1/none", "collector"))
    neither = replace(no_postgres, publisher=dead_publisher())
    assert [await why_not_ready(state) for state in (plumbing, no_kafka, no_postgres)] == [None] * 3
    assert await why_not_ready(neither) == "database_unavailable, kafka_unavailable"


async def test_a_kafka_that_hangs_is_waited_for_once(collector: Running) -> None:
    silent = Silent()
    assert await why_not_ready(replace(collector.app.state.plumbing, publisher=silent)) is None
    assert silent.asked == 1
