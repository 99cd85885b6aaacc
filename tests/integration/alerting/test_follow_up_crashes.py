"""Alerting killed in the middle of its work, as a real process: every trigger has its one follow-up and its message."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from shared.db.engine import Database
from shared.kafka.producer import Publisher
from shared.topics import SCORE_EVENTS
from tests.integration.alerting.cases import Case
from tests.support.environment import Environment
from tests.support.events import record_of
from tests.support.http import api_key
from tests.support.installation import SCOPES, Installation
from tests.support.polling import eventually
from tests.support.receiver import receiving

PEOPLE = 150
ROUNDS = 2


@pytest.mark.slow
async def test_kill_9_in_the_middle_leaves_one_follow_up_and_one_message_a_trigger(
    environment: Environment, tmp_path: Path, acme: Case
) -> None:
    """Given a restart in the middle of a batch, then one task and one message for each event."""
    house = Installation(environment, tmp_path, await api_key(environment, SCOPES))
    database = Database(environment.database_url, "alerting", pool_size=1)
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()

    async def tasks() -> int:
        async with database.read() as tx:
            return int(await tx.scalar("select count(*) from tasks"))

    async def there_are(number: int) -> bool:
        return await tasks() >= number

    async with receiving() as crm:
        try:
            house.start("alerting")
            await house.ready("alerting")
            body = {"url": crm.url, "event_types": ["follow_up.opened"]}
            assert (await house.alerting.post("/v1/webhook-endpoints", json=body)).status_code == 201
            for number in range(ROUNDS):
                cases = [Case(f"{acme.account_id}-{number}-{person}") for person in range(PEOPLE)]
                events = [case.answered("r1", 2, datetime.now(UTC)) for case in cases]
                for event in events + events[: PEOPLE // 2]:
                    await publisher.send(record_of(event, SCORE_EVENTS))
                await eventually(partial(there_are, number * PEOPLE + 1), timeout=30)
                house.kill("alerting")
                house.start("alerting")
                await house.ready("alerting")
            wanted = PEOPLE * ROUNDS
            await eventually(partial(there_are, wanted), timeout=60)
            await eventually(lambda: len(set(crm.ids())) >= wanted, timeout=60)
            assert await tasks() == wanted
            assert len(set(crm.ids())) == wanted
            bodies: dict[str, set[bytes]] = {}
            for request in crm.requests:
                bodies.setdefault(request.webhook_id, set()).add(request.body)
            assert Counter(map(len, bodies.values())) == {1: wanted}, "a repeat has the same id and the same bytes"
        finally:
            await house.stop()
            await publisher.stop()
            await database.close()
