"""Import jobs: their files in pieces, their claims, their progress and their reports."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping

from services.collector.domain.columns import Columns, Kind
from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx
from shared.events.files import Mode
from shared.files.opening import Remark

State = Literal["queued", "running", "done", "failed"]
_SENDER_LOCKS = 0x7E1A
FORGOTTEN_AT_ONCE = 100
"""Jobs; the rows that they did not take go with them."""
_COLUMNS = (
    "import_id, kind, state, file_name, file_rows, columns, date_format, time_zone, answered_at, remarks, quiet,"
    " created_by, owner_email, created_at, started_at, finished_at, rows_read, taken, skipped, bad, error_code,"
    " error_detail, attempts, same_as, mode, written_at, older_than, undone_at"
)


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One uploaded file and its progress."""

    import_id: UUID
    kind: Kind
    state: State
    file_name: str | None
    file_rows: int
    columns: Columns
    date_format: str | None
    time_zone: str
    answered_at: datetime | None
    remarks: Sequence[Remark]
    quiet: bool
    created_by: str
    owner_email: str | None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows_read: int = 0
    taken: int = 0
    skipped: int = 0
    bad: int = 0
    error_code: str | None = None
    error_detail: str | None = None
    attempts: int = 0
    same_as: UUID | None = None
    mode: Mode = "upsert"
    written_at: datetime | None = None
    older_than: datetime | None = None
    undone_at: datetime | None = None


async def create(tx: WriteTx, job: ImportJob) -> None:
    """Insert a job; its file follows piece by piece in the same transaction."""
    await tx.execute(
        "insert into imports (import_id, kind, file_name, file_rows, columns, date_format, time_zone, answered_at,"
        " remarks, quiet, created_by, owner_email, created_at, mode, written_at) values (:import_id, :kind, :file_name,"
        " :file_rows, cast(:columns as jsonb), :date_format, :time_zone, :answered_at, cast(:remarks as jsonb), :quiet,"
        " :created_by, :owner_email, :created_at, :mode, :written_at)",
        import_id=job.import_id,
        kind=job.kind,
        file_name=job.file_name,
        file_rows=job.file_rows,
        columns={
            "header": list(job.columns.header),
            "places": dict(job.columns.places),
            "constants": dict(job.columns.constants),
            "format": job.columns.format,
            "before": job.columns.before,
            "names": [[*key, name] for key, name in job.columns.names.items()],
            "newest_first": job.columns.newest_first,
            "heads": job.columns.heads,
        },
        date_format=job.date_format,
        time_zone=job.time_zone,
        answered_at=job.answered_at,
        remarks=[asdict(remark) for remark in job.remarks],
        quiet=job.quiet,
        created_by=job.created_by,
        owner_email=job.owner_email,
        created_at=job.created_at,
        mode=job.mode,
        written_at=job.written_at,
    )


async def add_piece(tx: WriteTx, import_id: UUID, position: int, piece: bytes) -> None:
    """Store the next piece of the file."""
    await tx.execute(
        "insert into import_pieces (import_id, position, bytes) values (:import_id, :position, :bytes)",
        import_id=import_id,
        position=position,
        bytes=piece,
    )


async def note_digest(tx: WriteTx, import_id: UUID, digest: bytes) -> UUID | None:
    """Store the digest of a file; returns the last complete import of the same file of answers, read in the same way,
    for a caller with the same limits. Files of the directory are never repeats: they undo changes made since."""
    earlier: UUID | None = await tx.scalar(
        """
        update imports set file_digest = :digest, same_as = (
            select i.import_id from imports i
            where i.file_digest = :digest and i.state = 'done' and i.kind = imports.kind and i.kind = 'responses'
                and i.columns - 'names' = imports.columns - 'names'
                and i.date_format is not distinct from imports.date_format
                and i.time_zone = imports.time_zone
                and i.answered_at is not distinct from imports.answered_at
                and i.owner_email is not distinct from imports.owner_email
            order by i.finished_at desc limit 1
        ) where import_id = :import_id returning same_as
        """,
        import_id=import_id,
        digest=digest,
    )
    return earlier


