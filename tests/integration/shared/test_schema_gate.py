"""A service on a schema that does not fit stays up and says so, does nothing, and goes on once the schema fits."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from services.scorer.app import build
from shared.db import schema_gate
from shared.kafka.producer import Publisher
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.events import record_of, recorded
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

READY, SCORE = "/health/ready", "/v1/accounts/acme/score"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once."""
    monkeypatch.setattr(schema_gate, "CLOSED_SECONDS", 0.05)
    monkeypatch.setattr(schema_gate, "OPEN_SECONDS", 0.05)


@contextlib.asynccontextmanager
async def scorer(environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    async with running(build(environment.common)) as client:
        client.headers.update(bearer(await api_key(environment, ["read"])))
        yield client


async def at(environment: Environment, revision: str, compatible_since: str = "scorer_1") -> None:
    """Let the scorer's schema say that it is at this revision."""
    async with connected(environment.database_url) as connection:
        await connection.execute(
            "update scorer.schema_version set revision = $1, compatible_since = $2", revision, compatible_since
        )


async def why_not_ready(client: httpx.AsyncClient) -> str:
    """The reason of the health check; empty where the service is ready."""
    answer = await client.get(READY)
    reason = answer.json()["checks"][0]["reason"]
    assert (answer.status_code == 503) is bool(reason)
    return str(reason or "")


async def halted(client: httpx.AsyncClient, reason: str) -> float | None:
    """What the metric of halts says for a reason."""
    for line in (await client.get("/metrics")).text.splitlines():
        if line.startswith(f'tellback_halted{{reason="{reason}"}}'):
            return float(line.rpartition(" ")[2])
    return None


async def test_a_schema_that_is_behind_is_waited_for_by_name_and_nothing_is_read_meanwhile(
    environment: Environment,
) -> None:
    publisher = Publisher(environment.kafka, environment.topic_prefix, client_id="test")
    await publisher.start()
    await publisher.send_many([record_of(recorded("first"))])
    await publisher.stop()
    await at(environment, "scorer_1")
    async with connected(environment.database_url) as connection, scorer(environment) as client:
        said = "the schema of scorer is at scorer_1, this version needs scorer_2: run `tellback migrate`"
        assert await why_not_ready(client) == said
        assert (await client.get(READY)).json()["remarks"] == [f"halted: schema_behind: {said}"]
        assert (await client.get("/health/live")).is_success
        assert await halted(client, "schema_behind") == 1
        refused = await client.get(SCORE)
        assert (refused.status_code, refused.json()["code"]) == (503, "schema_behind")
        assert "scorer_1" not in refused.text, "callers are not told of revisions"
        assert await connection.fetchval("select count(*) from scorer.cursors") == 0, "no partition was claimed"
        await at(environment, "scorer_2")

        async def reads() -> bool:
            return bool(await connection.fetchval("select count(*) from scorer.responses"))

        await eventually(reads, 30)
        assert await why_not_ready(client) == ""
        assert await halted(client, "schema_behind") == 0
        assert (await client.get(SCORE)).is_success


async def test_an_empty_database_is_behind(environment: Environment) -> None:
    async with connected(environment.database_url) as connection:
        await connection.execute("delete from access.schema_version")
    async with scorer(environment) as client:
        assert "the schema of access is at nothing, this version needs access_1" in await why_not_ready(client)


async def test_a_schema_that_is_ahead_and_compatible_is_worked_on(environment: Environment) -> None:
    await at(environment, "scorer_99", compatible_since="scorer_2")
    async with scorer(environment) as client:
        assert await why_not_ready(client) == ""
        assert (await client.get(SCORE)).status_code == 404


async def test_a_schema_that_is_ahead_and_not_compatible_is_not_worked_on_by_name(environment: Environment) -> None:
    await at(environment, "scorer_99", compatible_since="scorer_98")
    async with scorer(environment) as client:
        assert "the schema of scorer is at scorer_99, and this version" in await why_not_ready(client)
        assert await halted(client, "schema_ahead") == 1
        assert (await client.get(SCORE)).json()["code"] == "schema_ahead"


async def test_a_service_at_work_says_that_a_newer_release_has_taken_the_schema_away(environment: Environment) -> None:
    async with scorer(environment) as client:
        assert await why_not_ready(client) == ""
        await at(environment, "scorer_99", compatible_since="scorer_98")
        await eventually(lambda: why_not_ready(client))
        await at(environment, "scorer_2")

        async def ready() -> bool:
            return await why_not_ready(client) == ""

        await eventually(ready)


async def test_a_schema_of_a_build_that_noted_less_is_worked_on(environment: Environment) -> None:
    async with connected(environment.database_url) as connection:
        await connection.execute("alter table scorer.schema_version rename revision to version_num")
        await connection.execute("alter table scorer.schema_version drop column compatible_since")
    async with scorer(environment) as client:
        assert await why_not_ready(client) == ""
