"""Collector, scorer and alerting within the test's process, and when all that they were given has come through."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services import alerting, scorer
from services.alerting.app import build as build_alerting
from services.collector.app import build as build_collector
from services.scorer.app import build as build_scorer
from shared.kafka.offsets import log_ranges
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

SCOPES = ("ingest", "read", "act", "manage", "erase")
READERS = (scorer, alerting)
WAITING = """
    select (select count(*) from collector.outbox where published_at is null)
        + (select count(*) from scorer.outbox where published_at is null)
        + (select count(*) from scorer.dirty_accounts)
"""
READ = """
    select 'scorer' as service, topic, partition, next_offset as at from scorer.cursors union all
    select 'alerting', topic, partition, next_offset from alerting.cursors
"""


@dataclass(frozen=True)
class InProcess:
    """Clients of the three services, with a key that may do everything."""

    environment: Environment
    door: httpx.AsyncClient
    figures: httpx.AsyncClient
    tasks: httpx.AsyncClient

    async def settled(self) -> None:
        """Wait until every event is published and read to the end, and no account waits for its figures."""
        await eventually(self._is_settled, 90)

    async def _is_settled(self) -> bool:
        async with connected(self.environment.database_url) as connection:
            if await connection.fetchval(WAITING):
                return False
            read = {(row["service"], row["topic"], row["partition"]): row["at"] for row in await connection.fetch(READ)}
        # Looked at after the cursors: who has read up to here has read all.
        ends = await log_ranges(self.environment.kafka, [(topic, number) for _, topic, number in self._places()])
        for service, topic, number in self._places():
            if read.get((service, topic, number)) != ends[topic, number][1]:
                return False
        return True

    def _places(self) -> Iterator[tuple[str, str, int]]:
        """Service, topic and partition of all that is read."""
        for service in READERS:
            for topic in service.READS:
                for number in range(self.environment.common.partitions):
                    yield service.SCHEMA, self.environment.topic_prefix + topic.name, number

    async def score(self, account_id: str, method: str) -> dict[str, Any]:
        """The figures of an account over all time."""
        asked = {"window": "all", "method": method}
        answer = await self.figures.get(f"/v1/accounts/{account_id}/score", params=asked)
        assert answer.is_success, answer.text
        return dict(answer.json())


@asynccontextmanager
async def in_process(environment: Environment) -> AsyncIterator[InProcess]:
    """The three services for the block."""
    headers = bearer(await api_key(environment, SCOPES))
    common = environment.common
    async with (
        running(build_collector(common)) as door,
        running(build_scorer(common)) as figures,
        running(build_alerting(common)) as tasks,
    ):
        for client in (door, figures, tasks):
            client.headers.update(headers)
        yield InProcess(environment, door, figures, tasks)
