"""How long asks are kept."""

from calendar import monthrange
from datetime import UTC, datetime

_MONTHS = 12


def kept_since(now: datetime, months: int) -> datetime:
    """The beginning of the day, in UTC, so many months ago: asks that fell due before it are deleted."""
    count = now.astimezone(UTC).year * _MONTHS + now.astimezone(UTC).month - 1 - months
    year, month = count // _MONTHS, count % _MONTHS + 1
    day = min(now.astimezone(UTC).day, monthrange(year, month)[1])
    return datetime(year, month, day, tzinfo=UTC)
