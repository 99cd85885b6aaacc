"""Several answers of one person on one day, where dates have no time: the direction of the file orders them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.collector.domain.csv_values import CellError
from services.collector.domain.dates import DateReading, moment

_REACH: Final = 100
"""How many cells from the first or the last one a date is looked for."""


@dataclass(slots=True)
class DateEnds:
    """The cells of dates at both ends of a file."""

    first: list[str] = field(default_factory=list)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_REACH))

    def see(self, cell: str) -> None:
        """Note the date of the next row."""
        if len(self.first) < _REACH:
            self.first.append(cell)
        self.last.append(cell)

    def newest_first(self, dates: DateReading) -> bool:
        """Whether the first date is later than the last one; not where nothing tells."""
        first, last = _first_date(self.first, dates), _first_date(reversed(self.last), dates)
        return first is not None and last is not None and last < first


def _first_date(cells: Iterable[str], dates: DateReading) -> datetime | None:
    for cell in cells:
        try:
            return moment(cell, dates).moment
        except CellError:
            continue
    return None
