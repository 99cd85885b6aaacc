"""Segments: whether the share of detractors among the accounts of an industry, tier or region has risen, and whether
that is more than chance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import sqrt

DIMENSIONS = ("industry", "tier", "region")
"""What accounts are grouped by."""
Segment = tuple[str, str]
"""A dimension and its value: ("region", "emea")."""


@dataclass(frozen=True, slots=True)
class DetractorCount:
    """How many people answered in a window, by their latest answer, and how many of them are detractors."""

    count: int = 0
    detractors: int = 0

    @property
    def share(self) -> float:
        """Per cent of detractors; 0 where nobody has answered."""
        if not self.count:
            return 0.0
        return 100 * self.detractors / self.count

    def plus(self, more: "DetractorCount") -> "DetractorCount":
        """The sum of two."""
        return DetractorCount(self.count + more.count, self.detractors + more.detractors)


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """An account's attributes, with its counts of this window and of the window before."""

    attributes: Mapping[str, str | None]
    now: DetractorCount
    before: DetractorCount


@dataclass(frozen=True, slots=True)
class Shift:
    """How a segment's share of detractors has moved."""

    segment: Segment
    now: DetractorCount = DetractorCount()
    before: DetractorCount = DetractorCount()

    @property
    def share(self) -> float:
        """Per cent of detractors now."""
        return self.now.share

    @property
    def share_before(self) -> float:
        """Per cent of detractors in the window before."""
        return self.before.share

    @property
    def rise(self) -> float:
        """Points by which the share went up."""
        return self.share - self.share_before

    @property
    def smaller_count(self) -> int:
        """How many people answered in the smaller of the two windows."""
        return min(self.now.count, self.before.count)

    @property
    def z(self) -> float:
        """The two-proportion z-test with the pooled share (Fleiss, Statistical Methods for Rates and Proportions):
        beyond 2.33 a rise comes by chance less than once in a hundred times. 0 where there is nothing to compare.
        """
        count = self.now.count + self.before.count
        if not self.now.count or not self.before.count:
            return 0.0
        pooled = (self.now.detractors + self.before.detractors) / count
        error = sqrt(pooled * (1 - pooled) * (1 / self.now.count + 1 / self.before.count))
        if not error:
            return 0.0
        return (self.rise / 100) / error


def shifts(accounts: Iterable[AccountCounts]) -> list[Shift]:
    """The movement of every segment, by dimension and value."""
    by_segment: dict[Segment, Shift] = {}
    for account in accounts:
        for dimension in DIMENSIONS:
            value = account.attributes.get(dimension)
            if value:
                segment = (dimension, value)
                shift = by_segment.get(segment, Shift(segment))
                now, before = shift.now.plus(account.now), shift.before.plus(account.before)
                by_segment[segment] = replace(shift, now=now, before=before)
    return [by_segment[segment] for segment in sorted(by_segment)]
