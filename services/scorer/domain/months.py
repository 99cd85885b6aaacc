"""The ends of months: the past moments that figures are kept for."""

from datetime import datetime
from typing import Final

from services.scorer.domain.buckets import buckets
from services.scorer.domain.windows import STANDARD_WINDOWS, Window

KEPT_MONTHS: Final = 12
"""So many months that have ended, the last ones: with now a year and its beginning."""
_BY_USE: Final = ("90d", "365d", "180d", "30d", "all")
KEPT_WINDOWS: Final[tuple[Window, ...]] = tuple(
    window for name in _BY_USE for window in STANDARD_WINDOWS if window.name == name
)
"""The windows that trends are drawn of, the usual ones first."""


def closed_months(now: datetime) -> list[datetime]:
    """The last microseconds of the last months that have ended, oldest first."""
    return [bucket.as_of for bucket in buckets("month", KEPT_MONTHS + 1, now)[:-1]]
