"""The stream on real Kafka: changes as they happen, on with from any replica, each key its own accounts."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.scorer.app import build
from services.scorer.domain.account import snapshot_figures, standard_counts
from services.scorer.domain.answers import History
from services.scorer.domain.counts import AccountFacts
from shared.erasure import subject_by
from shared.events.envelope import Event
from shared.events.scores import AccountScoreChanged
from shared.ids import uuid7
from shared.kafka import tail
from shared.kafka.producer import Publisher
from shared.topics import ACCOUNT_SCORE_CHANGED, ACCOUNT_SCORES, DIRECTORY, RESPONSES, SCORE_EVENTS, Topic
from tests.integration.scorer.writing import account, amended, erased
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded
from tests.support.http import api_key, bearer, serving
from tests.support.polling import eventually

CHANGED, SCORE, CORRECTED = "stakeholder.category_changed", "account_score.changed", "stakeholder.answer_corrected"


@dataclass
class Told:
    """One server-sent event."""

    id: str
    name: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def quick_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that signs of life come while a test looks."""
    monkeypatch.setenv("TELLBACK_SCORER_STREAM_HEARTBEAT_SECONDS", "0.2")


@contextlib.asynccontextmanager
async def scorer(environment: Environment) -> AsyncIterator[str]:
    """The base URL of one replica."""
    async with serving(build(environment.common, FrozenClock(NOW + timedelta(minutes=5)))) as url:
        yield url


async def publish(environment: Environment, events: Sequence[Event], topic: Topic = RESPONSES) -> None:
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        assert set(await publisher.send_many([record_of(event, topic) for event in events])) == {None}
    finally:
        await publisher.stop()


