"""Interrupted import jobs: the process that resumes takes each row once."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collector import jobs
from services.collector.domain.columns import ACCOUNTS, RESPONSES, Kind
from services.collector.handlers import imports
from services.collector.handlers.import_files import check_file, reading_of
from services.collector.handlers.import_rows import RowReader
from services.collector.handlers.imports import MOST_WAITING, STEP_ROWS, LostClaim, submit, take_step
from services.collector.jobs import ImportWorker
from services.collector.store import import_claims as claims
from services.collector.store import imports as store
from services.collector.store.imports import ImportJob
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.outbox import Relay
from shared.disk import DiskSpace
from shared.erasure import subject_by
from shared.errors import TooMany
from shared.ids import uuid7
from tests.integration.collector.conftest import NOW
from tests.support.clock import FrozenClock
from tests.support.environment import Environment

ROWS = 1_700
FILE = b"account,person,score\n" + b"".join(b"acme,p%d,%d\n" % (number % 400, number % 10) for number in range(ROWS))
KEEP = timedelta(days=1)
JOURNAL = Journal(subject_by("of this test"))


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


def worker(database: Database, clock: FrozenClock) -> ImportWorker:
    return ImportWorker(database, Relay(database, unused), clock, KEEP, JOURNAL, DiskSpace((), 0))


async def submitted(database: Database, key: str = "key", kind: Kind = RESPONSES) -> ImportJob:
    """A queued job with the file of this module."""
    columns = check_file(io.BytesIO(FILE), kind, {}).columns
    job = ImportJob(uuid7(), kind, "queued", "a.csv", ROWS, columns, None, "UTC", None, (), True, key, None, NOW)
    async with database.write() as tx:
        await submit(tx, job, io.BytesIO(FILE))
    return job


async def test_of_each_key_five_files_wait_also_when_they_come_at_the_same_moment(database: Database) -> None:
    """Waiting files are stored in PostgreSQL."""

    async def once() -> str:
        try:
            await submitted(database)
        except TooMany as refused:
            return refused.code
        return "taken"

    outcomes = await asyncio.gather(*(once() for _ in range(8)))
    assert sorted(outcomes) == ["taken"] * MOST_WAITING + ["too_many_imports"] * 3
    await submitted(database, key="another")
    async with database.write() as tx:
        await tx.execute("update imports set state = 'done' where import_id = (select import_id from imports limit 1)")
    assert [await once(), await once()] == ["taken", "too_many_imports"]


async def test_of_each_key_two_gigabytes_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert imports.MOST_WAITING_BYTES == 2 * 1024**3
    monkeypatch.setattr(imports, "MOST_WAITING_BYTES", 2 * len(FILE) + 1)
    await submitted(database)
    await submitted(database)
    with pytest.raises(TooMany):
        await submitted(database)
    async with database.read() as tx:
        assert await tx.scalar("select count(*) from imports") == 2


async def found(database: Database, import_id: UUID) -> ImportJob:
    async with database.read() as tx:
        job = await store.find(tx, import_id, None)
    assert job is not None
    return job


async def published_ids(database: Database) -> list[str]:
    """The response_ids in the outbox."""
    async with database.read() as tx:
        rows = await tx.all("select convert_from(value, 'UTF8')::jsonb ->> 'response_id' as id from outbox order by id")
    return [row["id"] for row in rows]


async def test_a_job_left_by_a_killed_process_is_gone_on_with_when_its_claim_runs_out(
    database: Database, clock: FrozenClock
) -> None:
    job = await submitted(database)
    await killed_after(database, clock, steps=2)
    assert not await worker(database, clock).work_once()
    clock.advance(claims.LEASE + timedelta(seconds=1))
    assert await worker(database, clock).work_once()
    ended = await found(database, job.import_id)
    assert (ended.state, ended.rows_read, ended.taken, ended.bad) == ("done", ROWS, ROWS, 0)
    ids = await published_ids(database)
    assert len(ids) == len(set(ids)) == ROWS


async def test_an_interrupted_import_gives_the_ids_of_an_uninterrupted_one(
    environment: Environment, database: Database, clock: FrozenClock
) -> None:
    await submitted(database)
    await worker(database, clock).work_once()
    whole = await published_ids(database)
    async with database.write() as tx:
        await tx.execute("truncate outbox")
    await submitted(database)
    await killed_after(database, clock, steps=1)
    clock.advance(claims.LEASE + timedelta(seconds=1))
    await worker(database, clock).work_once()
    assert await published_ids(database) == whole


async def killed_after(database: Database, clock: FrozenClock, steps: int) -> None:
    """Run the worker like a process that is killed after so many steps: nothing is released or ended."""
    claim_id = uuid4()
    async with database.write() as tx:
        claimed = await claims.claim(tx, claim_id, clock.now())
    assert claimed is not None
    job = await found(database, claimed.import_id)
    reader = RowReader(io.BytesIO(FILE), reading_of(job.columns))
    for _ in range(steps):
        async with database.write() as tx:
            await take_step(tx, job, claim_id, reader.read(STEP_ROWS), clock.now(), JOURNAL)


async def test_a_process_that_lost_its_claim_writes_nothing_more(database: Database, clock: FrozenClock) -> None:
    job = await submitted(database)
    first, second = uuid4(), uuid4()
    async with database.write() as tx:
        await claims.claim(tx, first, clock.now())
    clock.advance(claims.LEASE + timedelta(seconds=1))
    async with database.write() as tx:
        assert await claims.claim(tx, second, clock.now()) is not None
    rows = RowReader(io.BytesIO(FILE), reading_of(job.columns)).read(10)
    with pytest.raises(LostClaim):
        async with database.write() as tx:
            await take_step(tx, job, first, rows, clock.now(), JOURNAL)
    assert await published_ids(database) == []
    assert (await found(database, job.import_id)).rows_read == 0


async def test_two_workers_share_the_queue(database: Database, clock: FrozenClock) -> None:
    first, second = await submitted(database), await submitted(database, kind=ACCOUNTS)
    assert await asyncio.gather(*(worker(database, clock).work_once() for _ in "12")) == [True, True]
    for job in (first, second):
        assert (await found(database, job.import_id)).state == "done"
    assert not await worker(database, clock).work_once()


async def test_a_worker_that_is_stopped_gives_its_job_back_at_once(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await submitted(database)
    reached = asyncio.Event()

    async def hanging(*args: Any, **kwargs: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "take_step", hanging)
        task = asyncio.create_task(worker(database, clock).working.run())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await worker(database, clock).work_once()
    assert (await found(database, job.import_id)).taken == ROWS


async def test_a_job_that_never_gets_on_is_given_up(database: Database, clock: FrozenClock) -> None:
    job = await submitted(database)
    for _ in range(claims.MAX_ATTEMPTS):
        async with database.write() as tx:
            assert await claims.claim(tx, uuid4(), clock.now()) is not None
        clock.advance(claims.LEASE + timedelta(seconds=1))
    assert await worker(database, clock).work_once()
    ended = await found(database, job.import_id)
    assert (ended.state, ended.error_code) == ("failed", "gave_up")


async def test_reports_of_finished_imports_are_forgotten_in_time(database: Database, clock: FrozenClock) -> None:
    job = await submitted(database)
    await worker(database, clock).work_once()
    for age, there in ((KEEP, True), (timedelta(seconds=1), False)):
        clock.advance(age)
        async with database.write() as tx:
            await store.forget_finished(tx, clock.now() - KEEP)
            assert (await store.find(tx, job.import_id, None) is not None) is there
