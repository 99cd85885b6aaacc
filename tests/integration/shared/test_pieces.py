"""What is old goes in pieces, the oldest first, and what somebody works on waits."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.store.callbacks import purge_callbacks
from services.scorer.store.import_rows import forget_lines
from shared.db.engine import Database
from shared.db.pieces import PIECE, delete_piece, in_pieces
from shared.db.transaction import WriteTx
from tests.support.environment import Environment

DAY = timedelta(days=1)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(database_only: Environment) -> AsyncIterator[Database]:
    database = Database(database_only.database_url, "scorer")
    yield database
    await database.close()


@pytest.fixture
async def alerting(database_only: Environment) -> AsyncIterator[Database]:
    database = Database(database_only.database_url, "alerting")
    yield database
    await database.close()


async def enter(database: Database, days_before: int, days_after: int = 0) -> None:
    """Inbox ids, one a day on both sides of `BEFORE`."""
    async with database.write() as tx:
        await tx.execute(
            "insert into inbox select gen_random_uuid(), cast(:before as timestamptz) - make_interval(days => number)"
            " from generate_series(cast(:first as int), cast(:last as int)) as number where number <> 0",
            before=BEFORE,
            first=-days_after,
            last=days_before,
        )


async def forget(tx: WriteTx) -> int:
    return await delete_piece(tx, "inbox", "seen_at < :before", "seen_at", 4, before=BEFORE)


async def ids(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar("select count(*) from inbox"))


async def test_a_piece_is_the_oldest_rows_and_only_old_ones(database: Database) -> None:
    await enter(database, 6, 3)
    async with database.write() as tx:
        assert await forget(tx) == 4
        assert await tx.column("select seen_at from inbox where seen_at < :before order by seen_at", before=BEFORE) == [
            BEFORE - 2 * DAY,
            BEFORE - DAY,
        ]
        assert await forget(tx) == 2
        assert await forget(tx) == 0
    assert await ids(database) == 3


async def test_pieces_follow_each_other_until_nothing_is_old(database: Database) -> None:
    await enter(database, 13, 1)
    pieces: list[int] = []

    async def noted(tx: WriteTx) -> int:
        pieces.append(await forget(tx))
        return pieces[-1]

    await in_pieces(database, noted)
    assert pieces == [4, 4, 4, 1, 0]
    assert await ids(database) == 1


async def test_rows_that_somebody_works_on_wait_for_the_next_time(database: Database) -> None:
    await enter(database, 6)
    async with database.write() as tx:
        await tx.execute("select 1 from inbox order by seen_at limit 2 for update")
        await in_pieces(database, forget)
        assert await ids(database) == 2
    await in_pieces(database, forget)
    assert await ids(database) == 0


async def test_lines_of_imports_that_are_more_than_a_piece_go(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(
            "insert into import_lines (import_id, line, outcome, code, fields, seen_at)"
            " select gen_random_uuid(), number, 'kept', 'kept_here', '{}', cast(:before as timestamptz)"
            " - make_interval(secs => number) from generate_series(1, :rows) as number",
            before=BEFORE,
            rows=PIECE + 1,
        )
    async with database.write() as tx:
        assert await forget_lines(tx, BEFORE) == PIECE
    await in_pieces(database, lambda tx: forget_lines(tx, BEFORE))
    async with database.read() as reading:
        assert await reading.scalar("select count(*) from import_lines") == 0


async def test_call_backs_that_are_more_than_a_piece_go(alerting: Database) -> None:
    async with alerting.write() as tx:
        await tx.execute(
            "insert into callbacks (endpoint_id, message_id, digest, follow_up_id, at)"
            " select 'crm', cast(number as text), '', gen_random_uuid(), cast(:before as timestamptz)"
            " - make_interval(secs => number - 1) from generate_series(1, :rows) as number",
            before=BEFORE,
            rows=PIECE + 2,
        )
    async with alerting.write() as tx:
        assert await purge_callbacks(tx, BEFORE) == PIECE
        assert await purge_callbacks(tx, BEFORE) == 1
        assert await tx.column("select message_id from callbacks") == ["1"]
