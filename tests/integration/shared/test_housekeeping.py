"""What a schema keeps for a limited time goes in pieces, and never more or earlier than said."""

import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from shared.clock import SystemClock
from shared.db import housekeeping
from shared.db.engine import Database
from shared.db.housekeeping import Housekeeping
from shared.db.parked import Dropped, Fault, RawRecord, put_aside
from shared.db.transaction import WriteTx
from shared.events.envelope import Headers
from shared.topics import RESPONSES
from shared.verdicts import dead_letter
from tests.support.environment import Environment
from tests.support.events import recorded

DAY = timedelta(days=1)
KEEP_PARKED = 90 * DAY
HALF_THE_TIMEOUT = 5.0
"""Seconds; half of the statement timeout, on a machine that is busy with other things."""


@pytest.fixture
async def database(database_only: Environment) -> AsyncIterator[Database]:
    database = Database(database_only.database_url, "scorer")
    yield database
    await database.close()


def keeper(database: Database, dropped: list[Dropped] | None = None) -> Housekeeping:
    async def note(_tx: WriteTx, letter: Dropped, _now: datetime) -> None:
        if dropped is not None:
            dropped.append(letter)

    return Housekeeping(database, SystemClock(), KEEP_PARKED, note)


async def enter(database: Database, number: int, age: timedelta) -> None:
    async with database.write() as tx:
        await tx.execute(
            "insert into inbox select gen_random_uuid(), now() - cast(:age as interval) - make_interval(secs => number)"
            " from generate_series(0, :last) as number",
            age=age,
            last=number - 1,
        )


async def ids(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar("select count(*) from inbox"))


async def test_ids_are_kept_a_day_longer_than_the_longest_topic(database: Database) -> None:
    longest = timedelta(days=22, hours=1)
    await enter(database, 1, longest + timedelta(minutes=5))
    await enter(database, 1, longest - timedelta(minutes=5))
    assert not await keeper(database).clean()
    async with database.read() as tx:
        [age] = await tx.column("select now() - seen_at from inbox")
    assert age < longest


async def test_a_year_of_ids_goes_in_pieces_within_one_round_the_oldest_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PIECE", 7)
    await enter(database, 30, 300 * DAY)
    await enter(database, 5, 2 * DAY)
    clean = keeper(database).clean
    left, oldest = [], []
    more = True
    while more:
        more = await clean()
        left.append(await ids(database))
        async with database.read() as tx:
            oldest.append(await tx.scalar("select min(seen_at) from inbox"))
    assert left == [28, 21, 14, 7, 5]
    assert oldest == sorted(oldest)


async def test_no_piece_comes_near_the_statement_timeout(database: Database) -> None:
    for days in range(40, 46):  # in one statement it may take longer than the timeout itself
        await enter(database, 20_000, days * DAY)
    more, longest = True, 0.0
    while more:
        began = time.monotonic()
        more = await keeper(database).clean()
        longest = max(longest, time.monotonic() - began)
    assert await ids(database) == 0
    assert longest < HALF_THE_TIMEOUT


async def test_replicas_clean_at_once_and_pass_over_each_others_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PIECE", 7)
    await enter(database, 20, 40 * DAY)
    async with database.write() as tx:
        await tx.execute("select 1 from inbox order by seen_at limit 5 for update")
        while await keeper(database).clean():
            pass
        assert await ids(database) == 5


async def test_published_rows_go_after_an_hour_and_waiting_ones_never(database: Database) -> None:
    async with database.write() as tx:
        await tx.emit(RESPONSES, *(recorded(name) for name in ("waits", "young", "old")))
        await tx.execute("update outbox set created_at = now() - interval '2 hours'")
        await tx.execute("update outbox set published_at = now() - interval '59 minutes' where id % 3 = 1")
        await tx.execute("update outbox set published_at = now() - interval '61 minutes' where id % 3 = 2")
    await keeper(database).clean()
    async with database.read() as tx:
        left = await tx.column("select id % 3 from outbox order by 1")
    assert left == [0, 1]


async def park(database: Database, offset: int, fault: Fault | None = None) -> None:
    headers: Headers = [("ce_id", b"1")]
    raw = RawRecord("responses", 0, offset, b"acme", b"{}", headers, "acme")
    async with database.write() as tx:
        await put_aside(tx, "", raw, dead_letter("invalid_data"), "scorer", fault)


async def test_a_dead_letter_goes_with_its_bytes_when_it_is_too_old(database: Database) -> None:
    for offset in (1, 2):
        await park(database, offset)
    await park(database, 3, Fault("", "1", 3600.0, None))  # is tried again
    await park(database, 4, Fault("", "1", None, "stakeholder.erased"))  # is never given up
    async with database.write() as tx:
        await tx.execute("update parked set parked_at = now() - interval '91 days' where record_offset <> 2")
    dropped: list[Dropped] = []
    await keeper(database, dropped).clean()
    async with database.read() as tx:
        left = await tx.column("select record_offset from parked order by 1")
    assert left == [2, 3, 4]
    assert [letter.topic for letter in dropped] == ["responses"]
