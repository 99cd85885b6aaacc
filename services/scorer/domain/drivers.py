"""What drives the score: how people rate single attributes, beside their NPS answer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from services.scorer.domain.categories import CATEGORIES, Category, category_of
from services.scorer.domain.figures import ratio

ENOUGH: Final = 20
"""Nothing is said about an attribute that fewer people have rated."""
_TOP: Final = {"csat": 5, "ces": 7}
_LOW: Final = {5: 2, 7: 3, 10: 4}
"""Highest rating of a scale → the highest one that is called low: its lower two fifths."""


@dataclass(frozen=True, slots=True)
class Rated:
    """So many people gave an attribute this rating and this NPS score."""

    attribute: str
    type: str
    value: int
    score: int
    people: int


Table = Mapping[tuple[int, int], int]
"""(rating, NPS score) → people."""
Tables = Mapping[tuple[str, str], Table]
"""(attribute, type) → its table."""


def tables_of(rows: Iterable[Rated]) -> Tables:
    """The ratings by attribute and type, in order."""
    found: dict[tuple[str, str], dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        found[row.attribute, row.type][row.value, row.score] += row.people
    return {name: found[name] for name in sorted(found)}


def low_up_to(tables: Tables) -> dict[tuple[str, str], int]:
    """(attribute, type) → the highest rating that is low. A `rating` has no scale of its own: it runs to 5 where nobody
    gave more, else to 10. Look at everybody, not at a group, so that all groups share one scale."""
    found = {}
    for (attribute, kind), table in tables.items():
        top = _TOP.get(kind, 5)
        if kind not in _TOP and max(value for value, _ in table) > top:
            top = 10
        found[attribute, kind] = _LOW[top]
    return found


def drivers_of(tables: Tables, low: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """`{drivers, left_out}` as JSON values: the strongest first by rank correlation (None last, ties by name);
    attributes that fewer than 20 people have rated are only named."""
    drivers, left_out = [], []
    for (attribute, kind), table in tables.items():
        people = sum(table.values())
        named = {"attribute": attribute, "type": kind, "n": people}
        if people < ENOUGH:
            left_out.append(named)
        else:
            drivers.append(named | _driver(table, low[attribute, kind]))
    return {"drivers": sorted(drivers, key=_strongest), "left_out": left_out}


def _strongest(driver: Mapping[str, Any]) -> tuple[bool, float, str, str]:
    correlation = driver["rank_correlation"]
    return correlation is None, -(correlation or 0.0), driver["attribute"], driver["type"]


def _driver(table: Table, low: int) -> dict[str, Any]:
    by_category: dict[Category, dict[tuple[int, int], int]] = {category: {} for category in CATEGORIES}
    low_count = 0
    for (value, score), people in table.items():
        by_category[category_of(score)][value, score] = people
        if value <= low:
            low_count += people
    return {
        "mean": _mean(table),
        "low_up_to": low,
        "low_percent": ratio(100 * low_count, sum(table.values())),
        "promoter_mean": _mean(by_category["promoter"]),
        "passive_mean": _mean(by_category["passive"]),
        "detractor_mean": _mean(by_category["detractor"]),
        "rank_correlation": rank_correlation(table),
    }


def _mean(table: Table) -> float | None:
    return ratio(sum(value * people for (value, _), people in table.items()), sum(table.values()))


def rank_correlation(table: Table) -> float | None:
    """Spearman's rho with mean ranks for ties (Spearman 1904; Kendall 1948), from −1 to 1; None without spread on a
    side."""
    n = sum(table.values())
    rating_ranks, score_ranks = _ranks(table, 0), _ranks(table, 1)
    # Twice the distance of a rank from the mean rank, an integer: the only rounding is in the last line.
    together = rating_spread = score_spread = 0
    for (value, score), people in table.items():
        rating, given = rating_ranks[value] - n - 1, score_ranks[score] - n - 1
        together += rating * given * people
        rating_spread += rating * rating * people
        score_spread += given * given * people
    if not rating_spread or not score_spread:
        return None
    return together / sqrt(rating_spread * score_spread)


def _ranks(table: Table, side: int) -> dict[int, int]:
    """Value → twice its mean rank."""
    counts: dict[int, int] = defaultdict(int)
    for key, count in table.items():
        counts[key[side]] += count
    ranks, below = {}, 0
    for value in sorted(counts):
        ranks[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return ranks
