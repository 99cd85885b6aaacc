"""Processes import jobs, each under a lease in PostgreSQL, so that any replica can resume a job whose process was
killed."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import uuid4

from services.collector.domain.columns import RESPONSES
from services.collector.handlers.import_drafts import DRAFTS_LAST
from services.collector.handlers.import_files import reading_of
from services.collector.handlers.import_rows import UNREADABLE, ReadRow, RowReader, unreadable
from services.collector.handlers.imports import KEPT_ROWS_LAST, STEP_ROWS, LostClaim, take_step
from services.collector.store import import_bad_rows as bad_rows
from services.collector.store import import_claims as claims
from services.collector.store import import_drafts as drafts
from services.collector.store import import_reports as reports
from services.collector.store import imports as store
from services.collector.store.import_claims import Claim, Progress
from services.collector.store.import_order import settle_order
from services.collector.store.imports import ImportJob
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.outbox import Relay
from shared.db.pieces import in_pieces
from shared.db.transaction import WriteTx
from shared.disk import DiskSpace
from shared.errors import Unavailable
from shared.files.lines import TableError
from shared.files.table import BadRow
from shared.isolation import of_the_items
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
POLL_SECONDS = 1.0
RELEASE_SECONDS = 2.0
MAX_UNREADABLE = 100
"""With more rows on which handlers fail, the file or our code is at fault, and an operator should look."""
TIDY_SECONDS = 3_600.0


class NoRoom(Exception):
    """The disk of this machine has no room for the file of an import. That is no fault of the file, and a smaller one
    may fit: the import waits for a while, and the attempt does not count."""


class ImportWorker:
    """Processes one job at a time; several processes share the queue."""

    def __init__(
        self, database: Database, relay: Relay, clock: Clock, keep: timedelta, journal: Journal, disk: DiskSpace
    ) -> None:
        self._database = database
        self._disk = disk
        self._journal = journal
        self._relay = relay
        self._clock = clock
        self._keep = keep
        self.working = Periodic("imports", POLL_SECONDS, self.work_once)
        self.tidying = Periodic("imports-tidying", TIDY_SECONDS, self._tidy)

    def wake(self) -> None:
        """Look for a job now instead of after the interval."""
        self.working.wake()

    async def work_once(self) -> bool:
        """Process one job if one is free and the disk is not low. Raises `Unavailable` while PostgreSQL is away; the
        lease then expires."""
        if self._disk.low:
            return False
        async with self._database.write() as tx:
            claimed = await claims.claim(tx, uuid4(), self._clock.now())
        if claimed is None:
            return False
        try:
            error = await self._work(claimed)
        except LostClaim:
            log.warning("import_claim_lost", import_id=str(claimed.import_id))
            return True
        except (asyncio.CancelledError, Unavailable):
            await self._release(claimed)
            raise
        except MemoryError:
            raise  # the process ends, and the lease expires: the attempt counts
        except NoRoom as full:
            log.warning("import_finds_no_room", import_id=str(claimed.import_id), exc_info=full)
            await self._let_rest(claimed, counts=False)
            return True
        except Exception as unforeseen:
            log.error("import_failed", import_id=str(claimed.import_id), tries=claimed.attempts, exc_info=unforeseen)
            if claimed.attempts < claims.MAX_ATTEMPTS:
                await self._let_rest(claimed, counts=True)
                return True
            error = "unexpected", f"the import failed {claimed.attempts} times; the collector's log says why"
        async with self._database.write() as tx:
            await claims.finish(tx, claimed, self._clock.now(), error)
        code, _ = error or (None, None)
        log.info("import_finished", import_id=str(claimed.import_id), error=code)
        return True

    async def _work(self, claimed: Claim) -> tuple[str, str] | None:
        """Store all remaining rows; returns code and detail of an error that ended the job early."""
        if claimed.attempts > claims.MAX_ATTEMPTS:
            return "gave_up", "the import was interrupted several times without any progress"
        async with self._database.write() as tx:
            job = await self._begun(tx, claimed)
            failed = await reports.count_bad(tx, claimed.import_id, UNREADABLE)
        log.info("import_started", import_id=str(job.import_id), kind=job.kind, rows_read=job.rows_read)
        with _nameless() as file:
            await self._fetch(job, file)
            try:
                reader = await asyncio.to_thread(_open, job, file)
                while rows := await asyncio.to_thread(reader.read, STEP_ROWS):
                    failed += sum(isinstance(row, BadRow) and row.code == UNREADABLE for row in rows)
                    failed += await self._take(job, claimed, rows)
                    if self._disk.low:
                        raise NoRoom
                    if failed > MAX_UNREADABLE:
                        return "too_many_unreadable", f"more than {MAX_UNREADABLE} rows could not be taken at all"
            except TableError as error:
                return error.code, error.detail
        return None

    async def _begun(self, tx: WriteTx, claimed: Claim) -> ImportJob:
        """The job, which knows at its first row how its file stands to those before."""
        job = await store.find(tx, claimed.import_id, None)
        if job is not None and not job.rows_read and job.kind == RESPONSES:
            await settle_order(tx, job.import_id, job.columns.constants.get("survey_id", ""))
            job = await store.find(tx, claimed.import_id, None)
        if job is None:
            raise LostClaim("lost_claim")
        return job

    async def _take(self, job: ImportJob, claimed: Claim, rows: Sequence[ReadRow]) -> int:
        """Store the rows of a step, in one transaction. If a row makes it fail, bisect: store each half by itself.
        Returns how many rows were isolated in this way and reported as unreadable."""
        now, claim_id = self._clock.now(), claimed.claim_id
        step = partial(take_step, job=job, claim_id=claim_id, rows=rows, now=now, journal=self._journal)
        try:
            progress = await self._database.retrying(step)
        except LostClaim:
            raise
        except Exception as error:
            middle = len(rows) // 2
            if not of_the_items(error) or (not middle and isinstance(rows[0], BadRow)):
                raise
            if not middle:
                return 1 + await self._take(job, claimed, [unreadable(rows[0].line, error)])
            return await self._take(job, claimed, rows[:middle]) + await self._take(job, claimed, rows[middle:])
        self._relay.wake()
        _count(job.kind, progress)
        return 0

    async def _fetch(self, job: ImportJob, file: BinaryIO) -> None:
        """Copy the file from PostgreSQL to an anonymous file on this machine, which is gone with the process."""
        async with self._database.read() as tx:
            async for piece in store.pieces(tx, job.import_id):
                file.write(piece)
        file.seek(0)

    async def _release(self, claimed: Claim) -> None:
        """Release the job, if PostgreSQL is reachable; else its lease expires."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS), self._database.write() as tx:
                await claims.release(tx, claimed)
        except (TimeoutError, Unavailable):
            log.warning("import_not_released", import_id=str(claimed.import_id))

    async def _let_rest(self, claimed: Claim, *, counts: bool) -> None:
        async with self._database.write() as tx:
            await claims.let_rest(tx, claimed, self._clock.now(), counts=counts)

    async def _tidy(self) -> None:
        now = self._clock.now()
        await in_pieces(self._database, lambda tx: bad_rows.forget_old(tx, now - KEPT_ROWS_LAST))
        await in_pieces(self._database, lambda tx: drafts.forget_old(tx, now - DRAFTS_LAST))
        await in_pieces(self._database, lambda tx: store.forget_finished(tx, now - self._keep))


@contextmanager
def _nameless() -> Iterator[BinaryIO]:
    """An anonymous file on this machine. Raises `NoRoom` while the disk is full."""
    try:
        with TemporaryFile() as file:
            yield file
    except OSError as error:
        raise NoRoom from error


def _open(job: ImportJob, file: BinaryIO) -> RowReader:
    answered_at = None
    if job.answered_at is not None:
        answered_at = job.answered_at.isoformat()
    reader = RowReader(file, reading_of(job.columns, job.date_format, job.time_zone, answered_at))
    reader.skip(job.rows_read)
    return reader


def _count(kind: str, progress: Progress) -> None:
    for outcome, rows in (("taken", progress.taken), ("skipped", progress.skipped), ("bad", progress.bad)):
        metrics.import_rows_total.labels(kind, outcome).inc(rows)
