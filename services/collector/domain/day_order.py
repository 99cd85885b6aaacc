"""Several answers of one person on one day, where dates have no time: the direction of the file orders them."""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal

from services.collector.domain import csv_values
from services.collector.domain.csv_values import CellError
from services.collector.domain.rows import Reading

Direction = Literal[1, -1]
"""1: the oldest rows come first, also where nothing tells; -1: the newest do."""
_TIME: Final = re.compile(r"[0-9]:[0-9]|[0-9]\s*[AaPp]\.?[Mm]|[0-9]{9,}|^[0-9]+\.[0-9]+$|[0-9]T[0-9]")
_TAIL: Final = 100


def is_day_alone(cell: str) -> bool:
    """Whether a date says no time of day."""
    return bool(cell) and _TIME.search(cell) is None


def direction_of(reading: Reading, rows: Iterable[Sequence[str]]) -> Direction:
    """By the first dated row against the last one, within reach of the file's ends."""
    place = reading.columns.places.get("answered_at")
    if place is None:
        return 1
    head: list[str] = []
    tail: deque[str] = deque(maxlen=_TAIL)
    for cells in rows:
        cell = cells[place].strip()
        if len(head) < _TAIL:
            head.append(cell)
        tail.append(cell)
    first, last = _first_date(head, reading.date_format), _first_date(reversed(tail), reading.date_format)
    if first is not None and last is not None and last < first:
        return -1
    return 1


def _first_date(cells: Iterable[str], date_format: str | None) -> datetime | None:
    for cell in cells:
        try:
            return csv_values.moment(cell, date_format)
        except CellError:
            continue
    return None
