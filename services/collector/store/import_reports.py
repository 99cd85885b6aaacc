"""Reports of imports: the rows that were not taken, and why."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.files.table import BadRow

Outcome = Literal["bad", "skipped", "noted"]
"""`noted`: the row was taken, and something is told about it."""
_PROBLEMS = "select line, outcome, code, field, reason from import_problems where import_id = :import_id order by line"


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was not taken, or of which something is told, as in the report."""

    outcome: Outcome
    row: BadRow


async def count_bad(tx: ReadTx, import_id: UUID, code: str) -> int:
    """How many rows are in the report with this code."""
    statement = "select count(*) from import_problems where import_id = :import_id and code = :code"
    return int(await tx.scalar(statement, import_id=import_id, code=code))


async def note_problems(tx: WriteTx, import_id: UUID, problems: Sequence[Problem]) -> None:
    """Add rows to the report."""
    if not problems:
        return
    await tx.execute(
        "insert into import_problems (import_id, line, outcome, code, field, reason)"
        " select :import_id, * from unnest(cast(:lines as bigint[]), cast(:outcomes as text[]), cast(:codes as text[]),"
        " cast(:fields as text[]), cast(:reasons as text[])) on conflict do nothing",
        import_id=import_id,
        **as_columns(
            {
                "lines": problem.row.line,
                "outcomes": problem.outcome,
                "codes": problem.row.code,
                "fields": problem.row.field,
                "reasons": problem.row.reason,
            }
            for problem in problems
        ),
    )


async def note_lost(tx: WriteTx, import_id: UUID, lost: BadRow) -> None:
    """Make a row that was taken a bad one: in the report, whatever that told of it, and in the counts. Nothing is
    changed where the row is bad already or the report is gone."""
    noted = await tx.execute(
        "insert into import_problems (import_id, line, outcome, code, field, reason)"
        " select import_id, :line, 'bad', :code, null, :reason from imports where import_id = :import_id"
        " on conflict (import_id, line) do update"
        " set outcome = 'bad', code = excluded.code, field = null, reason = excluded.reason"
        " where import_problems.outcome = 'noted'",
        import_id=import_id,
        line=lost.line,
        code=lost.code,
        reason=lost.reason,
    )
    if noted:
        await tx.execute(
            "update imports set taken = taken - 1, bad = bad + 1 where import_id = :import_id", import_id=import_id
        )


async def problems(tx: ReadTx, import_id: UUID, limit: int) -> list[Problem]:
    """The first rows of the report, in the order of the file."""
    rows = await tx.all(f"{_PROBLEMS} limit :limit", import_id=import_id, limit=limit)
    return [_problem(row) for row in rows]


async def all_problems(tx: ReadTx, import_id: UUID) -> AsyncIterator[Problem]:
    """The whole report, streamed."""
    async for row in tx.stream(_PROBLEMS, import_id=import_id):
        yield _problem(row)


def _problem(row: RowMapping) -> Problem:
    return Problem(row["outcome"], BadRow(row["line"], row["code"], row["reason"], row["field"]))
