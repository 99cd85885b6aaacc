"""Turns the cells of a row into the values of a record, in the form in which a client would post them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.collector.domain import csv_values as read
from services.collector.domain.columns import RESPONSES, Columns
from services.collector.domain.csv_values import CellError

PASSED_OVER = "not_an_answer"


class RowError(Exception):
    """A row that is refused because of one field."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its columns, the strptime form of its dates, and the time of answers without one."""

    columns: Columns
    date_format: str | None = None
    answered_at: str | None = None


def row_values(reading: Reading, row: Sequence[str]) -> dict[str, Any]:
    """The values of a row; an empty cell is an absent field. Raises RowError for the first cell that is refused."""
    columns = reading.columns
    for place, words in columns.only.items():
        if row[place].strip().casefold() not in words:
            raise RowError(PASSED_OVER, columns.header[place], "the row is not an answer")
    texts = {field: row[place].strip() for field, place in columns.places.items()} | dict(columns.constants)
    values: dict[str, Any] = {}
    for field, text in texts.items():
        if text:
            try:
                _place(values, field, _value(columns.kind, field, text, reading.date_format))
            except CellError as error:
                raise RowError(error.code, field, error.hint) from None
    _join_names(values)
    if columns.kind == RESPONSES:
        _complete_response(values, reading)
    if "account_id" not in values:
        raise RowError("missing_account", "account_id", "the row names no account")
    return values


def _value(kind: str, field: str, text: str, date_format: str | None) -> Any:
    if field == "answered_at":
        return read.moment(text, date_format).isoformat()
    if field in ("renewal_on", "closed_on"):
        return read.day(text, date_format).isoformat()
    if kind == RESPONSES and field == "product":
        return text
    reader = _READERS.get(field)
    if reader is None:
        return text
    return reader(text)


def _word(text: str) -> str:
    """A word of an enumeration: `Decision Maker` is decision_maker."""
    return "_".join(text.replace("-", " ").casefold().split())


_READERS: Mapping[str, Callable[[str], Any]] = {
    "score": read.whole_number,
    "follow_up_requested": read.flag,
    "test": read.flag,
    "answers": read.json_value,
    "attributes": read.json_value,
    "annual_revenue.amount": lambda text: str(read.amount(text)),
    "products": read.words,
    "domains": read.words,
    "tier": _word,
    "type": _word,
    "survey_type": _word,
    "nps_kind": _word,
    "channel": _word,
}


def _place(values: dict[str, Any], field: str, value: Any) -> None:
    """Put `owner.email` under owner, email."""
    outer, dot, inner = field.partition(".")
    if dot:
        values.setdefault(outer, {})[inner] = value
    else:
        values[field] = value


def _join_names(values: dict[str, Any]) -> None:
    parts = [values.pop(part, "") for part in ("first_name", "last_name")]
    joined = " ".join(part for part in parts if part)
    if joined and "name" not in values:
        values["name"] = joined


def _complete_response(values: dict[str, Any], reading: Reading) -> None:
    if "score" not in values:
        raise RowError("missing_score", "score", "the row has no score")
    values.setdefault("survey_type", "nps")
    if "answered_at" not in values and reading.answered_at is not None:
        values["answered_at"] = reading.answered_at
    if "answered_at" not in values and "answered_at" in reading.columns.places:
        raise RowError("missing_date", "answered_at", "the row has no date; answered_at can name one for such rows")
    if "stakeholder_id" not in values and "email" not in values:
        raise RowError("missing_person", "stakeholder_id", "the row names no person")
