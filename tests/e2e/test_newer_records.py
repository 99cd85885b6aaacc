"""Records that a newer release writes: each reader passes over what was added, parks what it must not guess, and counts
both, so that readers may be upgraded before or after writers."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from services.cli.reconcile import Line, read_lines
from shared.clock import SystemClock, rfc3339
from shared.events.context import ContextRecorded
from shared.events.envelope import Event, Headers, headers_of, type_of
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import CONTEXT_EVENTS, CONTEXT_RECORDED, TOPICS, Topic
from tests.support.environment import Environment
from tests.support.installation import SERVICES, Installation, installed
from tests.support.polling import eventually

ACCOUNT = "northwind"
SECONDS = 60.0
READS: dict[str, tuple[Topic, ...]] = {name: import_module(f"services.{name}").READS for name in SERVICES}
"""Service -> the topics that it reads."""


@pytest.fixture
async def house(environment: Environment, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(environment, tmp_path) as installation:
        yield installation


def of_type(event_type: str) -> Headers:
    """The headers of a record of this type."""
    return headers_of(str(uuid7()), event_type, "/newer", rfc3339(SystemClock().now()))


def newer(topic: Topic) -> Iterator[Record]:
    """A type that was added to the topic, and a type of it in the next major version."""
    key = ACCOUNT.encode()
    value = b'{"account_id": "northwind"}'
    for event_type in (type_of(f"{topic.name}.added_later"), type_of(topic.events[0], 2)):
        yield Record.raw(topic, ACCOUNT, key, value, of_type(event_type))


def celebrated() -> Record:
    """A context event of a kind that only a newer release knows."""
    now = SystemClock().now()
    data = ContextRecorded(event_id=uuid7(), account_id=ACCOUNT, kind="celebrated", at=now, recorded_at=now)
    event = Event(data.event_id, CONTEXT_RECORDED, "/newer", now, ACCOUNT, data)
    return Record.raw(CONTEXT_EVENTS, ACCOUNT, ACCOUNT.encode(), event.value(), event.headers())


async def send(house: Installation) -> None:
    """Write all of them."""
    records = [record for topic in TOPICS if topic.events for record in newer(topic)]
    publisher = Publisher(house.environment.kafka, house.environment.topic_prefix, send_seconds=20)
    await publisher.start()
    try:
        assert not any(await publisher.send_many([*records, celebrated()]))
    finally:
        await publisher.stop()


def outcomes(lines: list[Line]) -> dict[tuple[str, str], dict[str, int]]:
    """(service, topic) -> how many records had which outcome, without the zeros."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for line in lines:
        counts = found.setdefault((line.service, line.topic), {})
        for outcome, number in line.outcomes.items():
            if number:
                counts[outcome] = counts.get(outcome, 0) + number
    return found


async def test_every_reader_passes_over_what_was_added_and_parks_another_major_version(house: Installation) -> None:
    expected: dict[tuple[str, str], dict[str, int]] = {}
    for service, topics in READS.items():
        for topic in topics:
            expected[service, topic.name] = {"passed_over": 1, "dead_lettered": 1}
    # The scorer shows context events as marks with whatever they are called, and outreach keeps what happened for its
    # programmes; alerting acts on kinds that it knows.
    expected["scorer", CONTEXT_EVENTS.name]["new"] = 1
    expected["outreach", CONTEXT_EVENTS.name]["change"] = 1
    expected["alerting", CONTEXT_EVENTS.name]["passed_over"] = 2
    await send(house)

    async def read() -> bool:
        lines = await read_lines(house.environment.common, SERVICES)
        assert outcomes(lines) == expected
        assert [line for line in lines if line.faults] == []
        return True

    await eventually(read, timeout=SECONDS)
    for service in SERVICES:
        assert (await house.clients[service].get("/health/ready")).json().get("remarks", []) == [], service


def test_those_that_read_are_the_four_of_the_test() -> None:
    """The collector and the dashboard read no topic: what is added there reaches nobody through them."""
    assert {service for service, topics in READS.items() if topics} == {"scorer", "alerting", "benchmark", "outreach"}
    assert import_module("services.dashboard").READS == ()
