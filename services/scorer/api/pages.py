"""Pages of lists in an order: positions to cursors and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.http import paging
from shared.http.paging import Kind, encode_cursor, parse_sort, read_cursor

_KINDS: Mapping[str, Kind] = {
    "date": paging.day,
    "float8": paging.number,
    "int": paging.integer,
    "numeric": paging.decimal,
    "text": paging.text,
    "timestamptz": paging.instant,
}
"""How the value of a sort is read, by its SQL type."""


class Listing:
    """One list in one order: `sort` as the caller sent it, `sorts` key → (SQL expression, SQL type)."""

    def __init__(self, name: str, sort: str, sorts: Mapping[str, tuple[str, str]], *ids: str) -> None:
        self.sort, self.descending = parse_sort(sort, sorts)
        self._kind = _KINDS[sorts[self.sort][1]]
        self._purpose = f"{name} {sort}"
        self._ids = ids

    def position(self, cursor: str | None) -> Sequence[Any] | None:
        """The sort value and the ids after which the page begins. Raises `Invalid` for a cursor of another
        list."""
        if cursor is None:
            return None
        return read_cursor(cursor, self._purpose, paging.or_none(self._kind), *(paging.text for _ in self._ids))

    def cut(self, rows: Sequence[dict[str, Any]], limit: int) -> tuple[Sequence[dict[str, Any]], str | None]:
        """The rows of the page, of up to `limit` + 1, and the cursor of the next one."""
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        values = [last["sort_value"], *(last[name] for name in self._ids)]
        return rows[:limit], encode_cursor(values, self._purpose)
