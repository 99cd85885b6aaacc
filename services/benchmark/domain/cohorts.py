"""Own cohorts: the figures of many accounts added up from their snapshots, by industry, tier, region, all crossings of
these and their margins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from math import sqrt
from operator import add, mul
from typing import Any

DIMENSIONS = ("industry", "tier", "region")
FAMILIES: tuple[tuple[str, ...], ...] = (
    (),
    *combinations(DIMENSIONS, 1),
    *combinations(DIMENSIONS, 2),
    DIMENSIONS,
)
"""What cohorts may be split by, from everything to the full crossing."""
Z_95 = 1.959963984540054
SCORES = 11
Cell = tuple[str | None, str | None, str | None]
"""Industry, tier and region of an account."""
Key = tuple[tuple[str, str | None], ...]
"""A cohort: the dimensions it fixes, each with its value; () is everything."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answers of each score 0 to 10, by how many people, the last of them when."""

    scores: tuple[int, ...] = (0,) * SCORES
    voices: int = 0
    last: datetime | None = None

    def __add__(self, other: "Tally") -> "Tally":
        scores = tuple(map(add, self.scores, other.scores))
        return Tally(scores, self.voices + other.voices, max(filter(None, (self.last, other.last)), default=None))

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self.scores)

    @classmethod
    def of(cls, figures: Mapping[str, Any] | None) -> "Tally":
        """Of the figures of a snapshot."""
        if not figures:
            return cls()
        last = None
        if figures["last_answered_at"]:
            last = datetime.fromisoformat(figures["last_answered_at"])
        return cls(tuple(figures["distribution"]), figures["stakeholder_count"], last)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one account gives to its cohorts: its answers now and in the window before (None before all time)."""

    account_id: str
    cell: Cell
    now: Tally
    before: Tally | None
    own: bool = True

    @classmethod
    def of(cls, account_id: str, cell: Cell, figures: Mapping[str, Any], *, own: bool) -> "Counted":
        """Of the figures of its snapshot."""
        before = None
        if figures.get("previous"):
            before = Tally.of(figures["previous"])
        return cls(account_id, cell, Tally.of(figures), before, own)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The accounts that a cohort counts."""

    key: Key
    accounts: tuple[Counted, ...]

    @property
    def group(self) -> dict[str, str | None]:
        """As JSON."""
        return dict(self.key)


def key_of(cell: Cell, family: Sequence[str]) -> Key:
    """The cohort of this family that the cell belongs to."""
    values = dict(zip(DIMENSIONS, cell, strict=True))
    return tuple((name, values[name]) for name in DIMENSIONS if name in family)


def cohorts_of(accounts: Iterable[Counted], families: Iterable[Sequence[str]] = FAMILIES) -> list[Cohort]:
    """Every cohort with an answer in it, family by family, by its values, None last; of the family () exactly one,
    also when nothing counts."""
    counting = [account for account in accounts if account.now.total or (account.before and account.before.total)]
    cohorts: list[Cohort] = []
    for family in families:
        members: dict[Key, list[Counted]] = {}
        if not family:
            members[()] = []
        for account in counting:
            members.setdefault(key_of(account.cell, family), []).append(account)
        for key in sorted(members, key=order_of):
            if not key or any(account.now.total for account in members[key]):
                cohorts.append(Cohort(key, tuple(members[key])))
    return cohorts


def order_of(key: Key) -> tuple[tuple[bool, str], ...]:
    """By values, None last."""
    return tuple((value is None, value or "") for _, value in key)


def figures_of(accounts: Sequence[Counted], *, compared: bool) -> dict[str, Any]:
    """The figures of the accounts together, by the formulas of the scorer: NPS is 100·(P − D)/n as the nearest double,
    the interval is the adjusted Wald after Rocks (2016). `compared`: there is a window before."""
    now = before = Tally()
    account_count = 0
    for account in accounts:
        now += account.now
        account_count += account.now.total > 0
        if account.before is not None:
            before += account.before
    figures = alone(now) | {"account_count": account_count}
    if not compared:
        return figures | {"previous": None, "change": None}
    apart = 100 * (_net(now) * before.total - _net(before) * now.total)
    return figures | {"previous": alone(before), "change": ratio(apart, now.total * before.total)}


def _net(tally: Tally) -> int:
    return sum(tally.scores[9:]) - sum(tally.scores[:7])


def alone(tally: Tally) -> dict[str, Any]:
    """The figures of one window by itself."""
    total = tally.total
    detractors, passives, promoters = sum(tally.scores[:7]), sum(tally.scores[7:9]), sum(tally.scores[9:])
    low, high = interval(promoters, passives, detractors)
    last_answered_at = None
    if tally.last is not None:
        last_answered_at = utc_text(tally.last)
    return {
        "nps": ratio(100 * (promoters - detractors), total),
        "nps_rounded": rounded(100 * (promoters - detractors), total),
        "promoter_count": promoters,
        "promoter_percent": ratio(100 * promoters, total),
        "passive_count": passives,
        "passive_percent": ratio(100 * passives, total),
        "detractor_count": detractors,
        "detractor_percent": ratio(100 * detractors, total),
        "response_count": total,
        "stakeholder_count": tally.voices,
        "mean_score": ratio(sum(map(mul, range(SCORES), tally.scores)), total),
        "distribution": list(tally.scores),
        "ci_low": low,
        "ci_high": high,
        "last_answered_at": last_answered_at,
    }


def interval(promoters: int, passives: int, detractors: int) -> tuple[float | None, float | None]:
    """95 %: ¾, 1½ and ¾ answers added, Wald around the adjusted score, within ±100; None when nothing counts."""
    if promoters + passives + detractors == 0:
        return None, None
    total = promoters + passives + detractors + 3
    mean = (promoters - detractors) / total
    spread = (promoters + detractors + 1.5) / total - mean * mean
    margin = Z_95 * sqrt(spread / total)
    return 100 * max(-1.0, mean - margin), 100 * min(1.0, mean + margin)


def ratio(part: int, whole: int) -> float | None:
    """The nearest double; None where the whole is 0."""
    if not whole:
        return None
    return part / whole


def rounded(part: int, whole: int) -> int | None:
    """The nearest whole number, half away from zero."""
    if whole == 0:
        return None
    size = (2 * abs(part) + whole) // (2 * whole)
    if part < 0:
        return -size
    return size


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with as many microseconds as there are."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
