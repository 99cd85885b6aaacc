"""The Publisher on a real broker: acknowledged, in order, and recovered after a refused record."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from shared.errors import TooLarge
from shared.kafka import partition_batcher
from shared.kafka.connection import KafkaConnection
from shared.kafka.producer import Publisher
from shared.records import KafkaUnavailable, Record
from shared.topics import RESPONSES, Topic
from tests.support.environment import Environment
from tests.support.events import record_of, recorded, topic_records

DEAD = "127.0.0.1:1"


@pytest.fixture
async def publisher(environment: Environment) -> AsyncIterator[Publisher]:
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    yield publisher
    await publisher.stop()


def raw(value: bytes, topic: Topic = RESPONSES, account: str = "acme") -> Record:
    return Record.raw(topic, account, account.encode(), value, [])


async def test_a_record_is_in_the_topic_when_send_returns(environment: Environment, publisher: Publisher) -> None:
    event = recorded("r1")
    await publisher.send(record_of(event))
    (found,) = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert found.value == event.value()
    assert found.key == b"acme"
    assert dict(found.headers)["ce_id"] == str(event.id).encode()


async def test_records_of_an_account_keep_their_order(environment: Environment, publisher: Publisher) -> None:
    await asyncio.gather(*(publisher.send(raw(b"%d" % number)) for number in range(500)))
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert [int(record.value) for record in found] == list(range(500))
    assert len({record.partition for record in found}) == 1


async def test_one_refused_record_costs_no_neighbour_and_no_later_one(
    environment: Environment, publisher: Publisher
) -> None:
    """Our declaration of the topic allows more than the broker does, so that our own size check lets the record
    through."""
    lenient = Topic("responses", RESPONSES.events, RESPONSES.retention_ms, max_message_bytes=50_000_000)
    records = [raw(b"%d" % number, lenient) for number in range(20)]
    records.insert(10, raw(b"x" * 2_000_000, lenient))
    answers = await publisher.send_many(records)
    assert [index for index, answer in enumerate(answers) if answer] == [10]
    assert answers[10] is not None
    assert answers[10].code == "record_refused"
    await publisher.send(raw(b"later"))
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert {record.value for record in found} == {b"%d" % number for number in range(20)} | {b"later"}


async def test_answers_stand_where_their_records_stood(environment: Environment, publisher: Publisher) -> None:
    """With accounts in all partitions, and more records of each than one group holds."""
    await publisher.send(raw(b"first"))
    records = [raw(b"%05d" % number + b"x" * 2_000, account=f"account-{number % 7}") for number in range(1_000)]
    refused = {0, 333, 334, 999}
    for index in refused:
        records[index] = replace(records[index], value=b"x" * 1_100_000)
    answers = await publisher.send_many(records)
    assert {index: answer.code for index, answer in enumerate(answers) if answer} == dict.fromkeys(
        refused, "event_too_large"
    )
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    kept = [record for record in records if len(record.value or b"") < 1_000_000]
    for account in {record.key for record in kept}:
        ours = [record.value for record in found if record.key == account]
        assert ours == [record.value for record in kept if record.key == account]


async def test_what_a_lane_has_no_room_for_is_told_so(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    await publisher.send(raw(b"first"))
    monkeypatch.setattr(partition_batcher, "MAX_WAITING_GROUPS", 2)
    answers = await publisher.send_many([raw(b"x" * 100_000) for _ in range(10)])
    taken = [answer is None for answer in answers]
    assert taken == sorted(taken, reverse=True)
    assert taken[0]
    assert {answer.code for answer in answers if answer} == {"kafka_unavailable"}
    assert publisher.available


async def test_a_record_too_large_for_its_topic_never_reaches_kafka(publisher: Publisher) -> None:
    with pytest.raises(TooLarge):
        await publisher.send(raw(b"x" * 1_100_000))
    await publisher.send(raw(b"fine"))


async def test_without_kafka_every_send_is_answered_at_once() -> None:
    publisher = Publisher(KafkaConnection(DEAD))
    await publisher.start(wait_seconds=0.1)
    try:
        async with asyncio.timeout(1):
            with pytest.raises(KafkaUnavailable):
                await publisher.send(record_of(recorded("r1")))
        assert not publisher.available
    finally:
        await publisher.stop()


async def test_a_caller_that_goes_away_takes_no_other_with_it(environment: Environment, publisher: Publisher) -> None:
    gone = asyncio.create_task(publisher.send(raw(b"gone")))
    stays = asyncio.create_task(publisher.send(raw(b"stays")))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert b"stays" in {record.value for record in found}


async def test_an_account_lies_where_other_clients_would_put_it(environment: Environment, publisher: Publisher) -> None:
    """Java's partitioner and ours agree: a keyed producer of aiokafka puts the account into the same partition."""

    await publisher.send(raw(b"ours", account="ACME Ümlaut 7"))
    producer = AIOKafkaProducer(**environment.kafka.options())
    await producer.start()
    await producer.send_and_wait(environment.topic_prefix + "responses", b"theirs", "ACME Ümlaut 7".encode())
    await producer.stop()
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert len({record.partition for record in found}) == 1
