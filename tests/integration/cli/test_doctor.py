"""The doctor finds what was made wrong on purpose, and says what to do; reconcile finds what does not add up."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.cli.checks import Check, State, secret_keys, state, webhooks
from services.cli.reconcile import read_lines
from shared.kafka.admin import Admin
from shared.topics import RESPONSES, SCORE_EVENTS
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.polling import eventually


async def change(environment: Environment, statement: str) -> None:
    connection = await asyncpg.connect(environment.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def named(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


async def test_all_is_well_with_a_fresh_environment(environment: Environment) -> None:
    checks = [
        *await state.database(environment.common),
        *await state.kafka(environment.common),
        *await state.reading(environment.common, "scorer"),
        *await webhooks.endpoints(environment.common),
        *await secret_keys.ring(environment.common),
    ]
    # The PostgreSQL of a test run forgoes fsync, and the doctor says so.
    assert {check.name for check in checks if check.state is not State.OK} <= {"durability"}
    assert {"database", "durability", "migrations", "kafka", "topics", "scorer: outbox"} <= {c.name for c in checks}


async def test_commits_that_may_be_lost_are_found(environment: Environment) -> None:
    await change(environment, f"alter database {environment.database} set synchronous_commit = off")
    found = named(await state.database(environment.common), "durability")
    assert found.state is State.FAILED
    assert "synchronous_commit=off" in found.found


@pytest.mark.parametrize(("seconds", "found"), [(90, "ahead of the database's"), (-90, "behind the database's")])
async def test_a_clock_that_has_jumped_is_found(environment: Environment, seconds: int, found: str) -> None:
    jumped = FrozenClock(datetime.now(UTC) + timedelta(seconds=seconds))
    check = named(await state.database(environment.common, jumped), "clock")
    assert (check.state, check.found.partition(" s ")[2]) == (State.FAILED, found)
    assert "NTP" in check.fix


async def test_a_schema_that_is_behind_is_found(environment: Environment) -> None:
    await change(environment, "delete from scorer.schema_version")
    found = named(await state.database(environment.common), "migrations")
    assert (found.state, found.fix) == (State.FAILED, "run `tellback migrate`")
    assert "scorer is at nothing" in found.found


async def test_a_schema_of_a_newer_release_is_well_where_this_one_works_with_it(environment: Environment) -> None:
    await change(environment, "update scorer.schema_version set revision = 'scorer_99'")
    found = named(await state.database(environment.common), "migrations")
    assert found.state is State.OK
    assert "scorer is at scorer_99, this release knows it up to scorer_2" in found.found
    assert "this one works with it" in found.found


async def test_a_schema_of_a_newer_release_that_this_one_does_not_work_with_is_found(environment: Environment) -> None:
    await change(environment, "update scorer.schema_version set revision = 'scorer_99', compatible_since = 'scorer_98'")
    found = named(await state.database(environment.common), "migrations")
    assert found.state is State.FAILED
    assert "scorer is at scorer_99" in found.found
    assert "run the release that migrated it" in found.fix


async def test_a_missing_topic_is_found(environment: Environment) -> None:
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await admin.delete([SCORE_EVENTS])

    async def missing() -> bool:  # the broker deletes with a delay
        found = named(await state.kafka(environment.common), "topics")
        return found.state is State.FAILED and f"missing: {environment.topic_prefix}score-events" in found.found

    await eventually(missing, timeout=60)


async def test_a_password_that_leaves_the_machine_in_the_clear_is_a_warning(environment: Environment) -> None:
    """Every host but this machine's is named; the brokers that answer are this machine's."""
    servers = f"{environment.kafka.bootstrap_servers},kafka.example:9092,[2001:db8::1]:9092,[::1]:9092,localhost:9092"
    common = environment.common.model_copy(update={"kafka_bootstrap_servers": servers})
    found = named(await state.kafka(common), "kafka: encryption")
    assert found.state is State.WARNING
    assert "go to 2001:db8::1, kafka.example without encryption" in found.found
    assert "kafka: encryption" not in {check.name for check in await state.kafka(environment.common)}


async def test_a_cursor_beyond_the_log_is_found(environment: Environment) -> None:
    await change(environment, cursor(environment, next_offset=999))
    found = named(await state.reading(environment.common, "scorer"), "scorer: reading")
    assert found.state is State.FAILED
    assert "responses/0 at 999, log 0 to 0" in found.found


async def test_another_kafka_than_the_one_that_was_read_is_found(environment: Environment) -> None:
    await change(environment, cursor(environment, next_offset=0))
    await change(environment, "update scorer.cursors set cluster_id = 'lost'")
    found = named(await state.reading(environment.common, "scorer"), "scorer: reading")
    assert found.state is State.FAILED
    assert "another cluster than the one read so far (lost)" in found.found
    assert "`tellback replay scorer`" in found.fix


async def test_dead_letters_are_a_warning(environment: Environment) -> None:
    await change(
        environment,
        "insert into scorer.parked (id, kind, reason, topic, partition, record_offset, headers)"
        " values (gen_random_uuid(), 'dead_letter', 'invalid_event', 'responses', 0, 7, '\\x00')",
    )
    found = named(await state.reading(environment.common, "scorer"), "scorer: parked")
    assert (found.state, found.found) == (State.WARNING, "1 dead letters, 0 conflicts, 0 records that are tried again")


async def test_events_that_do_not_leave_are_found(environment: Environment) -> None:
    await change(
        environment,
        "insert into scorer.outbox (topic, account_id, record_key, headers, created_at)"
        " values ('score-events', 'acme', 'acme', '\\x00', now() - interval '5 minutes')",
    )
    found = named(await state.reading(environment.common, "scorer"), "scorer: outbox")
    assert found.state is State.FAILED
    assert "1 events wait" in found.found


async def test_endpoints_that_get_nothing_are_listed(environment: Environment) -> None:
    await change(
        environment,
        "insert into alerting.webhook_endpoints (endpoint_id, url, status, disabled_reason, breaker_opened_at,"
        " created_by, created_at, updated_at)"
        " select id, 'https://crm.example/', status, reason, opened, 'test', now(), now() from (values"
        " ('we_gone', 'disabled', 'gone', null), ('we_broken', 'enabled', null, now()),"
        " ('we_well', 'enabled', null, null), ('we_past', 'deleted', null, null)) as rows (id, status, reason, opened)",
    )
    (found,) = await webhooks.endpoints(environment.common)
    assert (found.state, found.found) == (State.WARNING, "we_gone is disabled (answered 410); we_broken fails")


async def test_a_database_that_is_away_is_named_as_such(environment: Environment) -> None:
    away = environment.common.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:9/none"})
    (found,) = await state.database(away)
    assert (found.name, found.state) == ("database", State.FAILED)


@pytest.mark.parametrize(
    ("read", "new", "faults"),
    [
        pytest.param(2, 2, ["new ≠ stored"], id="a row is missing"),
        pytest.param(1, 0, ["read ≠ sum of outcomes"], id="a record is in no outcome"),
        pytest.param(0, 0, [], id="nothing read"),
    ],
)
async def test_reconcile_finds_what_does_not_add_up(
    environment: Environment, read: int, new: int, faults: list[str]
) -> None:
    await change(environment, cursor(environment, next_offset=read, read_count=read, new_count=new))
    lines = await read_lines(environment.common, ["scorer"])
    assert [(line.topic, line.stored, line.faults) for line in lines] == [("responses", 0, faults)]


def cursor(environment: Environment, **columns: int) -> str:
    names, values = ", ".join(columns), ", ".join(str(value) for value in columns.values())
    topic = environment.topic_prefix + RESPONSES.name
    return f"insert into scorer.cursors (topic, partition, {names}) values ('{topic}', 0, {values})"  # noqa: S608
