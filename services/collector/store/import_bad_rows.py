"""Rows of files that were not taken, with their cells, for a week: whoever brought the file mends them and brings them
again. They hold what the file says of people, so they are kept apart from the reports, which repeat no cell."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names


@dataclass(frozen=True, slots=True)
class KeptRow:
    """The cells of a row, and why it was not taken."""

    cells: Sequence[str]
    field: str | None
    reason: str


async def keep(tx: WriteTx, import_id: UUID, rows: Mapping[int, Sequence[str]], now: datetime, most: int) -> None:
    """Store the cells of rows by their lines, at most `most` of an import."""
    if not rows:
        return
    kept = int(await tx.scalar("select count(*) from import_bad_rows where import_id = :id", id=import_id))
    lines = sorted(rows)[: max(0, most - kept)]
    await tx.execute_many(
        "insert into import_bad_rows (import_id, line, cells, kept_at)"
        " values (:import_id, :line, cast(:cells as jsonb), :now) on conflict do nothing",
        [{"import_id": import_id, "line": line, "cells": list(rows[line]), "now": now} for line in lines],
    )


async def count(tx: ReadTx, import_id: UUID) -> int:
    """How many rows of an import are kept."""
    return int(await tx.scalar("select count(*) from import_bad_rows where import_id = :id", id=import_id))


async def kept_rows(tx: ReadTx, import_id: UUID) -> AsyncIterator[KeptRow]:
    """The rows of an import in the order of the file, streamed."""
    statement = (
        "select cells, field, reason from import_bad_rows join import_problems using (import_id, line)"
        " where import_id = :import_id order by line"
    )
    async for row in tx.stream(statement, import_id=import_id):
        yield KeptRow(row["cells"], row["field"], row["reason"])


async def forget_named(tx: WriteTx, names: Names) -> None:
    """Delete rows that hold one of the names, also as a part of a word."""
    await tx.execute(
        "delete from import_bad_rows where cast(cells as text) ilike any(cast(:patterns as text[]))",
        patterns=names.patterns(),
    )


async def forget_old(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of the rows that were kept before this time; returns how many."""
    return await delete_piece(tx, "import_bad_rows", "kept_at < :before", "kept_at", before=before)
