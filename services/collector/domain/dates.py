"""Dates and times as exports write them, and only in forms that can be read in one way: anything else is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.collector.domain.csv_values import CellError

NOON = time(12)
"""When something was answered of which only the day is known."""
_SERIAL_DAYS = (36_526, 73_050)
"""Days of 2000 and 2100 as sheets count them, from 1899-12-30."""
_SHEET_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - on the clocks of the file's zone
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]{1,15})?")
_UNIX = re.compile(r"[0-9]{9,10}|[0-9]{12,13}")
_MONTH_NAMES: Final = (
    "january jan januar jänner jän janvier janv enero ene",
    "february feb februar febr février févr fevrier febrero",
    "march mar märz mär marz mars marzo",
    "april apr avril avr abril abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug août aout agosto ago",
    "september sep sept septembre septiembre",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre déc decembre diciembre dic",
)
"""English, German, French, Spanish, and their short forms."""
MONTHS: Final = {name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_WEEKDAY = r"(?:[^\W\d]{2,10}\.?,? +)?"
_MONTH = r"(?P<name>[^\W\d]{3,10})\.?"
_DATES: Final = (
    r"(?P<year>[0-9]{4})(?P<separator>[-/.])(?P<month>[0-9]{1,2})(?P=separator)(?P<day>[0-9]{1,2})",
    rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})(?:\.|er|st|nd|rd|th)?[ -](?:de )?{_MONTH}(?: de)?,?[ -](?P<year>[0-9]{{4}})",
    rf"{_WEEKDAY}{_MONTH} (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,? (?P<year>[0-9]{{4}})",
)
_TIME = (
    r"(?:(?:T|,? +(?:at |um |à |a las )?)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)? ?(?P<half>[ap]\.? ?m\.?)?)?"
)
_ZONE = r"(?: ?(?P<zone>Z|\(?(?:UTC|GMT)?(?P<offset>[+-][0-9]{1,2}(?::?[0-9]{2})?)?\)?))?"
_COMMON = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)
"""A time with its offset in the form of RFC 3339, as most exports have it: read a good deal faster than all others."""
_FORMS: Final = [re.compile(f"{form}{_TIME}{_ZONE}", re.IGNORECASE) for form in _DATES]

Said = Literal["", "local_time_gap", "local_time_twice"]


@dataclass(frozen=True, slots=True)
class DateReading:
    """How the dates of a file are read: a strptime form that all of them have (None: as they are), and the zone of
    those without an offset. `midnight_is_24`: the hour after midnight is written 24, as JavaScript does."""

    form: str | None = None
    zone: str = "UTC"
    midnight_is_24: bool = False


PLAIN = DateReading()


@dataclass(frozen=True, slots=True)
class Read:
    """A moment in UTC; `said` where the clocks of the zone never or twice showed the time; `is_day`: only the day is
    known."""

    moment: datetime
    said: Said = ""
    is_day: bool = False


def moment(cell: str, reading: DateReading) -> Read:
    """The moment of a cell: a time, or noon of a day. Also seconds and milliseconds since 1970, and days as sheets
    count them. Raises CellError for all that could be read in two ways."""
    text = cell.strip()
    if reading.form is not None:
        return _by_form(text, reading.form, reading.zone)
    if _COMMON.fullmatch(text):
        return Read(_of_iso(text))
    if _UNIX.fullmatch(text):
        return Read(_since_1970(text))
    if _SERIAL.fullmatch(text) and _SERIAL_DAYS[0] <= float(text) <= _SERIAL_DAYS[1]:
        return _on_clocks(_of_serial(float(text)), reading.zone, is_day=float(text).is_integer())
    if reading.midnight_is_24:
        text = text.replace(" 24:", " 00:")
    local, zone, is_day = _parsed(text)
    if zone is None:
        return _on_clocks(local, reading.zone, is_day=is_day)
    return Read(_in_utc(local.replace(tzinfo=zone)), is_day=is_day)


def _of_iso(text: str) -> datetime:
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise CellError("not_a_date", "there is no such date in the expected format") from None


def _since_1970(digits: str) -> datetime:
    if len(digits) > 10:
        return datetime.fromtimestamp(int(digits[:-3]), UTC) + timedelta(milliseconds=int(digits[-3:]))
    return datetime.fromtimestamp(int(digits), UTC)


def day(cell: str, reading: DateReading) -> date:
    """A calendar day; a time behind it is left out. Raises CellError."""
    text = cell.strip()
    if reading.form is not None:
        return _by_strptime(text, reading.form).date()
    return _parsed(text)[0].date()


def _parsed(text: str) -> tuple[datetime, timezone | None, bool]:
    """The clock time of a text, its zone where it says one, and whether it is a day without a time."""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            parts = match.groupdict()
            return _calendar(parts), _offset(parts), parts["hour"] is None
    raise CellError("ambiguous_date", "write dates as 2026-03-31, or name the date_format")


def _calendar(parts: Mapping[str, str | None]) -> datetime:
    name = parts.get("name")
    month = parts.get("month")
    if name is not None:
        month = str(MONTHS.get(name.casefold(), ""))
    if not month:
        raise CellError("ambiguous_date", "write dates as 2026-03-31: the name of the month is not known")
    try:
        found = date(int(parts["year"] or 0), int(month), int(parts["day"] or 0))
        return datetime.combine(found, _clock(parts))
    except ValueError:
        raise CellError("not_a_date", "there is no such date in the expected format") from None


def _clock(parts: Mapping[str, str | None]) -> time:
    if parts["hour"] is None:
        return NOON
    hour = int(parts["hour"])
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12
        if parts["half"].casefold().startswith("p"):
            hour += 12
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    return time(hour, int(parts["minute"] or 0), int(parts["second"] or 0), int(fraction))


def _offset(parts: Mapping[str, str | None]) -> timezone | None:
    if not parts["zone"]:
        return None
    text = parts["offset"]
    if not text:
        return UTC
    digits = text[1:].replace(":", "")
    if len(digits) < 3:
        digits += "00"
    hours, minutes = int(digits[:-2]), int(digits[-2:])
    if hours > 14 or minutes > 59:
        raise CellError("not_a_date", "there is no such offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    if text[0] == "-":
        offset = -offset
    return timezone(offset)


def _of_serial(days: float) -> datetime:
    local = _SHEET_EPOCH + timedelta(seconds=round(days * 86_400))
    if days.is_integer():
        return datetime.combine(local.date(), NOON)
    return local


def _by_form(text: str, form: str, zone: str) -> Read:
    local = _by_strptime(text, form)
    if local.tzinfo is not None:
        return Read(_in_utc(local))
    is_day = "%H" not in form and "%I" not in form
    if is_day:
        local = datetime.combine(local.date(), NOON)
    return _on_clocks(local, zone, is_day=is_day)


def _by_strptime(text: str, form: str) -> datetime:
    try:
        if text.isascii():
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
    except (ValueError, OverflowError):
        pass
    raise CellError("not_a_date", "there is no such date in the expected format")


def _on_clocks(local: datetime, zone: str, *, is_day: bool) -> Read:
    """A local time in UTC. In the hour that is left out when clocks are put forward, the clocks before count; of the
    hour that comes twice, the first."""
    clocks = ZoneInfo(zone)
    first = _in_utc(local.replace(tzinfo=clocks))
    if first.astimezone(clocks).replace(tzinfo=None) != local:
        return Read(first, "local_time_gap", is_day)
    if first != _in_utc(local.replace(tzinfo=clocks, fold=1)):
        return Read(first, "local_time_twice", is_day)
    return Read(first, is_day=is_day)


def _in_utc(moment_there: datetime) -> datetime:
    try:
        return moment_there.astimezone(UTC)
    except OverflowError:
        raise CellError("not_a_date", "there is no such date in the expected format") from None


_TOKEN = re.compile(r"[Yy]{4}|[Yy]{2}|[Dd]{1,2}|[Mm]{1,2}|[Hh]{1,2}|[Ss]{1,2}|[AaPp][Mm](?:/[AaPp][Mm])?|[Tt]{2}")
_DIRECTIVES = {"y": "%y", "d": "%d", "h": "%H", "s": "%S", "a": "%p", "p": "%p", "t": "%p"}
_EXAMPLE = datetime(2031, 12, 25, 21, 43, 56, tzinfo=UTC)
_ALLOWED = re.compile(r"(?:%[YymdHIMSfpzbB]|[^%A-Za-z]|T(?=%[HI]))+")


def strptime_format(text: str) -> str:
    """The strptime form of a format such as `DD/MM/YYYY`, `mm-dd-yy HH:MM AM/PM` or `%d.%m.%Y`; `M` after an hour is
    minutes. Raises ValueError unless the format has day, month and year, each once, so that a formatted date can be
    parsed again."""
    pattern = text.strip()
    if "%" not in pattern:
        pattern = _translated(pattern)
    if not _ALLOWED.fullmatch(pattern) or not pattern.isprintable() or len(pattern) > 50:
        raise ValueError("a date_format is made of DD, MM, YYYY, HH, SS, AM/PM and separators")
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
    tokens = list(_TOKEN.finditer(text))
    seen_hour = False
    halves = any(token[0].lower()[0] in "apt" for token in tokens)

    def directive(token: re.Match[str]) -> str:
        nonlocal seen_hour
        letters = token[0].lower()
        if letters.startswith("m"):
            if seen_hour:
                return "%M"
            return "%m"
        if letters.startswith("h"):
            seen_hour = True
            if halves:
                return "%I"
        if letters == "yyyy":
            return "%Y"
        return _DIRECTIVES[letters[0]]

    return _TOKEN.sub(directive, text)
