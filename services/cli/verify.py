"""`tellback verify`: recompute an imported file by hand, beside what the scorer says, account by account."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.import_ import (
    ColumnsOption,
    DateFormatOption,
    FormatOption,
    SheetOption,
    TimeZoneOption,
    mapping_of,
)
from shared.errors import TellbackError

if TYPE_CHECKING:
    from services.collector.handlers.import_rows import ReadRow

AHEAD = timedelta(minutes=5)
PIECE_ROWS = 1_000
PORTFOLIO = "(portfolio)"


@dataclass(slots=True)
class Count:
    """Numbers of promoters, passives and detractors."""

    scores: Counter[int] = field(default_factory=Counter)

    @property
    def promoters(self) -> int:
        """Answers of 9 and 10."""
        return self.scores[9] + self.scores[10]

    @property
    def detractors(self) -> int:
        """Answers of 0 to 6."""
        return sum(self.scores[score] for score in range(7))

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self.scores.values())

    @property
    def nps(self) -> float | None:
        """% promoters − % detractors, the nearest double of the exact ratio; None without answers."""
        if not self.total:
            return None
        return float(Fraction(100 * (self.promoters - self.detractors), self.total))

    def figures(self) -> tuple[float | None, int, int, int]:
        """NPS, promoters, passives, detractors."""
        return self.nps, self.promoters, self.total - self.promoters - self.detractors, self.detractors


@dataclass(frozen=True, slots=True)
class HowToRead:
    """How the file was imported."""

    columns: Sequence[str] = ()
    format: str | None = None
    sheet: str | None = None
    date_format: str | None = None
    time_zone: str | None = None


def verify(
    file: Annotated[Path, typer.Argument(help="The file that was imported.", exists=True, dir_okay=False)],
    *,
    columns: ColumnsOption = None,
    format_name: FormatOption = None,
    sheet: SheetOption = None,
    date_format: DateFormatOption = None,
    time_zone: TimeZoneOption = None,
    data: DataOption = None,
    machine: JsonOption = False,
) -> None:
    """Count an imported file of NPS answers with plain arithmetic and compare with the scorer (window and method all).

    The file is read as `tellback import` reads it with the same options. Exit code 1 when any figure differs. The
    scorer must hold no other answers than those of the file.
    """
    how = HowToRead(columns or (), format_name, sheet, date_format, time_zone)
    expected, left_out = recount(file, how)
    actual = asyncio.run(_asked(data))
    rows = list(_side_by_side(expected, actual))
    different = [row for row in rows if not row[-1]]
    if machine:
        as_json({"rows_left_out": left_out, "compared": len(rows), "different": [row[0] for row in different]})
    else:
        names = ("account", "NPS by hand", "NPS", "P by hand", "P", "p by hand", "p", "D by hand", "D", "equal")
        table(names, rows)
        say(f"{len(rows) - len(different)} of {len(rows)} lines equal; {left_out} rows of the file do not count")
    if different:
        raise typer.Exit(Exit.FAILED)


def recount(file: Path, how: HowToRead) -> tuple[dict[str, Count], int]:
    """Counts by account and for all of them, and how many rows do not count (refused, or no answers of NPS). Raises
    TellbackError where the import would be refused."""
    from shared.files.lines import TableError
    from shared.files.opening import opened

    try:
        with file.open("rb") as content, opened(content, how.sheet) as found:
            return _counted(found.file, how)
    except TableError as error:
        raise TellbackError(error.code, error.detail) from None


def _counted(file: BinaryIO, how: HowToRead) -> tuple[dict[str, Count], int]:
    counts: dict[str, Count] = {PORTFOLIO: Count()}
    left_out = 0
    for row in _rows(file, how):
        answer = _nps(row)
        if answer is None:
            left_out += 1
            continue
        account_id, score = answer
        counts[PORTFOLIO].scores[score] += 1
        counts.setdefault(account_id, Count()).scores[score] += 1
    return counts, left_out


def _rows(file: BinaryIO, how: HowToRead) -> "Iterator[ReadRow]":
    """The rows as the collector reads them."""
    from services.collector.domain.columns import RESPONSES
    from services.collector.domain.dates import strptime_format
    from services.collector.handlers.import_files import check_file, reading_of
    from services.collector.handlers.import_rows import RowReader
    from shared.settings import known_zone

    try:
        form = how.date_format and strptime_format(how.date_format)
        asked_zone = how.time_zone and known_zone(how.time_zone)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    checked = check_file(file, RESPONSES, mapping_of(how.columns, RESPONSES), how.format, form, asked_zone)
    zone = checked.zone or os.environ.get("TELLBACK_TIME_ZONE", "UTC")
    reader = RowReader(file, reading_of(checked.columns, form, zone))
    try:
        while rows := reader.read(PIECE_ROWS):
            yield from rows
    finally:
        reader.release()


def _nps(row: "ReadRow") -> tuple[str, int] | None:
    """Account and score of an answer that counts."""
    from services.collector.handlers.import_rows import ResponseRow

    if not isinstance(row, ResponseRow) or row.body.survey_type != "nps" or row.body.test:
        return None
    if row.body.answered_at is not None and row.body.answered_at > datetime.now(UTC) + AHEAD:
        return None
    return row.body.account_id, row.body.score


async def _asked(data: Path | None) -> dict[str, Mapping[str, Any]]:
    """The scorer's figures by account and for the portfolio."""
    every = {"window": "all", "method": "all"}
    async with asking({"scorer": service_url("scorer", data)}, data) as api:
        portfolio = await api.get("scorer", "/v1/portfolio/score", **every)
        figures: dict[str, Mapping[str, Any]] = {PORTFOLIO: portfolio["groups"][0]}
        async for page in api.pages("scorer", "/v1/accounts", **every):
            figures |= {account["account_id"]: account for account in page}
    return figures


def _side_by_side(expected: Mapping[str, Count], actual: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for name in sorted(expected.keys() | actual.keys()):
        by_hand = expected.get(name, Count()).figures()
        figures = actual.get(name, {})
        counts = [figures.get(count, 0) for count in ("promoter_count", "passive_count", "detractor_count")]
        scored = (figures.get("nps"), *counts)
        yield name, *_interleaved(by_hand, scored), by_hand == scored


def _interleaved(left: Iterable[Any], right: Iterable[Any]) -> Iterator[Any]:
    for pair in zip(left, right, strict=True):
        yield from pair
