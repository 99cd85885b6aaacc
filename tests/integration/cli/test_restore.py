"""`tellback restore`: into an empty database only, all of it or nothing, and never as if no time had passed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.cli.backup.content import BackupError, BackupFolder
from services.cli.backup.log import BEHIND, LOST, OTHER, Log, settle_cursors
from shared.db.engine import Database
from shared.db.migrate import levels, migrate
from shared.db.schemas import PACKAGES, Standing
from shared.errors import Halt
from shared.kafka.admin import Admin
from shared.topics import DIRECTORY, RESPONSES
from tests.support.backups import backed_up, empty_beside, put_back
from tests.support.databases import connected
from tests.support.environment import PARTITIONS, Environment
from tests.support.http import api_key

ODD = 'tab\t, break\n, return\r, back\\slash, \\N, "quotes", \\., umlaut ü'
CHANGED = {
    "collector.outbox": "the directory is published anew",
    "scorer.feed": "a new timeline begins",
    "scorer.snapshots": "sequences begin above it",
    "scorer.dirty_accounts": "scores are published anew",
    "alerting.restores": "nothing leaves",
    "alerting.account_sequences": "messages are numbered above all before",
    "outreach.sending": "nothing leaves",
    "dashboard.sessions": "everybody signs in anew",
}
"""The tables that are not as they were, and why."""
LEFT_OUT = ["changed_xid", "changed_at"]
ROWS = (
    "insert into collector.accounts (account_id, name, record, recorded_at, event_id, renewal_on) values"
    " ('acme', $1, jsonb_build_object('account_id', 'acme', 'name', $1::text), '2026-03-04 05:06:07.123456+00',"
    " gen_random_uuid(), '2027-01-02')",
    "insert into collector.stakeholders (account_id, stakeholder_id, record, recorded_at, event_id) values"
    " ('acme', $1, jsonb_build_object('account_id', 'acme', 'stakeholder_id', 'ada', 'name', $1::text), now(),"
    " gen_random_uuid())",
    "insert into collector.import_files (digest, survey, written_at) values ('\\x00ff5c6e', $1, '-infinity')",
    "insert into scorer.responses (response_id, account_id, stakeholder_id, survey_type, score, comment, answered_at,"
    " recorded_at, nps_kind, updated_at, sent) values ('r1', 'acme', 'ada', 'nps', 9, $1, now(), now(), 'relationship',"
    " now(), array[$1, null, 'NULL', ''])",
    "insert into scorer.snapshots (account_id, sequence, computed_at, account_class, digest) values"
    " ('acme', 41, now(), $1, '\\x01')",
    "insert into scorer.account_counts (score_window, moment, account_id, pairs) values ($1, 'infinity', 'acme', 3)",
    "insert into alerting.account_sequences (account_id, last) values ($1, 7)",
    "insert into dashboard.users (user_id, email, name, role, created_at) values"
    " ('00000000-0000-0000-0000-000000000001', 'ada@example.com', $1, 'admin', now())",
    "insert into dashboard.sessions (token_hash, user_id, created_at, seen_at) values"
    " (convert_to($1, 'utf8'), '00000000-0000-0000-0000-000000000001', now(), now())",
    "insert into dashboard.audit (at, actor, action, subject) values (now(), 'ada', $1, 'x'), (now(), 'b', 'c', 'd')",
)


@pytest.fixture
async def filled(environment: Environment) -> Environment:
    """Rows with odd texts, times, bytes and arrays, and a key."""
    async with connected(environment.database_url) as connection:
        for row in ROWS:
            await connection.execute(row, ODD)
    await api_key(environment, ("read",))
    return environment


@pytest.fixture
async def backup(filled: Environment, tmp_path: Path) -> BackupFolder:
    return await backed_up(filled, tmp_path / "backup")


@pytest.fixture
async def empty(environment: Environment, postgres_url: str) -> AsyncIterator[Environment]:
    async with empty_beside(environment, postgres_url) as found:
        yield found


async def contents(connection: asyncpg.Connection) -> dict[str, list[Any]]:
    """The rows of every table as JSON texts, without what a restore leaves out."""
    found = {}
    tables = await connection.fetch(
        "select schemaname, tablename from pg_tables where schemaname = any($1) order by 1, 2", list(PACKAGES)
    )
    for schema, name in tables:
        statement = f'select to_jsonb(t) - $1::text[] from "{schema}"."{name}" t'  # noqa: S608 - names of ours
        rows = await connection.fetch(statement, LEFT_OUT)
        found[f"{schema}.{name}"] = sorted(row[0] for row in rows)
    return found


async def test_everything_is_back_as_it_was_but_for_what_a_restore_is_about(
    filled: Environment, backup: BackupFolder, empty: Environment
) -> None:
    restored = await put_back(empty, backup)
    async with connected(filled.database_url) as before, connected(empty.database_url) as after:
        found, expected = await contents(after), await contents(before)
        assert {name for name in expected if expected[name] != found[name]} == CHANGED.keys()
        assert found.keys() == expected.keys()
        assert await after.fetchval("select sequence from scorer.snapshots") == restored.timeline > 41
        assert await after.fetchval("select last from alerting.account_sequences") == restored.timeline
        assert await after.fetchval("select timeline from scorer.feed") == restored.timeline
        assert await after.fetchval("select count(*) from dashboard.sessions") == 0
        assert await after.fetchval("select origin from outreach.sending") == ""
        next_id = "insert into dashboard.audit (at, actor, action, subject) values (now(), '', '', '') returning id"
        assert await after.fetchval(next_id) == 3
        horizon = "select bool_and(changed_xid < pg_snapshot_xmin(pg_current_snapshot())) from scorer.responses"
        assert await after.fetchval(horizon)
    assert len(restored.keys) == 1
    assert restored.users == ["ada@example.com"]


async def test_the_directory_is_published_anew_as_it_was(
    filled: Environment, backup: BackupFolder, empty: Environment
) -> None:
    await put_back(empty, backup)
    async with connected(empty.database_url) as connection:
        rows = await connection.fetch("select * from collector.outbox order by id")
        [account, person] = await connection.fetch(
            "select event_id, recorded_at from collector.accounts union all"
            " select event_id, recorded_at from collector.stakeholders"
        )
    assert {row["topic"] for row in rows} == {DIRECTORY.name}
    told = [json.loads(row["value"]) for row in rows]
    assert [(each["event_id"], each["name"]) for each in told] == [
        (str(account["event_id"]), ODD),
        (str(person["event_id"]), ODD),
    ]


async def test_a_second_restore_outranks_the_first(
    environment: Environment, backup: BackupFolder, empty: Environment, postgres_url: str, tmp_path: Path
) -> None:
    first = await put_back(empty, backup)
    again = await backed_up(empty, tmp_path / "again")
    async with empty_beside(environment, postgres_url) as third:
        second = await put_back(third, again)
    async with empty_beside(environment, postgres_url) as fourth:
        same = await put_back(fourth, backup)
    assert first.timeline < second.timeline < same.timeline


async def test_a_database_that_holds_an_installation_is_refused(filled: Environment, backup: BackupFolder) -> None:
    with pytest.raises(BackupError) as refused:
        await put_back(filled, backup)
    assert refused.value.code == "not_empty"


async def test_a_database_that_services_are_connected_to_is_refused(backup: BackupFolder, empty: Environment) -> None:
    service = Database(empty.database_url, "scorer", pool_size=1)
    await service.ping()
    with pytest.raises(BackupError) as refused:
        await put_back(empty, backup)
    await service.close()
    assert refused.value.code == "services_running"


async def test_a_backup_without_its_secret_key_is_refused(
    backup: BackupFolder, empty: Environment, module_environment: Environment
) -> None:
    other = Environment(empty.common.model_copy(update={"secret_keys": module_environment.common.secret_keys}))
    with pytest.raises(BackupError) as refused:
        await put_back(other, backup)
    assert refused.value.code == "secret_key_missing"


async def test_a_backup_of_a_newer_release_is_refused_and_leaves_nothing(
    backup: BackupFolder, empty: Environment
) -> None:
    text = (backup.path / "backup.json").read_text().replace('"scorer_2"', '"scorer_99"')
    (backup.path / "backup.json").write_text(text)
    with pytest.raises(Halt) as refused:
        await put_back(empty, backup)
    assert refused.value.code == "unknown_revision"
    assert await schemas(empty) == {"tellback_restore"}


async def test_an_interrupted_restore_leaves_nothing_that_starts_and_can_be_repeated(
    backup: BackupFolder, empty: Environment
) -> None:
    damaged = backup.path / "tables" / "scorer.snapshots.gz"
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-3])
    with pytest.raises(BackupError):
        await put_back(empty, backup)
    assert await schemas(empty) == {"tellback_restore"}
    for look in (migrate, levels):
        with pytest.raises(Halt) as refused:
            await look(empty.database_url)
        assert refused.value.code == "restore_unfinished"
    damaged.write_bytes(content)
    await put_back(empty, backup)
    assert all(level.standing is Standing.CURRENT for level in await levels(empty.database_url))


async def test_a_backup_of_an_older_revision_is_migrated_to_this_release(
    environment: Environment, tmp_path: Path, postgres_url: str
) -> None:
    async with empty_beside(environment, postgres_url) as older, empty_beside(environment, postgres_url) as newer:
        await migrate(older.database_url)
        async with connected(older.database_url) as connection:
            await connection.execute("drop schema analytics cascade")
            await connection.execute("update scorer.schema_version set revision = 'scorer_1'")
        await put_back(newer, await backed_up(older, tmp_path / "older"))
        assert all(level.standing is Standing.CURRENT for level in await levels(newer.database_url))
        async with connected(newer.database_url) as connection:
            await connection.fetch("select * from analytics.responses")


async def test_keys_are_revoked_where_that_is_wanted(backup: BackupFolder, empty: Environment) -> None:
    restored = await put_back(empty, backup, revoke_keys=True)
    assert restored.keys
    async with connected(empty.database_url) as connection:
        assert await connection.fetchval("select count(*) from access.api_keys where revoked_at is null") == 0


async def test_cursors_go_on_where_the_log_is_the_same_and_to_its_beginning_where_it_is_shorter(
    filled: Environment, tmp_path: Path, empty: Environment
) -> None:
    topic = filled.topic_prefix + RESPONSES.name
    async with Admin.connected(filled.kafka, filled.topic_prefix) as admin:
        cluster = await admin.cluster_id()
    await with_cursors(filled, cluster, {(topic, 0): 0, (topic, 1): 5, (topic, 2): 0})
    restored = await put_back(empty, await backed_up(filled, tmp_path / "other"))
    assert [(moved.partition, moved.why, moved.records) for moved in restored.moved] == [(1, BEHIND, 5)]
    assert await positions(empty) == {(topic, 0): 0, (topic, 1): 0, (topic, 2): 0}


async def test_records_that_the_log_has_lost_are_named_and_wait_for_the_operator(
    filled: Environment, tmp_path: Path, empty: Environment
) -> None:
    topic = filled.topic_prefix + RESPONSES.name
    await with_cursors(filled, None, {(topic, number): 3 for number in range(PARTITIONS)})
    log = Log("here", filled.topic_prefix, {(topic, number): (10, 20) for number in range(PARTITIONS)})
    await put_back(empty, await backed_up(filled, tmp_path / "other"))
    database = Database(empty.database_url, "scorer", pool_size=1)
    async with database.write() as tx:
        await tx.execute("update cursors set next_offset = 3")
        moved = await settle_cursors(tx, "scorer", [RESPONSES.name], log, filled.topic_prefix)
    await database.close()
    assert [(each.why, each.records) for each in moved] == [(LOST, 7)] * PARTITIONS
    assert set((await positions(empty)).values()) == {3}


@pytest.mark.parametrize("partitions", [3, 5, 2])
async def test_another_log_is_read_from_its_beginning_whatever_its_partitions(
    filled: Environment, tmp_path: Path, empty: Environment, partitions: int
) -> None:
    topic = filled.topic_prefix + RESPONSES.name
    await with_cursors(filled, "another cluster", {(topic, number): 7 for number in range(3)})
    backup = await backed_up(filled, tmp_path / "other")
    prefix = f"{filled.topic_prefix}{partitions}."
    other = Environment(empty.common.model_copy(update={"topic_prefix": prefix, "partitions": partitions}))
    try:
        restored = await put_back(other, backup)
    finally:
        async with Admin.connected(filled.kafka, prefix) as admin:
            await admin.delete()
    assert {moved.why for moved in restored.moved} == {OTHER}
    of_responses = {place: at for place, at in (await positions(other)).items() if "responses" in place[0]}
    assert of_responses == {(prefix + RESPONSES.name, number): 0 for number in range(partitions)}
    async with connected(other.database_url) as connection:
        counted = await connection.fetchval("select sum(new_count) from scorer.cursors where topic like '%responses'")
        assert counted == await connection.fetchval("select count(*) from scorer.responses")


async def with_cursors(environment: Environment, cluster: str | None, offsets: dict[tuple[str, int], int]) -> None:
    async with connected(environment.database_url) as connection:
        for (topic, number), offset in offsets.items():
            await connection.execute(
                "insert into scorer.cursors (topic, partition, next_offset, cluster_id) values ($1, $2, $3, $4)",
                topic,
                number,
                offset,
                cluster,
            )


async def positions(environment: Environment) -> dict[tuple[str, int], int]:
    async with connected(environment.database_url) as connection:
        rows = await connection.fetch("select topic, partition, next_offset from scorer.cursors")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def schemas(environment: Environment) -> set[str]:
    """The schemas of ours in the database."""
    async with connected(environment.database_url) as connection:
        rows = await connection.fetch(
            "select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('public',"
            " 'information_schema')"
        )
    return {row["nspname"] for row in rows}
