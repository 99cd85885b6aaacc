"""Transactions: commits, locks, and a lost server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from shared.db import engine
from shared.db.engine import Database, DatabaseUnavailable
from shared.db.transaction import WriteTx
from shared.ids import lock_slot
from tests.support.environment import Environment
from tests.support.polling import eventually


@pytest.fixture
async def database(database_only: Environment) -> AsyncIterator[Database]:
    database = Database(database_only.database_url, "scorer")
    yield database
    await database.close()


async def test_a_read_transaction_cannot_write(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(DBAPIError, match="read-only"):
            await tx.scalar("insert into inbox values (gen_random_uuid()) returning 1")


async def test_what_waits_for_the_commit_is_done_after_it_or_never(database: Database) -> None:
    done: list[str] = []

    async def undone() -> None:
        async with database.write() as tx:
            tx.after_commit(lambda: done.append("undone"))
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await undone()
    async with database.write() as tx:
        tx.after_commit(lambda: done.append("committed"))
        assert done == []
    assert done == ["committed"]


async def test_a_read_transaction_sees_one_snapshot(database: Database) -> None:
    async with database.read() as reading:
        assert await reading.scalar("select count(*) from inbox") == 0
        async with database.write() as writing:
            await writing.seen(UUID(int=1))
        assert await reading.scalar("select count(*) from inbox") == 0


@pytest.mark.parametrize("asks", [True, False])
async def test_a_connection_that_the_server_closed_is_replaced(
    database: Database, database_only: Environment, monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    monkeypatch.setattr(engine, "ASK_AFTER_IDLE_SECONDS", 0.0 if asks else 3_600.0)
    async with database.read() as tx:
        pid = await tx.scalar("select pg_backend_pid()")
        driver: Any = (await tx.connection.get_raw_connection()).driver_connection
    await _terminate(database_only.database_url, pid)

    async def closed() -> bool:
        return bool(driver.is_closed())

    if not asks:
        await eventually(closed)
    async with database.read() as tx:
        assert await tx.scalar("select pg_backend_pid()") != pid


async def _terminate(url: str, pid: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("select pg_terminate_backend($1, 10000)", pid)
    finally:
        await connection.close()


async def test_an_unreachable_server_is_a_named_error() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", "scorer")
    with pytest.raises(DatabaseUnavailable) as raised:
        await database.ping()
    assert raised.value.retry_after
    await database.close()


async def test_two_writers_of_one_account_go_one_after_the_other(database: Database) -> None:
    order: list[str] = []
    held = asyncio.Event()

    async def second() -> None:
        await held.wait()
        async with database.write() as tx:
            await tx.lock_accounts(["acme"])
            order.append("second")

    async with asyncio.TaskGroup() as group:
        group.create_task(second())
        async with database.write() as tx:
            await tx.lock_accounts(["acme", "other"])
            held.set()
            await tx.scalar("select pg_sleep(0.05)")
            order.append("first")
    assert order == ["first", "second"]


async def test_no_service_waits_for_the_locks_of_another(database: Database, database_only: Environment) -> None:
    other = Database(database_only.database_url, "alerting")
    async with database.write() as holder:
        await holder.lock_accounts(["acme"])
        async with other.write() as tx:
            await tx.execute("set local lock_timeout = '10ms'")
            await tx.lock_accounts(["acme"])
    await other.close()


async def test_a_lock_that_is_not_given_up_is_not_told_as_a_server_that_is_away(database: Database) -> None:
    async def waits() -> None:
        async with database.write() as tx:
            await tx.execute("set local lock_timeout = '10ms'")
            await tx.lock_accounts(["acme"])

    async with database.write() as holder:
        await holder.lock_accounts(["acme"])
        with pytest.raises(DatabaseUnavailable) as raised:
            await waits()
    assert (raised.value.code, raised.value.detail) == (
        "database_unavailable",
        "the database undid the work; try again",
    )


async def test_deadlocks_are_run_again(database: Database) -> None:
    """Two transactions that lock the same two rows in opposite order both succeed in the end."""
    async with database.write() as tx:
        await tx.execute("insert into cursors (topic, partition, next_offset) values ('a', 0, 0), ('b', 0, 0)")
    barrier = asyncio.Barrier(2)
    runs = 0

    async def bump(first: str, second: str) -> None:
        async def work(tx: WriteTx) -> None:
            nonlocal runs
            runs += 1
            await tx.execute("update cursors set next_offset = next_offset + 1 where topic = :topic", topic=first)
            if runs <= 2:
                await barrier.wait()
            await tx.execute("update cursors set next_offset = next_offset + 1 where topic = :topic", topic=second)

        await database.retrying(work)

    await asyncio.gather(bump("a", "b"), bump("b", "a"))
    async with database.read() as reading:
        assert await reading.scalar("select sum(next_offset) from cursors") == 4
    assert runs == 3


async def test_the_inbox_tells_what_was_seen_before(database: Database) -> None:
    first, second = UUID(int=1), UUID(int=2)
    async with database.write() as tx:
        assert await tx.seen(first) == set()
    async with database.write() as tx:
        assert await tx.seen(first, second) == {first}


async def test_a_column_added_under_a_cached_statement_is_survived(database: Database) -> None:
    async def read_all(tx: WriteTx) -> int:
        return len(await tx.all("select * from inbox"))

    await database.retrying(read_all)
    async with database.write() as tx:
        await tx.execute("alter table inbox add column extra int")
    assert await database.retrying(read_all) == 0


def test_lock_slots_are_few_and_stable() -> None:
    assert lock_slot("acme") == lock_slot("acme")
    assert all(0 <= lock_slot(str(number)) < 1024 for number in range(100))