async def waiting(tx: ReadTx, sender: str) -> tuple[int, int]:
    """The number of a key's unfinished files, and their bytes."""
    row = await tx.one(
        "select count(distinct import_id) as files, coalesce(sum(octet_length(bytes)), 0) as bytes from imports"
        " left join import_pieces using (import_id) where state in ('queued', 'running') and created_by = :sender",
        sender=sender,
    )
    if row is None:
        return 0, 0
    return row["files"], int(row["bytes"])


async def hold_sender(tx: WriteTx, sender: str) -> None:
    """Lock the key until this transaction ends, so that no other file of it is stored meanwhile."""
    await tx.execute("select pg_advisory_xact_lock(:space, hashtext(:sender))", space=_SENDER_LOCKS, sender=sender)


async def pieces(tx: ReadTx, import_id: UUID) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    position = 0
    while True:
        piece = await tx.scalar(
            "select bytes from import_pieces where import_id = :import_id and position = :position",
            import_id=import_id,
            position=position,
        )
        if piece is None:
            return
        yield bytes(piece)
        position += 1


async def find(tx: ReadTx, import_id: UUID, owner_email: str | None) -> ImportJob | None:
    """A job; a caller limited to one owner's accounts finds only jobs sent with the same limit."""
    row = await tx.one(
        f"select {_COLUMNS} from imports where import_id = :import_id"
        " and (cast(:owner_email as text) is null or owner_email = :owner_email)",
        import_id=import_id,
        owner_email=owner_email,
    )
    if row is None:
        return None
    return _job(row)


async def newest(
    tx: ReadTx, owner_email: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[ImportJob]:
    """The newest jobs, or those before one (its `created_at` and id), for a caller with the same limit."""
    created_at, import_id = before or (None, None)
    rows = await tx.all(
        f"select {_COLUMNS} from imports where (cast(:owner_email as text) is null or owner_email = :owner_email)"
        " and (cast(:created_at as timestamptz) is null or (created_at, import_id) < (:created_at, :import_id))"
        " order by created_at desc, import_id desc limit :limit",
        owner_email=owner_email,
        created_at=created_at,
        import_id=import_id,
        limit=limit,
    )
    return list(map(_job, rows))


async def count_occurrences(tx: WriteTx, import_id: UUID, counts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Add to the number of occurrences of each digest; returns the numbers before."""
    digests = sorted(counts)
    rows = await tx.all(
        "insert into import_occurrences (import_id, digest, seen)"
        " select :import_id, * from unnest(cast(:digests as uuid[]), cast(:counts as int[]))"
        " on conflict (import_id, digest) do update set seen = import_occurrences.seen + excluded.seen"
        " returning digest, seen",
        import_id=import_id,
        digests=digests,
        counts=[counts[digest] for digest in digests],
    )
    return {row["digest"]: row["seen"] - counts[row["digest"]] for row in rows}


async def forget_finished(tx: WriteTx, before: datetime) -> int:
    """Delete some of the jobs that ended before this time, with the rows that they did not take; returns how many."""
    return await delete_piece(tx, "imports", "finished_at < :before", "finished_at", FORGOTTEN_AT_ONCE, before=before)


def _job(row: RowMapping) -> ImportJob:
    stored = row["columns"]
    columns = Columns(
        row["kind"],
        tuple(stored["header"]),
        stored["places"],
        stored["constants"],
        stored["format"],
        stored["before"],
        {(field, its_id): name for field, its_id, name in stored.get("names", [])},
        stored["newest_first"],
        tuple(map(tuple, stored["heads"])),
    )
    remarks = [Remark(**remark) for remark in row["remarks"]]
    return ImportJob(**{**row, "columns": columns, "remarks": remarks})
