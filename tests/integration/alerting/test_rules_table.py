"""The shipped rules in their table: put in place once, following a release, leaving alone what was edited."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.handlers import rules as handler
from services.alerting.handlers.rules import install_default_rules, rules_in_force
from services.alerting.store.rules import add_versions, current_rules
from shared.db.engine import Database
from shared.kafka.connection import KafkaConnection
from tests.integration.alerting.cases import MONDAY
from tests.support.clock import FrozenClock
from tests.support.environment import fresh_environment

CLOCK = FrozenClock(MONDAY)


@pytest.fixture
async def database(kafka: KafkaConnection, postgres_url: str) -> AsyncIterator[Database]:
    """A database without topics: nothing is consumed here."""
    async with fresh_environment(kafka, postgres_url, topics=False) as environment:
        opened = Database(environment.database_url, "alerting", pool_size=2)
        try:
            yield opened
        finally:
            await opened.close()


async def install(database: Database) -> None:
    async with database.write() as tx:
        await install_default_rules(tx, CLOCK)


async def test_an_empty_table_gets_the_shipped_rules_before_anything_is_evaluated(database: Database) -> None:
    async with database.write() as tx:
        assert await rules_in_force(tx, CLOCK) == list(DEFAULT_RULES)


async def test_putting_them_in_place_again_adds_no_version(database: Database) -> None:
    await install(database)
    await install(database)
    async with database.read() as tx:
        assert await tx.scalar("select count(*) from rules") == len(DEFAULT_RULES)
        assert await current_rules(tx) == list(DEFAULT_RULES)


async def test_a_newer_release_replaces_what_nobody_edited(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await install(database)
    detractor, milder = DEFAULT_RULES[0], DEFAULT_RULES[1]
    edited = replace(milder, version=2, severity="medium")
    async with database.write() as tx:
        await add_versions(tx, [edited], MONDAY, "key:abc")
    newer = [replace(rule, severity="low") if rule in (detractor, milder) else rule for rule in DEFAULT_RULES]
    monkeypatch.setattr(handler, "DEFAULT_RULES", newer)
    await install(database)
    async with database.read() as tx:
        first, second, *_ = await current_rules(tx)
    assert (first.severity, first.version) == ("low", 2)
    assert second == edited
