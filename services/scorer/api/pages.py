"""Pages of lists in an order: positions to cursors and back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shared.http.paging import decode_cursor, encode_cursor, parse_sort

_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "numeric": Decimal,
    "timestamptz": datetime.fromisoformat,
}


class Listing:
    """One list in one order: `sort` as the caller sent it, `sorts` key → (SQL expression, SQL type)."""

    def __init__(self, name: str, sort: str, sorts: Mapping[str, tuple[str, str]], *ids: str) -> None:
        self.sort, self.descending = parse_sort(sort, sorts)
        self._type = sorts[self.sort][1]
        self._purpose = f"{name} {sort}"
        self._ids = ids

    def position(self, cursor: str | None) -> Sequence[Any] | None:
        """The sort value and the ids after which the page begins. Raises `Invalid` for a cursor of another
        list."""
        if cursor is None:
            return None
        value, *ids = decode_cursor(cursor, self._purpose)
        convert = _FROM_TEXT.get(self._type)
        return [value if value is None or convert is None else convert(value), *ids]

    def cut(self, rows: Sequence[dict[str, Any]], limit: int) -> tuple[Sequence[dict[str, Any]], str | None]:
        """The rows of the page, of up to `limit` + 1, and the cursor of the next one."""
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        value = last["sort_value"]
        plain = value.isoformat() if isinstance(value, date) else value
        return rows[:limit], encode_cursor([plain, *(last[name] for name in self._ids)], self._purpose)
