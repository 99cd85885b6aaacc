"""Keys are checked against a real PostgreSQL that sometimes refuses, hangs or is away at the start."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.access import keystore
from shared.access.hash_file import HashFile
from shared.access.keystore import KeyStore
from shared.access.store import IssuedKey, NewKey, create_key, find_key, list_keys, revoke_key
from shared.access.token import new_token
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Invalid, Unauthorized, Unavailable
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.polling import eventually

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Switch(Database):
    """A real database that can be made to refuse or to hang, and that counts its reads."""

    refusing = False
    asked = 0
    busy = 0

    def __init__(self, url: str) -> None:
        super().__init__(url, "access", pool_size=2)
        self.answering = asyncio.Event()
        self.answering.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        self.asked += 1
        self.busy += 1
        try:
            await self.answering.wait()
            if self.refusing:
                raise Unavailable("database_unavailable")
            async with super().read() as tx:
                yield tx
        finally:
            self.busy -= 1

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        if self.refusing:
            raise Unavailable("database_unavailable")
        async with super().write() as tx:
            yield tx


@pytest.fixture
async def database(module_environment: Environment) -> AsyncIterator[Switch]:
    database = Switch(module_environment.database_url)
    yield database
    database.refusing = False
    database.answering.set()
    await eventually(lambda: database.busy == 0)
    await database.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def keys(database: Switch, clock: FrozenClock) -> KeyStore:
    return KeyStore(database, clock)


async def issue(
    database: Database,
    scopes: Iterable[str] = ("read",),
    *,
    expires_at: datetime | None = None,
    owner: str | None = None,
) -> IssuedKey:
    async with database.write() as tx:
        return await create_key(tx, NewKey("test", frozenset(scopes), owner, expires_at, 60), START)


async def revoke(database: Database, key: IssuedKey) -> None:
    async with database.write() as tx:
        assert await revoke_key(tx, key.record.id, START)


async def refused(keys: KeyStore, token: str) -> bool:
    try:
        await keys.authenticate(token)
    except Unauthorized:
        return True
    return False


async def test_a_key_tells_who_holds_it(database: Switch, keys: KeyStore) -> None:
    key = await issue(database, ["read", "act"], owner=" Ana@Supplier.example ")
    caller = await keys.authenticate(key.token)
    assert (caller.key_id, caller.scopes) == (key.record.id, frozenset({"read", "act"}))
    assert (caller.owner_email, caller.rate_limit, caller.publishable) == ("ana@supplier.example", 60, False)


async def test_the_secret_is_stored_nowhere(database: Switch) -> None:
    key = await issue(database)
    async with database.read() as tx:
        row = await tx.one("select * from access.api_keys where id = :id", id=key.record.id)
    assert key.token[16:] not in str(dict(row or {}))


async def test_wrong_expired_and_revoked_keys_are_refused_alike(
    database: Switch, keys: KeyStore, clock: FrozenClock
) -> None:
    good = await issue(database)
    expiring = await issue(database, expires_at=START + timedelta(minutes=1))
    revoked = await issue(database)
    await revoke(database, revoked)
    assert not await refused(keys, expiring.token)
    clock.advance(timedelta(minutes=1))
    other_secret = good.token[:16] + new_token().secret
    for token in (
        other_secret,
        expiring.token,
        revoked.token,
        new_token().printed(),
        "pk" + good.token[2:],
        "",
        "tb_x",
    ):
        with pytest.raises(Unauthorized) as caught:
            await keys.authenticate(token)
        assert (caught.value.code, caught.value.detail) == ("unauthorized", keystore.unauthorized().detail)
    assert not await refused(keys, good.token)


async def test_a_key_is_looked_up_once_in_ten_seconds(database: Switch, keys: KeyStore, clock: FrozenClock) -> None:
    key = await issue(database)
    for _ in range(5):
        await keys.authenticate(key.token)
    await asyncio.gather(*(keys.authenticate(key.token) for _ in range(50)))
    assert database.asked == 1
    clock.advance(timedelta(seconds=10))
    await asyncio.gather(*(keys.authenticate(key.token) for _ in range(50)))
    assert database.asked == 2


async def test_a_key_in_use_is_renewed_ahead_so_that_nobody_waits(
    database: Switch, keys: KeyStore, clock: FrozenClock
) -> None:
    key = await issue(database)
    await keys.authenticate(key.token)
    clock.advance(timedelta(seconds=9))
    await keys.authenticate(key.token)
    await eventually(lambda: database.asked == 2)
    await eventually(lambda: not keys._lookups)
    clock.advance(timedelta(seconds=9))
    database.answering.clear()
    await keys.authenticate(key.token)


async def test_a_revoked_key_stops_within_ten_seconds(database: Switch, keys: KeyStore, clock: FrozenClock) -> None:
    key = await issue(database)
    await keys.authenticate(key.token)
    await revoke(database, key)
    clock.advance(timedelta(seconds=10))
    assert await refused(keys, key.token)


async def test_a_key_revoked_here_stops_at_once(database: Switch, keys: KeyStore) -> None:
    key = await issue(database)
    await keys.authenticate(key.token)
    await revoke(database, key)
    keys.forget(key.record.id)
    assert await refused(keys, key.token)


async def test_unknown_ids_do_not_reach_the_database_each_time(database: Switch, keys: KeyStore) -> None:
    token = new_token().printed()
    for _ in range(20):
        assert await refused(keys, token)
    assert database.asked == 1


async def test_without_postgresql_known_keys_go_on_for_an_hour(
    database: Switch, keys: KeyStore, clock: FrozenClock
) -> None:
    key, unseen = await issue(database), await issue(database)
    await keys.authenticate(key.token)
    database.refusing = True
    clock.advance(timedelta(minutes=59))
    assert (await keys.authenticate(key.token)).key_id == key.record.id
    with pytest.raises(Unavailable) as caught:
        await keys.authenticate(unseen.token)
    assert (caught.value.code, caught.value.retry_after) == ("keys_unavailable", 5)
    assert await refused(keys, key.token[:16] + new_token().secret)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(Unavailable):
        await keys.authenticate(key.token)


async def test_an_expired_key_stops_also_without_postgresql(
    database: Switch, keys: KeyStore, clock: FrozenClock
) -> None:
    key = await issue(database, expires_at=START + timedelta(minutes=5))
    await keys.authenticate(key.token)
    database.refusing = True
    clock.advance(timedelta(minutes=5))
    assert await refused(keys, key.token)


async def test_a_postgresql_that_hangs_holds_up_one_wave_of_requests_only(
    database: Switch, keys: KeyStore, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "LOOKUP_DEADLINE_S", 0.05)
    key = await issue(database)
    await keys.authenticate(key.token)
    database.answering.clear()
    clock.advance(timedelta(minutes=1))
    await keys.authenticate(key.token)
    assert database.asked == 2
    # From here on PostgreSQL is known to be away: at any time, even past the pause, the answer is immediate.
    monkeypatch.setattr(keystore, "LOOKUP_DEADLINE_S", 600.0)
    for _ in range(5):
        clock.advance(timedelta(seconds=30))
        await asyncio.wait_for(keys.authenticate(key.token), 5)


async def test_when_postgresql_is_back_revocations_count_again(
    database: Switch, keys: KeyStore, clock: FrozenClock
) -> None:
    key = await issue(database)
    await keys.authenticate(key.token)
    database.refusing = True
    clock.advance(timedelta(minutes=1))
    await keys.authenticate(key.token)
    database.refusing = False
    await revoke(database, key)
    clock.advance(keystore.PAUSE)

    async def stopped() -> bool:
        return await refused(keys, key.token)

    await eventually(stopped)


async def test_a_cold_start_without_postgresql_reads_the_file(
    database: Switch, clock: FrozenClock, tmp_path: Path
) -> None:
    key, revoked = await issue(database), await issue(database)
    await revoke(database, revoked)
    file = HashFile(tmp_path / "keys.json")
    await KeyStore(database, clock, hash_file=file).warm()
    later = await issue(database)
    database.refusing = True
    clock.advance(timedelta(minutes=30))
    cold = KeyStore(database, clock, hash_file=file)
    await cold.warm()
    assert (await cold.authenticate(key.token)).key_id == key.record.id
    for unknown in (revoked, later):
        with pytest.raises(Unavailable):
            await cold.authenticate(unknown.token)
    assert await refused(cold, key.token[:16] + new_token().secret)


async def test_a_file_older_than_an_hour_is_not_used(database: Switch, clock: FrozenClock, tmp_path: Path) -> None:
    key = await issue(database)
    file = HashFile(tmp_path / "keys.json")
    await KeyStore(database, clock, hash_file=file).warm()
    database.refusing = True
    clock.advance(timedelta(hours=1))
    cold = KeyStore(database, clock, hash_file=file)
    await cold.warm()
    with pytest.raises(Unavailable):
        await cold.authenticate(key.token)


async def test_a_start_against_a_hanging_postgresql_goes_on(
    database: Switch, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "LOOKUP_DEADLINE_S", 0.05)
    database.answering.clear()
    await asyncio.wait_for(KeyStore(database, clock).warm(), 5)


async def test_a_mistake_of_ours_is_neither_401_nor_503(
    database: Switch, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_args: object) -> None:
        raise LookupError("no such column")

    monkeypatch.setattr(keystore, "find_key", mistaken)
    with pytest.raises(LookupError):
        await keys.authenticate(new_token().printed())


async def test_a_file_that_cannot_be_written_stops_nobody(
    database: Switch, clock: FrozenClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = await issue(database)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    keys = KeyStore(database, clock, hash_file=HashFile(tmp_path / "blocked" / "keys.json"))
    await keys.warm()
    assert (await keys.authenticate(key.token)).key_id == key.record.id
    assert "key_file_not_written" in caplog.text


async def test_the_last_use_is_noted_now_and_then(
    database: Switch, keys: KeyStore, clock: FrozenClock, tmp_path: Path
) -> None:
    key, unused = await issue(database), await issue(database)
    await keys.authenticate(key.token)
    used_at = clock.advance(timedelta(seconds=5))
    await keys.authenticate(key.token)
    database.refusing = True
    with pytest.raises(Unavailable):
        await keys.flush()
    database.refusing = False
    await keys.flush()
    async with database.read() as tx:
        found, other = await find_key(tx, key.record.id), await find_key(tx, unused.record.id)
    assert found is not None
    assert other is not None
    assert (found.last_used_at, other.last_used_at) == (used_at, None)


async def test_the_file_is_renewed_also_when_no_key_was_used(
    database: Switch, clock: FrozenClock, tmp_path: Path
) -> None:
    file = HashFile(tmp_path / "keys.json")
    await KeyStore(database, clock, hash_file=file).flush()
    assert file.load() is not None


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (NewKey("", frozenset({"read"})), "name"),
        (NewKey("x" * 201, frozenset({"read"})), "name"),
        (NewKey("x", frozenset()), "scopes"),
        (NewKey("x", frozenset({"read", "root"})), "scopes"),
        (NewKey("x", frozenset({"read"}), owner_email="nobody"), "owner_email"),
        (NewKey("x", frozenset({"read"}), expires_at=START), "expires_at"),
        (NewKey("x", frozenset({"read"}), rate_limit=0), "rate_limit"),
    ],
)
async def test_keys_that_make_no_sense_are_not_made(database: Switch, wanted: NewKey, field: str) -> None:
    async with database.write() as tx:
        with pytest.raises(Invalid) as caught:
            await create_key(tx, wanted, START)
    assert [error["field"] for error in caught.value.errors or []] == [field]


async def test_keys_of_an_owner_are_listed_alone_and_a_key_is_revoked_once(database: Switch) -> None:
    mine = await issue(database, owner="mine@x.example")
    await issue(database, owner="other@x.example")
    async with database.write() as tx:
        assert [key.id for key in await list_keys(tx, owner_email="mine@x.example")] == [mine.record.id]
        assert not await revoke_key(tx, "aaaaaaaaaaaa", START)
        assert await revoke_key(tx, mine.record.id, START)
        assert await revoke_key(tx, mine.record.id, START + timedelta(days=1))
        found = await find_key(tx, mine.record.id)
    assert found is not None
    assert found.revoked_at == START
