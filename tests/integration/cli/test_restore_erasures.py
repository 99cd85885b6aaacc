"""`tellback restore --erasures`: who was erased after the backup is erased again, wherever the backup
has them, and once."""

import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.cli.backup.content import BackupError, BackupFolder
from services.cli.backup.erasures import read_journal, write_journal
from services.collector.handlers.directory import Change, change_record
from services.collector.handlers.erasure import Erasing, erase, erase_account
from services.collector.store.erasures import Entry
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.erasure import subject_by, subjects_by
from shared.ids import uuid7
from shared.key_ring import retired
from shared.topics import RESPONSES
from tests.support.backups import backed_up, empty_beside, put_back
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.events import record_of, recorded


@pytest.fixture
async def filled(environment: Environment) -> Environment:
    """An account with a person."""
    await put(environment, "acme", None)
    await put(environment, "acme", "ada")
    return environment


@pytest.fixture
async def backup(filled: Environment, tmp_path: Path) -> BackupFolder:
    return await backed_up(filled, tmp_path / "backup")


@pytest.fixture
async def empty(environment: Environment, postgres_url: str) -> AsyncIterator[Environment]:
    async with empty_beside(environment, postgres_url) as found:
        yield found


async def put(environment: Environment, account_id: str, stakeholder_id: str | None, **members: object) -> None:
    database = Database(environment.database_url, "collector", pool_size=1)
    async with database.write() as tx:
        change = Change(account_id, stakeholder_id, {"name": "x", **members})
        await change_record(tx, change, datetime.now(UTC))
    await database.close()


async def erase_person(environment: Environment, account_id: str, *ids: str) -> None:
    subject = subject_by(environment.common.secret_key.get_secret_value())
    database = Database(environment.database_url, "collector", pool_size=1)
    async with database.write() as tx:
        for stakeholder_id in ids:
            await erase(tx, Erasing(account_id, stakeholder_id, None), datetime.now(UTC), subject)
    await database.close()


async def erase_all_of(environment: Environment, account_id: str) -> None:
    database = Database(environment.database_url, "collector", pool_size=1)
    async with database.write() as tx:
        await erase_account(tx, account_id, datetime.now(UTC), None)
    await database.close()


async def journal_of(environment: Environment, file: Path) -> list[Entry]:
    await write_journal(environment.common, file)
    return read_journal(file)


async def names(environment: Environment) -> list[tuple[str, str]]:
    """Accounts and people that are in the directory, as (account_id, stakeholder_id or '')."""
    async with connected(environment.database_url) as connection:
        rows = await connection.fetch(
            "select account_id, '' from collector.accounts where not removed union all"
            " select account_id, stakeholder_id from collector.stakeholders where not removed order by 1, 2"
        )
    return [(row[0], row[1]) for row in rows]


async def test_the_journal_erases_people_and_accounts_again(
    filled: Environment, backup: BackupFolder, empty: Environment, tmp_path: Path
) -> None:
    await erase_person(filled, "acme", "ada")
    await erase_all_of(filled, "acme")
    file = tmp_path / "erasures.json"
    entries = await journal_of(filled, file)
    assert len(entries) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "ada" not in file.read_text()
    restored = await put_back(empty, backup, entries)
    assert restored.erased == 2
    async with connected(empty.database_url) as connection:
        assert await connection.fetchval("select count(*) from collector.stakeholders") == 0
        assert await connection.fetchval("select removed from collector.accounts where account_id = 'acme'")
        hidden = "select stakeholder_id from scorer.erasures where applied_at is null"
        assert await connection.fetchval(hidden) == "ada"
        receipts = await connection.fetch("select receipt_id from collector.erasures")
    assert {entry.receipt_id for entry in entries} <= {row["receipt_id"] for row in receipts}


async def test_who_came_back_since_is_not_erased_by_the_same_journal(
    filled: Environment, backup: BackupFolder, empty: Environment, tmp_path: Path, postgres_url: str
) -> None:
    await erase_person(filled, "acme", "ada")
    await erase_all_of(filled, "acme")
    entries = await journal_of(filled, tmp_path / "erasures.json")
    assert (await put_back(empty, backup, entries)).erased == 2
    assert await names(empty) == []
    await put(empty, "acme", None)
    await put(empty, "acme", "ada")
    again = await backed_up(empty, tmp_path / "again")
    async with empty_beside(empty, postgres_url) as third:
        assert (await put_back(third, again, entries)).erased == 0
        assert await names(third) == [("acme", ""), ("acme", "ada")]
    later = await journal_of(empty, tmp_path / "later.json")
    async with empty_beside(empty, postgres_url) as fourth:
        assert (await put_back(fourth, backup, later)).erased == 2, "the journal after a restore serves older backups"
        assert await names(fourth) == []