class Stream:
    """An open stream in a test's hands."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def blocks(self) -> AsyncIterator[Told]:
        """Events and signs of life (without a name), as they come."""
        found = Told("")
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                found.id = self.last_id = value
            elif name == "event":
                found.name = value
            elif name == "data":
                found.data = json.loads(value)
            elif not line:
                yield found
                found = Told("")

    async def until(self, name: str, *others: str, **wanted: Any) -> list[Told]:
        """The named events up to the one with this name and these data, and one of each of the other names; they come
        within 40 seconds."""
        found: list[Told] = []
        missing = {name, *others}
        async with asyncio.timeout(40):
            async for event in self.blocks():
                found += [event] if event.name else []
                if event.name != name or wanted.items() <= event.data.items():
                    missing.discard(event.name)
                if not missing:
                    return found
        raise AssertionError("the stream ended")


@contextlib.asynccontextmanager
async def opened(url: str, key: str, since: str | None = None, **asked: str) -> AsyncIterator[Stream]:
    """A stream that has begun."""
    headers = bearer(key) | ({"last-event-id": since} if since else {})
    async with (
        httpx.AsyncClient(base_url=url, timeout=60) as client,
        client.stream("GET", "/v1/stream", params=asked, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        found = Stream(response)
        first = await anext(found.blocks())
        assert (first.name, first.id != "") == ("", True)
        yield found


async def ready(url: str) -> None:
    """Wait until the consumer of a replica has its partitions."""

    async def answers() -> bool:
        async with httpx.AsyncClient(base_url=url) as client:
            return (await client.get("/health/ready")).status_code == 200

    await eventually(answers, 60)


def change(event: Told) -> tuple[str, str]:
    """Kind and response of a category change."""
    return event.data["kind"], event.data["response_id"]


async def test_changes_are_told_as_they_happen(environment: Environment) -> None:
    key = await api_key(environment, ["read"])
    async with scorer(environment) as url, opened(url, key) as stream:
        await publish(environment, [recorded("r1", score=9, answered_at=NOW - timedelta(hours=2))])
        first = await stream.until(CHANGED, SCORE)
        await publish(environment, [recorded("r2", score=7)])
        second = await stream.until(CHANGED, kind="promoter_to_passive")
        await publish(environment, [amended("r2", {"score": 2})])
        third = await stream.until(CORRECTED)
        async with httpx.AsyncClient(base_url=url, headers=bearer(key)) as client:
            (latest, *_) = (await client.get("/v1/changes")).json()["items"]
    assert [change(event) for event in first + second if event.name == CHANGED] == [
        ("new_promoter", "r1"),
        ("promoter_to_passive", "r2"),
    ]
    assert second[-1].data["previous_response_id"] == "r1"
    assert third[-1].data["old"]["category"] == "passive"
    assert third[-1].data["new"] == {"score": 2, "category": "detractor", "change": "promoter_to_detractor"}
    scores = [event for event in first if event.name == SCORE]
    assert scores[-1].data["scores"]["90d"]["latest"]["nps"] == 100.0
    assert latest.keys() <= second[-1].data.keys()


async def test_a_stream_goes_on_at_another_replica_without_a_gap_or_a_repeat(environment: Environment) -> None:
    key = await api_key(environment, ["read"])
    accounts = [f"acc{number}" for number in range(7)]
    async with scorer(environment) as url, scorer(environment) as other:
        async with opened(url, key) as stream:
            await publish(environment, [recorded(f"a-{name}", name) for name in accounts])
            seen: list[Told] = []
            while sum(event.name == CHANGED for event in seen) < len(accounts) - 2:
                seen += await stream.until(CHANGED)
            last = seen[-1].id
        await publish(environment, [recorded(f"b-{name}", name, score=3, stakeholder_id="bob") for name in accounts])
        async with opened(other, key, since=last) as stream:
            missed: list[Told] = []
            while sum(event.name == CHANGED for event in missed) < len(accounts) + 2:
                missed += await stream.until(CHANGED)
            await publish(environment, [recorded("c", "acc0", score=8, stakeholder_id="cid")])
            live = await stream.until(CHANGED, response_id="c")
    told = [event.data["response_id"] for event in [*seen, *missed, *live] if event.name == CHANGED]
    assert sorted(told) == sorted([*(f"a-{name}" for name in accounts), *(f"b-{name}" for name in accounts), "c"])


async def test_what_was_said_of_the_erased_is_not_told_again(environment: Environment) -> None:
    key = await api_key(environment, ["read"])
    subject = subject_by(environment.common.secret_key.get_secret_value())
    async with scorer(environment) as url:
        async with opened(url, key) as stream:
            before = stream.last_id
            await publish(environment, [recorded("r1"), recorded("r2", stakeholder_id="bob")])
            await stream.until(CHANGED, response_id="r1")
            await publish(environment, [erased("ann", subject=subject("acme", "ann"))])
            await stream.until(CORRECTED, cause="erased")
        async with opened(url, key, since=before) as stream:
            told = await stream.until(CORRECTED)
    assert [event.data["stakeholder_id"] for event in told if event.name == CHANGED] == ["bob"]


async def test_each_client_sees_what_it_may_and_asked_for(environment: Environment) -> None:
    owners = {"acme": "kim@supplier.example", "bolt": "lee@supplier.example"}
    keys = {name: await api_key(environment, ["read"], owner) for name, owner in owners.items()}
    everything = await api_key(environment, ["read"])
    described = [account(name, owner={"name": "K", "email": owner}, recorded_at=NOW) for name, owner in owners.items()]
    await publish(environment, described, DIRECTORY)
    async with scorer(environment) as url:
        await ready(url)

        async def known() -> bool:
            async with httpx.AsyncClient(base_url=url, headers=bearer(keys["bolt"])) as client:
                return (await client.get("/v1/accounts/bolt/score")).status_code == 200

        await eventually(known, 30)
        async with opened(url, keys["bolt"]) as own, opened(url, everything, account_id="bolt") as of_bolt:
            await publish(environment, [recorded("r1", "acme"), recorded("r2", "acme", score=2, stakeholder_id="b")])
            await publish(environment, [recorded("r3", "bolt")])
            for stream in (own, of_bolt):
                told = await stream.until(CHANGED)
                assert {event.data["account_id"] for event in told} == {"bolt"}
        async with httpx.AsyncClient(base_url=url, headers=bearer(keys["bolt"])) as client:
            for name in ("acme", "nobody"):
                refused = await client.get("/v1/stream", params={"account_id": name})
                assert (refused.status_code, refused.json()["code"]) == (404, "unknown_account")


async def test_a_quiet_stream_shows_that_it_is_alive_and_where_it_stands(environment: Environment) -> None:
    key = await api_key(environment, ["read"])
    async with scorer(environment) as url, opened(url, key) as stream:
        before = stream.last_id
        await publish(environment, [recorded("r1", "acme")])
        await stream.until(CHANGED)
        async with asyncio.timeout(40):
            async for event in stream.blocks():
                if not event.name:
                    break
        assert stream.last_id != before


async def test_a_client_that_cannot_keep_up_holds_nothing_and_goes_on_from_where_it_was(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MAX_WAITING", 100)
    key = await api_key(environment, ["read"])
    app = build(environment.common, FrozenClock(NOW + timedelta(minutes=5)))
    figures = snapshot_figures(standard_counts(AccountFacts(History([])), NOW))
    scores = [
        AccountScoreChanged(
            account_id=f"acc{number}", sequence=1, computed_at=NOW, account_class="unknown", figures=figures
        )
        for number in range(9_000)
    ]
    async with serving(app) as url:
        lazy = socket.socket()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        lazy.setblocking(False)
        await asyncio.get_running_loop().sock_connect(lazy, ("127.0.0.1", int(url.rpartition(":")[2])))
        reader, writer = await asyncio.open_connection(sock=lazy, limit=4_096)
        with contextlib.closing(writer):
            headers = f"host: x\r\nconnection: close\r\nauthorization: Bearer {key}"  # its end is the stream's
            writer.write(f"GET /v1/stream HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            assert b" 200 " in await reader.readuntil(b"\r\n")
            await reader.readuntil(b"\n\n")
            (listener,) = app.state.service.tail._listeners
            events = [Event(uuid7(), ACCOUNT_SCORE_CHANGED, "/tests", NOW, score.account_id, score) for score in scores]
            await publish(environment, events[:1], ACCOUNT_SCORES)
            begun = await reader.readuntil(b'{"account_id":"acc0"')
            for first in range(1, len(events), 500):
                await publish(environment, events[first : first + 500], ACCOUNT_SCORES)
            await eventually(lambda: listener.lost, 30)
            assert not listener._waiting
            text = (begun + await reader.read()).decode()
        seen = re.findall(r'data: \{"account_id":"(acc[0-9]+)"', text)
        assert 0 < len(seen) < len(scores)
        async with opened(url, key, since=re.findall(r"id: ([0-9._]+)\n", text)[-1]) as stream:
            async with asyncio.timeout(60):
                async for event in stream.blocks():
                    seen += [event.data["account_id"]] if event.name == SCORE else []
                    if len(seen) == len(scores):
                        break
    assert set(seen) == {score.account_id for score in scores}


async def test_a_position_that_is_gone_is_said_to_be(environment: Environment) -> None:
    key = await api_key(environment, ["read"])
    async with scorer(environment) as url:
        async with opened(url, key) as stream:
            start = stream.last_id
            await publish(environment, [recorded("r1"), recorded("r2", score=3, stakeholder_id="bob")])
            await stream.until(CHANGED, response_id="r2")
        admin = AIOKafkaAdminClient(**environment.kafka.options())
        await admin.start()
        try:
            place = TopicPartition(environment.topic_prefix + SCORE_EVENTS.name, 0)
            places = [place._replace(partition=number) for number in range(environment.common.partitions)]
            await admin.delete_records({partition: RecordsToDelete(before_offset=-1) for partition in places})
        finally:
            await admin.close()
        async with opened(url, key, since=start) as stream:
            assert (await stream.until("reset"))[0].data == {"reason": "position_expired"}
            await publish(environment, [recorded("r3", score=7, answered_at=NOW + timedelta(minutes=1))])
            assert change((await stream.until(CHANGED))[-1]) == ("promoter_to_passive", "r3")


@pytest.mark.parametrize("bad", ["x", "1", "1.2_3", "0.0.0_0.0.0_0.0.0", "-1.0.0_0.0.0", "9" * 5_000])
async def test_an_id_that_is_none_is_refused(environment: Environment, bad: str) -> None:
    key = await api_key(environment, ["read"])
    async with (
        scorer(environment) as url,
        httpx.AsyncClient(base_url=url, headers=bearer(key) | {"last-event-id": bad}) as client,
    ):
        refused = await client.get("/v1/stream", timeout=30)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_position")
