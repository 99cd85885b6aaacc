"""What became of the rows of imports: counts by import and partition, lines of rows that changed or could not, and the
imports that were undone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.db.pieces import delete_piece
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.events.files import RowOutcome

OUTCOMES: Final[Sequence[RowOutcome]] = ("new", "amended", "same", "kept", "conflict", "gone", "dropped")
MOST_LINES = 10_000
"""Lines that are kept of an import; the counts are of all rows."""
_SUMS: Final = comma_list("{0} = s.{0} + excluded.{0}", OUTCOMES)
COUNT = f"""
    insert into import_rows_seen as s (import_id, partition, last_offset, {", ".join(OUTCOMES)})
    select * from unnest(cast(:import_ids as uuid[]), cast(:partitions as int[]), cast(:last_offsets as bigint[]),
        {comma_list("cast(:{0} as bigint[])", OUTCOMES)})
    on conflict (import_id, partition) do update
    set last_offset = greatest(s.last_offset, excluded.last_offset), {_SUMS}
"""
KEEP_LINES = """
    with full_up as (
        select import_id from import_lines where import_id = any(cast(:import_ids as uuid[]))
        group by import_id having count(*) >= :most
    )
    insert into import_lines (import_id, line, outcome, code, fields, seen_at)
    select import_id, line, outcome, code, fields::text[], :seen_at
    from unnest(cast(:import_ids as uuid[]), cast(:lines as bigint[]), cast(:outcomes as text[]),
        cast(:codes as text[]), cast(:fields as text[])) as r(import_id, line, outcome, code, fields)
    where import_id not in (select import_id from full_up)
    on conflict do nothing
"""

Part = tuple[UUID, int]
"""An import and a partition."""


class Line(NamedTuple):
    """What became of one row; `fields` are those whose values do not stand."""

    line: int
    outcome: RowOutcome
    code: str
    fields: Sequence[str]


async def counted_until(tx: ReadTx, import_ids: Iterable[UUID]) -> dict[Part, int]:
    """The last offset of each import and partition whose row was counted."""
    rows = await tx.all(
        "select import_id, partition, last_offset from import_rows_seen where import_id = any(cast(:ids as uuid[]))",
        ids=list(import_ids),
    )
    return {(row["import_id"], row["partition"]): row["last_offset"] for row in rows}


async def count(tx: WriteTx, counts: Mapping[Part, tuple[int, Mapping[RowOutcome, int]]]) -> None:
    """Add to the counts: the last offset of each import and partition, and its rows by outcome."""
    rows = []
    for (import_id, partition), (last_offset, outcomes) in sorted(counts.items()):
        row: dict[str, Any] = {"import_ids": import_id, "partitions": partition, "last_offsets": last_offset}
        for name in OUTCOMES:
            row[name] = outcomes.get(name, 0)
        rows.append(row)
    if rows:
        await tx.execute(COUNT, **as_columns(rows))


async def keep_lines(tx: WriteTx, lines: Sequence[tuple[UUID, Line]], now: datetime) -> None:
    """Keep the lines of an import, as long as there are fewer than `MOST_LINES`."""
    rows = []
    for import_id, line in lines[:MOST_LINES]:
        rows.append(
            {
                "import_ids": import_id,
                "lines": line.line,
                "outcomes": line.outcome,
                "codes": line.code,
                "fields": "{" + ",".join(line.fields) + "}",
            }
        )
    if rows:
        await tx.execute(KEEP_LINES, **as_columns(rows), most=MOST_LINES, seen_at=now)


async def counts_of(tx: ReadTx, import_id: UUID) -> dict[RowOutcome, int]:
    """How many rows of an import were read so far, by outcome; all 0 where none was."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in OUTCOMES)
    row = await tx.one(f"select {sums} from import_rows_seen where import_id = :import_id", import_id=import_id)
    counts: dict[RowOutcome, int] = dict.fromkeys(OUTCOMES, 0)
    for name in OUTCOMES:
        if row is not None:
            counts[name] = row[name]
    return counts


async def lines_of(tx: ReadTx, import_id: UUID, limit: int) -> list[Line]:
    """The first lines that are kept of an import."""
    rows = await tx.all(
        "select line, outcome, code, fields from import_lines where import_id = :import_id order by line limit :limit",
        import_id=import_id,
        limit=limit,
    )
    return [Line(row["line"], row["outcome"], row["code"], row["fields"]) for row in rows]


async def forget_lines(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of the lines that were kept before then; returns how many."""
    return await delete_piece(tx, "import_lines", "seen_at < :before", "seen_at", before=before)


async def undo(tx: WriteTx, import_id: UUID, account_id: str, undone_at: datetime) -> bool:
    """Note that an import is undone for an account; False if that was known."""
    return bool(
        await tx.execute(
            "insert into undone_imports (import_id, account_id, undone_at) values (:import_id, :account_id, :undone_at)"
            " on conflict do nothing",
            import_id=import_id,
            account_id=account_id,
            undone_at=undone_at,
        )
    )


async def undone(tx: ReadTx, import_ids: Iterable[UUID]) -> set[tuple[UUID, str]]:
    """Which of these imports are undone, by import and account."""
    rows = await tx.all(
        "select import_id, account_id from undone_imports where import_id = any(cast(:ids as uuid[]))",
        ids=list(import_ids),
    )
    return {(row["import_id"], row["account_id"]) for row in rows}


async def undone_at(tx: ReadTx, import_id: UUID) -> datetime | None:
    """When an import was undone; None unless it was."""
    found: datetime | None = await tx.scalar(
        "select min(undone_at) from undone_imports where import_id = :import_id", import_id=import_id
    )
    return found
