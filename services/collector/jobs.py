"""Works off import jobs: claimed from PostgreSQL, so any replica goes on where another was killed."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID, uuid4

from services.collector.domain.delimited import TableError
from services.collector.domain.rows import Reading
from services.collector.handlers.import_rows import RowReader
from services.collector.handlers.imports import STEP_ROWS, LostClaim, take_step
from services.collector.store import imports as store
from services.collector.store.imports import ImportJob, Progress
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.outbox import Relay
from shared.errors import Unavailable
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
POLL_SECONDS = 1.0
RELEASE_SECONDS = 2.0
TIDY_EVERY = timedelta(hours=1)


class ImportWorker:
    """One job at a time in this process; several processes share the queue."""

    def __init__(self, database: Database, relay: Relay, clock: Clock, keep: timedelta, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._relay = relay
        self._clock = clock
        self._keep = keep
        self._wake = asyncio.Event()
        self._tidied: datetime | None = None

    def wake(self) -> None:
        """Say that a job has come."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._tidy()
                worked = await self.work_once()
            except Unavailable as error:
                log.warning("import_worker_waits", code=error.code)
                worked = False
            if not worked:
                await self._pause()

    async def work_once(self) -> bool:
        """Work off one job if one is free. Raises `Unavailable` while PostgreSQL is away; the claim then runs out."""
        claim_id = uuid4()
        async with self._database.write() as tx:
            job = await store.claim(tx, claim_id, self._clock.now())
        if job is None:
            return False
        log.info("import_started", import_id=str(job.import_id), kind=job.kind, rows_read=job.rows_read)
        try:
            error = await self._work(job, claim_id)
        except LostClaim:
            log.warning("import_claim_lost", import_id=str(job.import_id))
            return True
        except (asyncio.CancelledError, Unavailable):
            await self._release(job, claim_id)
            raise
        async with self._database.write() as tx:
            await store.finish(tx, job.import_id, claim_id, self._clock.now(), error)
        log.info("import_finished", import_id=str(job.import_id), error=error[0] if error else None)
        return True

    async def _work(self, job: ImportJob, claim_id: UUID) -> tuple[str, str] | None:
        """Take all rows that are left; answers code and detail of what ended it early."""
        if job.attempts > store.MAX_ATTEMPTS:
            return "gave_up", "the import was interrupted several times without any progress"
        with TemporaryFile() as file:
            await self._fetch(job, file)
            try:
                reader = await asyncio.to_thread(_open, job, file)
                while rows := await asyncio.to_thread(reader.read, STEP_ROWS):
                    now = self._clock.now()
                    step = partial(take_step, job=job, claim_id=claim_id, rows=rows, now=now, journal=self._journal)
                    progress = await self._database.retrying(step)
                    self._relay.wake()
                    _count(job.kind, progress)
            except TableError as error:
                return error.code, error.detail
        return None

    async def _fetch(self, job: ImportJob, file: BinaryIO) -> None:
        """The file from PostgreSQL to a nameless one on this machine, which is gone with the process."""
        async with self._database.read() as tx:
            async for piece in store.pieces(tx, job.import_id):
                file.write(piece)
        file.seek(0)

    async def _release(self, job: ImportJob, claim_id: UUID) -> None:
        """Give the job back, if PostgreSQL is there; else the claim runs out by itself."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS), self._database.write() as tx:
                await store.release(tx, job.import_id, claim_id)
        except (TimeoutError, Unavailable):
            log.warning("import_not_released", import_id=str(job.import_id))

    async def _tidy(self) -> None:
        now = self._clock.now()
        if self._tidied is None or now - self._tidied > TIDY_EVERY:
            self._tidied = now
            async with self._database.write() as tx:
                await store.forget_finished(tx, now - self._keep)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        finally:
            self._wake.clear()


def _open(job: ImportJob, file: BinaryIO) -> RowReader:
    answered_at = job.answered_at.isoformat() if job.answered_at else None
    reader = RowReader(file, Reading(job.columns, job.date_format, answered_at))
    reader.skip(job.rows_read)
    return reader


def _count(kind: str, progress: Progress) -> None:
    for outcome, rows in (("taken", progress.taken), ("skipped", progress.skipped), ("bad", progress.bad)):
        metrics.import_rows_total.labels(kind, outcome).inc(rows)
