"""The value of a cell: `10.0` is 10, an ISO date is midnight UTC, other date formats must be named. An ambiguous cell
is refused with a hint rather than guessed."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


class CellError(Exception):
    """A cell that is refused: a stable `code` and a hint, which does not repeat the cell."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.hint = hint


_WHOLE = re.compile(r"(-?[0-9]{1,9})(?:\.0{1,9})?")
_AMOUNT = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,4})?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_TRUE = frozenset({"true", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "no", "n", "0", "0.0"})
UNIX = "unix"
"""A date format: seconds since 1970, or ISO 8601."""
HOUR_24 = "24"
"""A date format: ISO 8601 with 24 for the hour after midnight, as JavaScript writes it without `hour12`."""
_SECONDS = re.compile(r"[0-9]{9,10}")
_TOKEN = re.compile(r"[Yy]{4}|[Yy]{2}|[Dd]{1,2}|[Mm]{1,2}|[Hh]{1,2}|[Ss]{1,2}")
_DIRECTIVES = {"y": "%y", "d": "%d", "h": "%H", "s": "%S"}
_EXAMPLE = datetime(2031, 12, 25, 21, 43, 56, tzinfo=UTC)
_ALLOWED = re.compile(r"(?:%[YymdHIMSfpzbB]|[^%A-Za-z]|T(?=%[HI]))+")


def whole_number(cell: str) -> int:
    """A whole number; `10.0` is 10. Raises CellError for `9,0`, `9/10`, words and digits that are not 0-9."""
    match = _WHOLE.fullmatch(cell.strip())
    if match is None:
        raise CellError("not_a_whole_number", "write a whole number in plain digits, such as 9 or 9.0")
    return int(match[1])


def amount(cell: str) -> Decimal:
    """A sum of money without thousands separators, at most four decimals."""
    if _AMOUNT.fullmatch(cell.strip()) is None:
        raise CellError("not_an_amount", "write an amount without separators, such as 120000 or 120000.50")
    return Decimal(cell.strip())


def flag(cell: str) -> bool:
    """A yes or a no, in the usual spellings."""
    word = cell.strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise CellError("not_a_flag", "write yes or no")


def words(cell: str) -> list[str]:
    """Several values in one cell, separated by `;`, `|` or `,`."""
    return [word.strip() for word in re.split(r"[;|,]", cell) if word.strip()]


def json_value(cell: str) -> Any:
    """A list or an object, as an export of responses has them."""
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        raise CellError("not_json", "write JSON, as an export of responses has it") from None


def moment(cell: str, date_format: str | None) -> datetime:
    """A time in UTC. Without a format: ISO 8601, a date alone being 00:00 UTC and a time without offset UTC.
    `date_format` is in strptime's letters, see `strptime_format`; then no other form is accepted."""
    text = cell.strip()
    if date_format in (UNIX, HOUR_24):
        if date_format == UNIX and _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        if date_format == HOUR_24:
            text = text.replace(" 24:", " 00:")
        date_format = None
    try:
        if date_format is not None and text.isascii():
            parsed = datetime.strptime(text, date_format)  # noqa: DTZ007 - the offset is added below, when missing
        elif _ISO_DATE.fullmatch(text) or _ISO_TIME.fullmatch(text):
            parsed = datetime.fromisoformat(text)
        else:
            raise CellError("ambiguous_date", "write dates as 2026-03-31, or name the date_format")
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError("not_a_date", "there is no such date in the expected format") from None


def day(cell: str, date_format: str | None) -> date:
    """A calendar day, read as `moment` reads it."""
    return moment(cell, date_format).date()


def strptime_format(text: str) -> str:
    """The strptime form of a format such as `DD/MM/YYYY`, `mm-dd-yy HH:MM` or `%d.%m.%Y`; `M` after an hour is minutes.
    Raises ValueError unless the format has day, month and year, each once, so that a formatted date can be parsed
    again."""
    pattern = text.strip()
    if "%" not in pattern:
        pattern = _translated(pattern)
    if not _ALLOWED.fullmatch(pattern) or not pattern.isprintable() or len(pattern) > 50:
        raise ValueError("a date_format is made of DD, MM, YYYY, HH, SS and separators")
    days = ("%d" in pattern, "%m" in pattern or "%b" in pattern.lower(), "%y" in pattern.lower())
    if not all(days):
        raise ValueError("a date_format needs day, month and year, such as DD/MM/YYYY")
    if not _reads_what_it_writes(pattern):
        raise ValueError("a date_format names every part once, such as DD/MM/YYYY HH:MM")
    return pattern


def _reads_what_it_writes(pattern: str) -> bool:
    """Whether dates can be parsed by the format at all. strptime turns it into a regular expression, in which a
    repeated part is an error."""
    try:
        return datetime.strptime(_EXAMPLE.strftime(pattern), pattern).date() == _EXAMPLE.date()  # noqa: DTZ007
    except (ValueError, re.error):
        return False


def _translated(text: str) -> str:
    seen_hour = False

    def directive(token: re.Match[str]) -> str:
        nonlocal seen_hour
        letters = token[0].lower()
        if letters.startswith("m"):
            if seen_hour:
                return "%M"
            return "%m"
        seen_hour = seen_hour or letters.startswith("h")
        if letters == "yyyy":
            return "%Y"
        return _DIRECTIVES[letters[0]]

    return _TOKEN.sub(directive, text)
