"""PostgreSQL or Kafka away for half a minute: alerting reports it, keeps running, and resumes its work by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.kafka.producer import Publisher
from shared.topics import SCORE_EVENTS
from tests.chaos.parts import Machine, health, own_machine, stays
from tests.integration.alerting.cases import Case
from tests.support.events import record_of
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.receiver import Receiver, receiving

AWAY_SECONDS = 30
PATIENT = 60

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


@asynccontextmanager
async def alerting(logs: Path) -> AsyncIterator[tuple[Machine, Receiver, Publisher]]:
    """Alerting with an endpoint for opened follow-ups."""
    async with own_machine(logs) as machine, receiving() as receiver:
        await machine.serve("alerting", TELLBACK_ALERTING_ALLOW_NETWORKS="127.0.0.1/32")
        headers = bearer(await api_key(machine.environment, ("read", "manage")))
        body: dict[str, Any] = {"url": receiver.url, "event_types": ["follow_up.opened"]}
        async with httpx.AsyncClient(base_url=machine.urls["alerting"], headers=headers) as client:
            (await client.post("/v1/webhook-endpoints", json=body)).raise_for_status()
        publisher = Publisher(machine.environment.kafka, machine.environment.topic_prefix)
        await publisher.start()
        try:
            yield machine, receiver, publisher
        finally:
            await publisher.stop()


async def unhappy(publisher: Publisher, name: str) -> None:
    """Publish a bad score of a person; repeated until Kafka has it."""

    async def told() -> bool:
        record = record_of(Case(name).answered("r", 2, datetime.now(UTC)), SCORE_EVENTS)
        return not any(await publisher.send_many([record]))

    await eventually(told, PATIENT)


@pytest.mark.parametrize("away", ["postgres", "kafka"])
async def test_work_resumes_without_a_restart(away: str, tmp_path: Path) -> None:
    """While PostgreSQL is stopped readiness fails; while Kafka is, it does not, since reads need only PostgreSQL.
    Liveness holds, and work resumes without a restart."""
    async with alerting(tmp_path) as (machine, receiver, publisher):
        await unhappy(publisher, "before")
        await eventually(lambda: len(receiver.requests) == 1, PATIENT)
        part, service, url = getattr(machine, away), machine.services["alerting"], machine.urls["alerting"]
        pid = service.pid

        part.stop()
        readiness = 503 if away == "postgres" else 200
        await eventually(lambda: health(url, "ready") == readiness, PATIENT)
        if away == "postgres":
            await unhappy(publisher, "meanwhile")
        await stays(AWAY_SECONDS, lambda: health(url, "live") == 200 and health(url, "ready") == readiness)
        assert len(receiver.requests) == 1

        part.start()
        await part.until_ready()
        await eventually(lambda: health(url, "ready") == 200, PATIENT)
        await unhappy(publisher, "after")
        expected = 3 if away == "postgres" else 2
        await eventually(lambda: len(receiver.requests) == expected, PATIENT)
        assert len(set(receiver.ids())) == expected
        assert (service.running, service.pid) == (True, pid)
