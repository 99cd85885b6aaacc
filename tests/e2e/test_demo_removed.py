"""The demo is played beside answers of one's own and removed again: nothing of it is left in any service, and every
figure is as it was before."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.cli.demo.cast import CLIENTS, COMMENTS, OWNERS
from services.dashboard.handlers import demo
from shared.demo import ATTRIBUTE, SURVEYS
from shared.http.client import Api, Services
from shared.kafka.connection import KafkaConnection
from shared.topics import BY_NAME
from tests.support.dashboard import dashboard_of, ran
from tests.support.environment import Environment, fresh_environment
from tests.support.events import topic_records
from tests.support.installation import SERVICES, Installation, installed
from tests.support.polling import eventually
from tests.support.words import places_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OWN = "quarry"
COMMENT = "Good people, late lorries."
IDS = tuple(client.account_id for client in CLIENTS)
TRACES = (
    *(client.name for client in CLIENTS if client.name.lower() != client.account_id),
    *(f"@{account_id}.example" for account_id in IDS),
    *(comment for comments in COMMENTS.values() for comment in comments),
    *(email for _, email in OWNERS),
    *(ATTRIBUTE, SURVEYS, "Asked for the new price list."),
)
FIGURES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("scorer", "/v1/portfolio/score", {"window": "all", "method": "all"}),
    ("scorer", "/v1/portfolio/score", {"window": "90d", "group_by": "industry"}),
    ("scorer", "/v1/portfolio/funnel", {"window": "all"}),
    ("scorer", "/v1/portfolio/coverage", {"window": "all"}),
    ("scorer", "/v1/accounts", {"window": "all", "trend": "12"}),
    ("scorer", "/v1/stakeholders", {}),
    ("scorer", "/v1/responses", {}),
    ("alerting", "/v1/follow-ups", {"state": demo.ANY_STATE}),
    ("alerting", "/v1/follow-ups/summary", {}),
    ("benchmark", "/v1/comparisons/portfolio", {"window": "all"}),
    ("outreach", "/v1/surveys", {}),
    ("outreach", "/v1/asks", {}),
    ("outreach", "/v1/business-reviews", {}),
)
MOMENTS = frozenset({"as_of", "from", "to", "computed_at", "generated_at", "through"})
"""What another moment of asking makes different."""


@pytest.fixture
async def house(kafka: KafkaConnection, postgres_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with (
        fresh_environment(kafka, postgres_url) as environment,
        installed(environment, tmp_path) as installation,
    ):
        yield installation


def without_moments(value: Any) -> Any:
    """A JSON value without what follows from when it was asked for."""
    match value:
        case list():
            return [without_moments(item) for item in value]
        case dict():
            return {key: without_moments(item) for key, item in value.items() if key not in MOMENTS}
    return value


async def figures(house: Installation) -> list[Any]:
    return [without_moments(await house.get(service, path, **asked)) for service, path, asked in FIGURES]


async def bring_own(house: Installation) -> None:
    """An account of one's own with an unhappy person, whose follow-up is open."""
    record = {"name": "Quarry Stone", "industry": "logistics", "tier": "key"}
    assert (await house.collector.put(f"/v1/accounts/{OWN}", json=record)).is_success
    moment = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for number, score in enumerate((2, 9, 10)):
        answer = {"account_id": OWN, "email": f"own{number}@quarry.example", "survey_type": "nps", "score": score}
        answer |= {"answered_at": moment, "comment": COMMENT, "response_id": f"own-{number}"}
        assert (await house.collector.post("/v1/responses", json=answer)).status_code == 202

    async def heard() -> bool:
        tasks = (await house.get("alerting", "/v1/follow-ups", account_id=OWN))["items"]
        counted = await house.get("benchmark", "/v1/comparisons/portfolio", window="all")
        return bool(tasks and counted)

    await eventually(heard, timeout=40)


async def test_the_demo_goes_and_leaves_every_figure_as_it_was(house: Installation, tmp_path: Path) -> None:
    await bring_own(house)
    before = await figures(house)
    async with dashboard_of(house, tmp_path) as dashboard:
        await ran(("demo",), tmp_path / "demo.log", dashboard.variables)
    urls: Any = {service: house.url(service) for service in SERVICES}
    services = Services(urls)
    try:
        api = Api(services, house.key)
        there = await demo.look(api)
        assert {account.account_id for account in there.accounts} == set(IDS)
        assert min(there.people, there.answers, there.follow_ups) > len(IDS)
        assert len(there.surveys) == 2
        assert await demo.has_demo(api)
        told: list[tuple[int, int]] = []
        assert await demo.remove(api, lambda done, of: told.append((done, of))) == len(IDS)
        assert told == [(done, len(IDS)) for done in range(len(IDS) + 1)]
        assert not await demo.has_demo(api)
        await eventually(lambda: nothing_is_left(house, before), timeout=60)
        # Whatever is read once more, as after a restore, brings nothing back.
        await house.repeat_everything()
        ends = await ends_of(house.environment)
        await eventually(lambda: has_read(house.environment, ends), timeout=90)
        await eventually(lambda: nothing_is_left(house, before), timeout=60)
    finally:
        await services.close()


async def nothing_is_left(house: Installation, before: list[Any]) -> bool:
    assert sorted(await left_of(house.environment)) == []
    assert await figures(house) == before
    return True


async def ends_of(environment: Environment) -> dict[tuple[str, int], int]:
    """Where each partition ends: (topic, partition) → the next offset."""
    ends: dict[tuple[str, int], int] = {}
    for topic in BY_NAME.values():
        for record in await topic_records(environment.kafka, environment.topic_prefix + topic.name):
            ends[record.topic, record.partition] = record.offset + 1
    return ends


async def has_read(environment: Environment, ends: dict[tuple[str, int], int]) -> bool:
    """Whether every service has read what it reads up to these ends."""
    connection = await asyncpg.connect(environment.database_url)
    try:
        for service in ("scorer", "alerting", "benchmark", "outreach"):
            rows = await connection.fetch(f"select topic, partition, next_offset from {service}.cursors")  # noqa: S608
            assert rows
            for topic, partition, next_offset in rows:
                assert next_offset >= ends.get((topic, partition), 0), (service, topic)
    finally:
        await connection.close()
    return True


async def left_of(environment: Environment) -> set[str]:
    """The columns with traces of the demo, but for published rows of outboxes, which stay an hour."""
    found = await places_of(environment.database_url, TRACES)
    return {place for place in found if ".outbox." not in place}
