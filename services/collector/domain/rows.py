"""Turns the cells of a row into the values of a record, in the form in which a client would post them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.collector.domain import csv_values as read
from services.collector.domain import dates
from services.collector.domain.columns import ACCOUNTS, RESPONSES, Columns
from services.collector.domain.csv_values import CellError
from services.collector.domain.dates import PLAIN, DateReading
from services.collector.domain.formats import NO_FORMAT, Format
from services.collector.domain.row_ids import NAMED_BY_ID, SlashedNames, id_of
from shared.files.formulas import plain

PASSED_OVER = "not_an_answer"
TOLD: Mapping[str, str] = {
    "local_time_gap": "the clocks were put forward over this time; it is taken as if they had not been",
    "local_time_twice": "the clocks showed this time twice that day; the first is taken",
}


class RowError(Exception):
    """A row that is refused because of one field."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Note:
    """What is told about a row that is taken."""

    code: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its columns, its tool, its dates, the time of answers without one, and names in it that stand
    for ids."""

    columns: Columns
    dates: DateReading = PLAIN
    answered_at: str | None = None
    format: Format = NO_FORMAT
    names: SlashedNames = field(default_factory=SlashedNames)


@dataclass(slots=True)
class RowValues:
    """A row as values; `cells` is its identity: the mapped cells, account and person in one form, the rest as it is.
    `is_day`: of the time of the answer only the day is known."""

    values: dict[str, Any]
    cells: Mapping[str, str]
    notes: list[Note] = field(default_factory=list)
    is_day: bool = False


def texts_of(reading: Reading, row: Sequence[str]) -> dict[str, str]:
    """Field -> text, trimmed; empty cells are left out."""
    texts = {name: row[place].strip() for name, place in reading.columns.places.items()}
    if reading.format.escaped:
        texts = {name: plain(text) for name, text in texts.items()}
    texts |= reading.columns.constants
    return {name: text for name, text in texts.items() if text}


def row_values(reading: Reading, row: Sequence[str]) -> RowValues:
    """The values of a row; an empty cell is an absent field. Raises RowError for the first cell that is refused."""
    columns = reading.columns
    texts = texts_of(reading, row)
    if reading.format.by_email and "email" in texts:
        texts.pop("stakeholder_id", None)
    values: dict[str, Any] = {}
    found = RowValues(values, _identity(texts))
    for name, text in texts.items():
        try:
            _place(values, name, _value(reading, name, text, found))
        except CellError as error:
            raise RowError(error.code, name, error.hint) from None
    _join_names(values)
    if columns.kind == ACCOUNTS and values.get("account_id") != texts.get("account_id"):
        values.setdefault("name", texts["account_id"])
    if columns.kind == RESPONSES:
        _complete_response(values, reading)
    if "account_id" not in values:
        raise RowError("missing_account", "account_id", "the row names no account")
    return found


def _value(reading: Reading, name: str, text: str, found: RowValues) -> Any:
    kind = reading.columns.kind
    if name == "answered_at":
        date = dates.moment(text, reading.dates)
        if date.said:
            found.notes.append(Note(date.said, name, TOLD[date.said]))
        found.is_day = date.is_day
        return date.moment.isoformat()
    if name in _DAYS:
        return dates.day(text, reading.dates).isoformat()
    if name in NAMED_BY_ID:
        if reading.names.clash(name, text):
            raise CellError("same_id", "another name in the file stands for the same id; rename one of them")
        return id_of(name, text)
    words = reading.format.words.get(name)
    if words and text.casefold() in words:
        return words[text.casefold()]
    if kind == RESPONSES and name == "product":
        return text
    reader = _READERS.get(name)
    if reader is None:
        return text
    return reader(text)


def _word(text: str) -> str:
    """A word of an enumeration: `Decision Maker` is decision_maker."""
    return "_".join(text.replace("-", " ").casefold().split())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CellError("not_json", "write JSON, as our own exports do") from None


def _attributes(text: str) -> Any:
    found = _json(text)
    if isinstance(found, dict):
        return found
    raise CellError("not_json", "write a JSON object, as our own exports do")


def _words(text: str) -> Any:
    if text.startswith("["):
        return _json(text)
    return read.words(text)


def _permission(text: str) -> str:
    """Yes and no, as tools write them, or one of our words."""
    try:
        granted = read.flag(text)
    except CellError:
        return _word(text)
    if granted:
        return "granted"
    return "refused"


_DAYS = ("renewal_on", "closed_on", "customer_since", "do_not_ask.until")
_READERS: Mapping[str, Callable[[str], Any]] = {
    "score": read.whole_number,
    "follow_up_requested": read.flag,
    "test": read.flag,
    "annual_revenue.amount": lambda text: str(read.amount(text)),
    "products": _words,
    "domains": _words,
    "answers": _json,
    "attributes": _attributes,
    "tier": _word,
    "type": _word,
    "survey_type": _word,
    "nps_kind": _word,
    "channel": _word,
    "mail_permission": _permission,
}


def _place(values: dict[str, Any], name: str, value: Any) -> None:
    """Put `owner.email` under owner, email."""
    outer, dot, inner = name.partition(".")
    if dot:
        values.setdefault(outer, {})[inner] = value
    else:
        values[name] = value


def _join_names(values: dict[str, Any]) -> None:
    parts = [values.pop(part, "") for part in ("first_name", "last_name")]
    joined = " ".join(part for part in parts if part)
    if joined and "name" not in values:
        values["name"] = joined


def _complete_response(values: dict[str, Any], reading: Reading) -> None:
    if "score" not in values:
        if reading.columns.format is not None:
            raise RowError(PASSED_OVER, "score", "the row has no score: it is not an answer")
        raise RowError("missing_score", "score", "the row has no score")
    values.setdefault("survey_type", "nps")
    if "answered_at" not in values and reading.answered_at is not None:
        values["answered_at"] = reading.answered_at
    if "answered_at" not in values and "answered_at" in reading.columns.places:
        raise RowError("missing_date", "answered_at", "the row has no date; answered_at can name one for such rows")
    if "stakeholder_id" not in values and "email" not in values:
        raise RowError("missing_person", "stakeholder_id", "the row names no person")


def _identity(texts: Mapping[str, str]) -> dict[str, str]:
    """The cells that make the id of a row that brings none."""
    cells = dict(texts)
    for name in NAMED_BY_ID:
        if name in cells:
            cells[name] = id_of(name, cells[name])
    if "email" in cells:
        cells["email"] = cells["email"].lower()
    return cells
