"""Outreach on a real Kafka: what the collector publishes is known, and what nobody needs is passed over."""

from datetime import timedelta

import pytest

from shared.events.context import ContextRecorded
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import CONTEXT_EVENTS, CONTEXT_RECORDED, DIRECTORY, INVITATIONS, RESPONSES, Topic
from tests.support.environment import Environment
from tests.support.outreach import DAY, NOW, Asking, account, answer_to, asking, invited, person
from tests.support.polling import eventually


async def publish(environment: Environment, *records: tuple[Topic, Event]) -> None:
    """Put events on their topics, in this order."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        await publisher.send_many([Record.of(topic, event) for topic, event in records])
    finally:
        await publisher.stop()


def context() -> Event:
    """A mark on the trend of an account."""
    data = ContextRecorded(
        event_id=uuid7(), account_id="acme", kind="incident", at=NOW, label="Outage", recorded_at=NOW
    )
    return Event(data.event_id, CONTEXT_RECORDED, "/tests", NOW, "acme", data)


async def read(desk: Asking) -> dict[str, int]:
    """How many records of each topic were read, and that none is a dead letter."""
    async with desk.database.read() as tx:
        assert await tx.scalar("select count(*) from parked") == 0
        rows = await tx.rows("select topic, cast(sum(read_count) as int) from cursors group by topic")
    prefix = desk.environment.topic_prefix
    return {topic.removeprefix(prefix): count for topic, count in rows if count}


@pytest.mark.parametrize("erased", [False, True])
async def test_c1_outreach_reads_four_topics(environment: Environment, erased: bool) -> None:
    async with asking(environment) as desk:
        await desk.survey()
        await publish(environment, (DIRECTORY, account()), (DIRECTORY, person()))
        await eventually(lambda: desk.rows("stakeholders"))
        ask_id = (await desk.link())["invitation_id"]
        at = NOW + timedelta(hours=1)
        wanted = [
            (RESPONSES, answer_to(ask_id, at)),
            (INVITATIONS, invited("sent", NOW, ask_id)),
            (CONTEXT_EVENTS, context()),
        ]
        await publish(environment, *wanted)

        async def answered() -> bool:
            return bool((await desk.get(f"/v1/asks/{ask_id}"))["outcome"] == "answered")

        await eventually(answered)
        counts = {"directory": 2, "responses": 1, "invitations": 1, "context-events": 1}

        async def everything() -> bool:
            return await read(desk) == counts

        await eventually(everything)
        if erased:
            desk.clock.advance(DAY)
            erasure = desk.erasure_of()
            await publish(environment, (RESPONSES, erasure), (RESPONSES, answer_to(ask_id, at)))
            counts["responses"] = 3
            await eventually(everything)
            for table in ("asks", "answers", "outgoing", "stakeholders"):
                assert await desk.rows(table) == []
