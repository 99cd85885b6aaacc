"""The ends of months: the past moments that figures are kept for."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.scorer.domain.buckets import buckets
from services.scorer.domain.counts import AccountFacts, Counts, count_account
from services.scorer.domain.windows import STANDARD_WINDOWS, Window

KEPT_MONTHS: Final = 12
"""So many months that have ended, the last ones: with now a year and its beginning."""
_MOMENT: Final = timedelta(microseconds=1)
KEPT_WINDOWS: Final[tuple[Window, ...]] = tuple(window for window in STANDARD_WINDOWS if window.name != "7d")
"""The windows that trends are drawn of."""


def closed_months(now: datetime) -> list[datetime]:
    """The last microseconds of the last months that have ended, oldest first."""
    return [bucket.as_of for bucket in buckets("month", KEPT_MONTHS + 1, now)[:-1]]


def months_upto(last: datetime) -> list[datetime]:
    """As many months that have ended, with this one as the last."""
    return closed_months(last + _MOMENT)


def count_months(facts: AccountFacts, months: Sequence[datetime]) -> Iterator[tuple[Window, datetime, Counts]]:
    """(window, end of the month, counts) of one account, for each of the windows and months."""
    for window in KEPT_WINDOWS:
        for month in months:
            yield window, month, count_account(facts, window, month)
