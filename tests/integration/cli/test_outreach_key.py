"""The key with which outreach asks the other services: setup makes it, keeps one that suffices and replaces another."""

from pathlib import Path

import pytest

from services.cli.folder import DataFolder
from services.cli.outreach import prepare
from shared.access.records import KeyRecord
from shared.access.store import NewKey, create_key, find_key
from shared.access.token import parse_token
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.settings import CommonSettings
from tests.support.environment import Environment


@pytest.fixture
def common(database_only: Environment, monkeypatch: pytest.MonkeyPatch) -> CommonSettings:
    for name, value in database_only.variables().items():
        monkeypatch.setenv(name, value)
    return CommonSettings.load()


async def kept(common: CommonSettings, folder: DataFolder) -> KeyRecord:
    """The key of the file, as the services know it."""
    token = parse_token(folder.outreach_key.read_text())
    assert token is not None
    database = Database.of(common, "access", pool_size=1)
    try:
        async with database.read() as tx:
            record = await find_key(tx, token.key_id)
    finally:
        await database.close()
    assert record is not None
    return record


async def test_c2_one_key_answers_reads_and_acts_and_is_kept(common: CommonSettings, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    await prepare(common, folder)
    first = await kept(common, folder)
    assert first.scopes == {"ingest", "read", "act"}
    assert first.owner_email is None, "it sees all accounts"
    assert folder.outreach_key.stat().st_mode & 0o777 == 0o600
    await prepare(common, folder)
    assert (await kept(common, folder)).id == first.id


async def test_c2_a_key_that_may_not_read_is_replaced_and_revoked(common: CommonSettings, tmp_path: Path) -> None:
    folder, now = DataFolder(tmp_path), SystemClock().now()
    database = Database.of(common, "access", pool_size=1)
    try:
        async with database.write() as tx:
            issued = await create_key(tx, NewKey("outreach", frozenset({"ingest"})), now)
        folder.outreach_key.write_text(issued.token)
        await prepare(common, folder)
        old = parse_token(issued.token)
        assert old is not None
        async with database.read() as tx:
            record = await find_key(tx, old.key_id)
    finally:
        await database.close()
    assert record is not None
    assert not record.live(SystemClock().now())
    assert (await kept(common, folder)).scopes == {"ingest", "read", "act"}
