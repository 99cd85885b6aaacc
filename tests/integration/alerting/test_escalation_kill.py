"""Alerting killed while follow-ups escalate, as a real process: every level has fired once, and was told once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
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

ACCOUNTS = 120
LEVELS = 2
ALWAYS = {"BUSINESS_DAYS": "mon-sun", "BUSINESS_HOURS": "00:00-24:00", "ESCALATION_SECONDS": "0.05"}


@pytest.mark.thorough
async def test_kill_9_while_levels_fire_repeats_and_loses_none(
    environment: Environment, tmp_path: Path, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ALWAYS.items():
        monkeypatch.setenv(f"TELLBACK_ALERTING_{name}", value)
    house = Installation(environment, tmp_path, await api_key(environment, SCOPES))
    database = Database(environment.database_url, "alerting", pool_size=1)
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()

    async def fired() -> int:
        async with database.read() as tx:
            return int(await tx.scalar("select count(*) from task_escalations"))

    async def at_least(number: int) -> bool:
        return await fired() >= number

    async with receiving() as crm:
        try:
            house.start("alerting")
            await house.ready("alerting")
            body = {"url": crm.url, "event_types": ["follow_up.escalated"]}
            assert (await house.alerting.post("/v1/webhook-endpoints", json=body)).status_code == 201
            # Given days ago, so that every level is due as soon as the follow-up is there.
            long_ago = datetime.now(UTC) - timedelta(days=5)
            for half in range(2):
                for number in range(ACCOUNTS // 2):
                    event = Case(f"{acme.account_id}-{half}-{number}").answered("r1", 2, long_ago)
                    await publisher.send(record_of(event, SCORE_EVENTS))
                await eventually(partial(at_least, half * ACCOUNTS // 2 * LEVELS + 1), timeout=60)
                house.kill("alerting")
                house.start("alerting")
                await house.ready("alerting")
            wanted = ACCOUNTS * LEVELS
            await eventually(partial(at_least, wanted), timeout=60)
            await eventually(lambda: len(set(crm.ids())) >= wanted, timeout=60)
            assert await fired() == wanted
            assert len(set(crm.ids())) == wanted
            bodies: dict[str, set[bytes]] = {}
            for request in crm.requests:
                bodies.setdefault(request.webhook_id, set()).add(request.body)
            assert Counter(map(len, bodies.values())) == {1: wanted}, "a repeat has the same id and the same bytes"
            async with database.read() as tx:
                lines = await tx.scalar("select count(*) from task_history where action = 'escalated'")
            assert lines == wanted
        finally:
            await house.stop()
            await publisher.stop()
            await database.close()
