"""What drives the score: how people rate single attributes, beside their NPS answer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from services.scorer.domain.categories import CATEGORIES, category_of
from services.scorer.domain.figures import ratio

ENOUGH: Final = 20
"""Below so many voices nothing is said about an attribute."""
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
    tops = {
        name: _TOP.get(name[1]) or (5 if max(value for value, _ in table) <= 5 else 10)
        for name, table in tables.items()
    }
    return {name: _LOW[top] for name, top in tops.items()}


def drivers_of(tables: Tables, low: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """`{drivers, left_out}` as JSON values: the strongest first by rank correlation (None last, ties by name);
    attributes with fewer than 20 voices are only named."""
    sizes = {name: sum(table.values()) for name, table in tables.items()}
    found = [_driver(name, tables[name], low[name]) for name, size in sizes.items() if size >= ENOUGH]
    return {
        "drivers": sorted(found, key=_strongest),
        "left_out": [
            {"attribute": name[0], "type": name[1], "n": size} for name, size in sizes.items() if size < ENOUGH
        ],
    }


def _strongest(driver: Mapping[str, Any]) -> tuple[bool, float, str, str]:
    correlation = driver["rank_correlation"]
    return correlation is None, -(correlation or 0.0), driver["attribute"], driver["type"]


def _driver(name: tuple[str, str], table: Table, low: int) -> dict[str, Any]:
    n = sum(table.values())
    means = {
        f"{category}_mean": _mean({key: count for key, count in table.items() if category_of(key[1]) == category})
        for category in CATEGORIES
    }
    return {
        "attribute": name[0],
        "type": name[1],
        "n": n,
        "mean": _mean(table),
        "low_up_to": low,
        "low_percent": ratio(100 * sum(count for (value, _), count in table.items() if value <= low), n),
        **means,
        "rank_correlation": rank_correlation(table),
    }


def _mean(table: Table) -> float | None:
    return ratio(sum(value * count for (value, _), count in table.items()), sum(table.values()))


def rank_correlation(table: Table) -> float | None:
    """Spearman's rho with mean ranks for ties (Spearman 1904; Kendall 1948), from −1 to 1; None without spread on a
    side."""
    n = sum(table.values())
    ranks, other = _ranks(table, 0), _ranks(table, 1)
    # Twice the distance of a rank from the mean rank, an integer: the only rounding is in the last line.
    pairs = [(ranks[value] - n - 1, other[score] - n - 1, count) for (value, score), count in table.items()]
    together = sum(x * y * count for x, y, count in pairs)
    spread = sum(x * x * count for x, _, count in pairs) * sum(y * y * count for _, y, count in pairs)
    return together / sqrt(spread) if spread else None


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
