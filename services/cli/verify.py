"""`tellback verify`: recompute an imported file by hand, beside what the scorer says, account by account."""

import asyncio
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from shared.errors import TellbackError

EARLIEST = date(2000, 1, 1)
PORTFOLIO = "(portfolio)"
WHOLE = re.compile(r"([0-9]{1,9})(?:\.0{1,9})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""The collector's forms of a score and of an ISO date; `9/1`, other digits and `20260331` are refused."""
AccountOption = Annotated[str, typer.Option("--account", metavar="COLUMN", help="Column of the account.")]
ScoreOption = Annotated[str, typer.Option("--score", metavar="COLUMN", help="Column of the score, 0 to 10.")]
DateOption = Annotated[str, typer.Option("--date", metavar="COLUMN", help="Column of the ISO date.")]


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


def verify(
    file: Annotated[Path, typer.Argument(help="The file that was imported.", exists=True, dir_okay=False)],
    account: AccountOption = "account",
    score: ScoreOption = "score",
    when: DateOption = "date",
    data: DataOption = None,
    machine: JsonOption = False,
) -> None:
    """Count an imported file of NPS answers with plain arithmetic and compare with the scorer (window and method all).

    Exit code 1 when any figure differs. The scorer must hold no other answers than those of the file.
    """
    try:
        expected, left_out = recount(file, account, score, when)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TellbackError("unreadable_file", f"{file.name} is not a CSV file in UTF-8: {error}") from None
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


def recount(file: Path, account: str, score: str, when: str) -> tuple[dict[str, Count], int]:
    """Counts by account and for all of them, and how many rows do not count (no score, no date in range)."""
    counts: dict[str, Count] = {PORTFOLIO: Count()}
    left_out = 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = {account, score, when} - set(reader.fieldnames or ())
        if missing:
            raise TellbackError("no_such_column", f"the file has no column {', '.join(sorted(missing))}")
        for row in reader:
            value = _score(row[score])
            if value is None or not _in_range(row[when]) or not row[account].strip():
                left_out += 1
                continue
            counts[PORTFOLIO].scores[value] += 1
            counts.setdefault(row[account].strip(), Count()).scores[value] += 1
    return counts, left_out


def _score(cell: str | None) -> int | None:
    digits = WHOLE.fullmatch((cell or "").strip())
    if digits is None or int(digits[1]) > 10:
        return None
    return int(digits[1])


def _in_range(cell: str | None) -> bool:
    day = DAY.match((cell or "").strip())
    try:
        return day is not None and date.fromisoformat(day[0]) >= EARLIEST
    except ValueError:
        return False


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
