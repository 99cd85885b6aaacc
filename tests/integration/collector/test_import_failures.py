"""Imports with an unforeseen failure: the row is reported, the others are taken, nothing ends."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collector import jobs
from services.collector.handlers.import_files import check_file
from services.collector.handlers.imports import STEP_ROWS, submit
from services.collector.jobs import MAX_UNREADABLE, ImportWorker
from services.collector.store import import_claims as claims
from services.collector.store import import_reports as reports
from services.collector.store import imports as store
from services.collector.store.imports import ImportJob
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.outbox import Relay
from shared.disk import DiskSpace
from shared.erasure import subject_by
from shared.ids import uuid7
from tests.integration.collector.conftest import NOW
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.polling import eventually

REPEATED = "%Y%Y/%m/%d"
"""A date format that an earlier release accepted, and strptime cannot parse."""
JOURNAL = Journal(subject_by("of this test"))
BREAKS = """
    create function breaks() returns trigger language plpgsql as $$
    begin if new.account_id = 'bad' then raise exception 'broken'; end if; return new; end; $$
"""


async def unused(*_: Any) -> list[None]:
    raise AssertionError("nothing is published here")


@pytest.fixture
async def database(environment: Environment) -> AsyncIterator[Database]:
    database = Database(environment.database_url, "collector")
    yield database
    await database.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def worker(database: Database, clock: FrozenClock) -> ImportWorker:
    return ImportWorker(database, Relay(database, unused), clock, timedelta(days=1), JOURNAL, DiskSpace((), 0))


async def submitted(database: Database, file: bytes, date_format: str | None = None) -> UUID:
    columns = check_file(io.BytesIO(file), "responses", {}).columns
    job = ImportJob(
        uuid7(), "responses", "queued", "a.csv", 9, columns, date_format, "UTC", None, (), True, "key", None, NOW
    )
    async with database.write() as tx:
        await submit(tx, job, io.BytesIO(file))
    return job.import_id


async def found(database: Database, import_id: UUID) -> ImportJob:
    async with database.read() as tx:
        job = await store.find(tx, import_id, None)
    assert job is not None
    return job


async def problems(database: Database, import_id: UUID) -> list[tuple[int, str, str]]:
    async with database.read() as tx:
        found = await reports.problems(tx, import_id, STEP_ROWS)
    return [(problem.row.line, problem.outcome, problem.row.code) for problem in found]


def table(*accounts: str, date: str | None = None) -> bytes:
    head, tail = (",date", f",{date}") if date else ("", "")
    rows = [f"{account},p{number},9{tail}\n" for number, account in enumerate(accounts)]
    return f"account,person,score{head}\n{''.join(rows)}".encode()


async def test_a_row_that_cannot_be_read_is_bad_and_the_others_are_taken(
    database: Database, worker: ImportWorker
) -> None:
    import_id = await submitted(database, b"account,person,score,date\na,p,9,\nb,p,9,\nc,p,9,2026/01/01\n", REPEATED)
    async with database.write() as tx:
        await tx.execute("update imports set answered_at = :now", now=NOW)
    assert await worker.work_once()
    ended = await found(database, import_id)
    assert (ended.state, ended.taken, ended.bad) == ("done", 2, 1)
    assert await problems(database, import_id) == [(4, "bad", "unreadable")]


async def test_a_row_that_cannot_be_stored_is_found_among_hundreds(database: Database, worker: ImportWorker) -> None:
    accounts = ["good"] * (STEP_ROWS + 50)
    accounts[321] = accounts[510] = "bad"
    async with database.write() as tx:
        await tx.execute(BREAKS)
        await tx.execute("create trigger breaks before insert on outbox for each row execute function breaks()")
    import_id = await submitted(database, table(*accounts))
    assert await worker.work_once()
    ended = await found(database, import_id)
    assert (ended.state, ended.rows_read, ended.taken, ended.bad) == ("done", len(accounts), len(accounts) - 2, 2)
    assert await problems(database, import_id) == [(323, "bad", "unreadable"), (512, "bad", "unreadable")]
    async with database.read() as tx:
        assert await tx.scalar("select count(distinct headers) from outbox") == len(accounts) - 2


async def test_an_import_of_which_too_much_cannot_be_read_fails_with_the_reason(
    database: Database, worker: ImportWorker
) -> None:
    import_id = await submitted(database, table(*["a"] * (MAX_UNREADABLE + 1), date="2026/01/01"), REPEATED)
    assert await worker.work_once()
    ended = await found(database, import_id)
    assert (ended.state, ended.error_code) == ("failed", "too_many_unreadable")


async def test_one_that_fails_outside_its_rows_is_tried_three_times_and_then_fails_while_others_are_taken(
    database: Database, worker: ImportWorker, clock: FrozenClock
) -> None:
    broken = await submitted(database, table("a"))
    async with database.write() as tx:
        await tx.execute("update imports set columns = '[]'")
    sound = await submitted(database, table("a"))
    working = asyncio.create_task(worker.working.run())
    try:
        await eventually(lambda: _is(database, sound, "done"))
        for tries in (1, 2):
            await eventually(lambda tries=tries: _tried(database, broken, tries))  # type: ignore[misc]
            clock.advance(2 * claims.REST)
            worker.wake()
        await eventually(lambda: _failed(database, broken))
        assert await attempts(database, broken) == claims.MAX_ATTEMPTS
        assert not working.done()
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def test_one_that_finds_no_room_on_the_disk_rests_while_others_are_taken_and_its_try_does_not_count(
    database: Database, worker: ImportWorker, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = await submitted(database, table("a"))
    monkeypatch.setattr(jobs, "TemporaryFile", partial(Path("/dev/full").open, "w+b"))  # ENOSPC for any write
    for _ in range(claims.MAX_ATTEMPTS + 1):
        clock.advance(2 * claims.REST)
        assert await worker.work_once()
        assert not await worker.work_once()  # the job pauses
    monkeypatch.undo()
    small = await submitted(database, table("a"))
    assert await worker.work_once()
    assert (await found(database, small)).state == "done"
    assert await attempts(database, large) == 0
    clock.advance(2 * claims.REST)
    assert await worker.work_once()
    assert (await found(database, large)).state == "done"


async def test_claims_that_a_process_did_not_survive_count_also_when_a_later_one_is_stopped_in_good_order(
    database: Database, worker: ImportWorker, clock: FrozenClock
) -> None:
    import_id = await submitted(database, table("a"))
    for _ in range(claims.MAX_ATTEMPTS):
        async with database.write() as tx:
            assert await claims.claim(tx, uuid4(), clock.now()) is not None
        clock.advance(claims.LEASE + timedelta(seconds=1))
        async with database.write() as tx:
            stopped = await claims.claim(tx, uuid4(), clock.now())
            assert stopped is not None
            await claims.release(tx, stopped)
    assert await worker.work_once()
    assert (await found(database, import_id)).error_code == "gave_up"


async def _failed(database: Database, import_id: UUID) -> bool:
    statement = "select state = 'failed' and error_code = 'unexpected' from imports where import_id = :id"
    async with database.read() as tx:
        return bool(await tx.scalar(statement, id=import_id))


async def attempts(database: Database, import_id: UUID) -> int:
    async with database.read() as tx:
        return int(await tx.scalar("select attempts from imports where import_id = :id", id=import_id))


async def _tried(database: Database, import_id: UUID, times: int) -> bool:
    """Whether the job has so many attempts and no claim: its pause begins when it is released."""
    statement = "select attempts = :times and claimed_by is null from imports where import_id = :id"
    async with database.read() as tx:
        return bool(await tx.scalar(statement, id=import_id, times=times))


async def _is(database: Database, import_id: UUID, state: str) -> bool:
    return (await found(database, import_id)).state == state