async def test_who_is_found_by_several_ids_is_erased_once(
    filled: Environment, empty: Environment, tmp_path: Path
) -> None:
    await put(filled, "acme", "bob", email="bob@acme.example")
    backup = await backed_up(filled, tmp_path / "other")
    await erase_person(filled, "acme", "bob@acme.example")
    entries = await journal_of(filled, tmp_path / "erasures.json")
    assert len(entries) == 2
    assert (await put_back(empty, backup, entries)).erased == 1
    assert await names(empty) == [("acme", ""), ("acme", "ada")]


async def test_people_whom_only_a_waiting_record_names_are_erased_as_well(
    filled: Environment, empty: Environment, tmp_path: Path
) -> None:
    await wait_in_outbox(filled, "bob@acme.example", "dot@acme.example")
    await wait_in_parked(filled, "cid@acme.example")
    backup = await backed_up(filled, tmp_path / "other")
    await erase_person(filled, "acme", "bob@acme.example", "cid@acme.example")
    entries = await journal_of(filled, tmp_path / "erasures.json")
    assert (await put_back(empty, backup, entries)).erased == 2
    async with connected(empty.database_url) as connection:
        told = "select convert_from(value, 'utf8') from collector.outbox where topic = 'responses'"
        waiting = [row[0] for row in await connection.fetch(told)]
        hidden = await connection.fetch("select stakeholder_id from scorer.erasures where applied_at is null")
    assert [text for text in waiting if "bob" in text and "receipt_id" not in text] == []
    assert len([text for text in waiting if "dot" in text]) == 1
    assert {row[0] for row in hidden} == {"bob@acme.example", "cid@acme.example"}


async def test_files_that_may_name_the_erased_go(
    filled: Environment, empty: Environment, tmp_path: Path, postgres_url: str
) -> None:
    async with connected(filled.database_url) as connection:
        await connection.execute(
            "insert into collector.import_drafts (draft_id, kind, file_name, created_by, created_at)"
            " values (gen_random_uuid(), 'responses', 'x.csv', 'me', now())"
        )
    backup = await backed_up(filled, tmp_path / "other")
    await erase_person(filled, "acme", "ada")
    entries = await journal_of(filled, tmp_path / "erasures.json")
    await put_back(empty, backup)
    assert await drafts(empty) == 1
    async with empty_beside(empty, postgres_url) as third:
        await put_back(third, backup, entries)
        assert await drafts(third) == 0


async def drafts(environment: Environment) -> int:
    async with connected(environment.database_url) as connection:
        count: int = await connection.fetchval("select count(*) from collector.import_drafts")
    return count


async def wait_in_outbox(environment: Environment, *people: str) -> None:
    """Answers that were taken while Kafka was away."""
    database = Database(environment.database_url, "collector", pool_size=1)
    async with database.write() as tx:
        for person in people:
            await tx.emit(RESPONSES, recorded(person, stakeholder_id=person))
    await database.close()


async def wait_in_parked(environment: Environment, person: str) -> None:
    """An answer that the scorer could not take."""
    value = record_of(recorded(person, stakeholder_id=person)).value
    async with connected(environment.database_url) as connection:
        await connection.execute(
            "insert into scorer.parked (id, kind, reason, topic, partition, record_offset, headers, value, account_id)"
            " values ($1, 'dead_letter', 'handler_error', 'responses', 0, 0, '', $2, 'acme')",
            uuid7(),
            value,
        )


async def test_who_was_erased_after_a_rotation_stays_erased_when_an_older_backup_comes_back(
    filled: Environment, backup: BackupFolder, empty: Environment, tmp_path: Path
) -> None:
    """The backup is of before the rotation, the journal of after it: the restore needs both keys, and says so."""
    old, new = filled.common.key_ring[0], "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
    database = Database(filled.database_url, "collector", pool_size=1)
    async with database.write() as tx:
        await erase(tx, Erasing("acme", "ada", None), datetime.now(UTC), subject_by(new))
    await database.close()
    file = tmp_path / "erasures.json"
    await write_journal(filled.common, file)

    def under(*ring: str) -> Environment:
        return Environment(empty.common.model_copy(update={"secret_keys": tuple(map(SecretStr, ring))}))

    for ring, code in (((old,), "journal_key_missing"), ((new, retired(old)), "secret_key_missing")):
        with pytest.raises(BackupError) as refused:
            await put_back(under(*ring), backup, read_journal(file))
        assert refused.value.code == code
    restored = await put_back(under(new, old), backup, read_journal(file))
    assert restored.erased == 1
    async with connected(empty.database_url) as connection:
        assert await connection.fetchval("select count(*) from collector.stakeholders") == 0
        subjects = await connection.fetch("select subject from collector.erasures")
    assert {row["subject"] for row in subjects} == {subject_by(new)("acme", "ada")}
    late = [("acme", "ada", datetime(2026, 1, 1, tzinfo=UTC))]
    database = Database(empty.database_url, "collector", pool_size=1)
    async with database.read() as reading:
        assert await Journal(*subjects_by((new, retired(old)))).overtaken(reading, late) == [True]
    await database.close()
