"""Pages in an order that stands still: by one sort value, None last, then by ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.db.sql import comma_list

_COLLATED: Final = '{0} collate "C"'


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: the SQL expression and its type, whether it descends, and the id columns that break ties,
    ascending. `required` says that the expression is never null, so that an index on it serves the order."""

    expression: str
    sql_type: str
    descending: bool
    ids: tuple[str, ...]
    required: bool = False

    def by(self) -> str:
        """The `order by` clause."""
        direction, nulls = "asc", " nulls last"
        if self.descending:
            direction = "desc"
        if self.required:
            nulls = ""
        return f" order by {self.expression} {direction}{nulls}, {comma_list(_COLLATED, self.ids)}"

    def after(self, position: Sequence[Any] | None) -> str:
        """The condition for rows after a position (the sort value, then the ids), beginning with ` and`."""
        if position is None:
            return ""
        ids = ", ".join(f":after_id{number}" for number in range(len(self.ids)))
        same = f"({comma_list(_COLLATED, self.ids)}) > ({ids})"
        if position[0] is None:
            return f" and {self.expression} is null and {same}"
        value = f"cast(:after_value as {self.sql_type})"
        beyond = ">"
        if self.descending:
            beyond = "<"
        if self.required:
            further = f"({self.expression} {beyond} {value} or {same})"
            return f" and {self.expression} {beyond}= {value} and {further}"
        return (
            f" and ({self.expression} {beyond} {value} or {self.expression} is null"
            f" or ({self.expression} = {value} and {same}))"
        )

    def bound(self, position: Sequence[Any] | None) -> dict[str, Any]:
        """The values that `after` binds."""
        if position is None:
            return {}
        ids = {f"after_id{number}": value for number, value in enumerate(position[1:])}
        return {"after_value": position[0], **ids}


def contains(text: str) -> str:
    """A pattern for `ilike` that finds the text anywhere; its own wildcards are only characters."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
