"""The records of the benchmark: answers of 400 days by ten people an account, all recorded now."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.events.envelope import Event
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import RESPONSES
from tests.support.environment import Environment
from tests.support.events import recorded

CHUNK = 5_000
PEOPLE = 10
DAYS = 400
REPEATED = 0.005


def answers(responses: int, accounts: int) -> Iterator[Event]:
    """Deterministic but for ids and the present moment; one in two hundred comes twice."""
    dice, now = random.Random(7), datetime.now(UTC)
    last: Event | None = None
    for _ in range(responses):
        if last is not None and dice.random() < REPEATED:
            yield last
            continue
        last = recorded(
            str(uuid7()),
            f"account-{dice.randrange(accounts)}",
            stakeholder_id=f"person-{dice.randrange(PEOPLE)}@example.com",
            score=dice.randrange(11),
            answered_at=now - timedelta(seconds=dice.randrange(DAYS * 86_400)),
            recorded_at=now,
            comment="Quick help, thank you" if dice.random() < 0.3 else None,
        )
        yield last


async def publish(environment: Environment, responses: int, accounts: int) -> None:
    """Fill the topic `responses` of the environment."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    chunk: list[Record] = []
    for number, event in enumerate(answers(responses, accounts), 1):
        chunk.append(Record.of(RESPONSES, event))
        if len(chunk) == CHUNK or number == responses:
            assert not any(await publisher.send_many(chunk))
            chunk = []
    await publisher.stop()
