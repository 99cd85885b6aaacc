"""Revenue and drivers, from their definitions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import sqrt
from typing import Any

from tests.support.reference.questions import matches, picked, spans
from tests.support.reference.scores import category, number
from tests.support.reference.world import World


def revenue(world: World, currency: str, classes: Mapping[str, str], **wanted: str) -> dict[str, Any]:
    """(quarter, class) → revenue, and the ids of the accounts left out."""
    found: dict[tuple[str | None, str], Fraction] = {}
    left_out = []
    for client in world.clients:
        if client.removed or not matches(world.attributes(client.account_id, None), wanted):
            continue
        if client.revenue is None or client.currency != currency:
            left_out.append(client.account_id)
            continue
        day = client.renewal_on
        quarter = None if day is None else f"{day.year}-Q{1 + (day.month - 1) // 3}"
        key = quarter, classes[client.account_id]
        found[key] = found.get(key, Fraction(0)) + Fraction(client.revenue)
    return {"cells": found, "left_out": sorted(left_out)}


def drivers(
    world: World, window: str, as_of: datetime, by: Sequence[str], classes: Mapping[str, str], **wanted: str
) -> dict[tuple[Any, ...], dict[tuple[str, str], dict[str, Any]]]:
    """Group → (attribute, type) → n and figures, however few the voices."""
    after, upto = spans(window, as_of)[0]
    voices, _ = picked(world, window, "latest", as_of, "nps", wanted)
    latest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for submission in world.submissions:
        record = world.attributes(submission.account_id, submission.stakeholder_id) | vars(submission)
        if not submission.live or not after < submission.answered_at <= upto or not matches(record, wanted):
            continue
        for entry in submission.entries:
            if entry.attribute is not None:
                key = submission.account_id, submission.stakeholder_id, entry.attribute, entry.type
                order = submission.answered_at, submission.response_id, entry.question_id, entry.value
                latest[key] = max(latest.get(key, order), order)
    pairs: dict[tuple[Any, ...], dict[tuple[str, str], list[tuple[int, int]]]] = {}
    for voice in voices:
        group = tuple((voice | {"class": classes.get(voice["account_id"])})[name] for name in by)
        for (account, person, attribute, kind), rating in latest.items():
            if (account, person) == voice["person"]:
                pairs.setdefault(group, {}).setdefault((attribute, kind), []).append((rating[-1], voice["score"]))
    return {group: {name: figures(found) for name, found in tables.items()} for group, tables in pairs.items()}


def figures(pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """The figures of a list of (rating, NPS score)."""
    found: dict[str, Any] = {"n": len(pairs), "mean": mean([value for value, _ in pairs])}
    for name in ("promoter", "passive", "detractor"):
        found[f"{name}_mean"] = mean([value for value, score in pairs if category(score) == name])
    return found | {"rank_correlation": spearman(pairs)}


def mean(values: list[int]) -> float | None:
    """The mean; None for an empty list."""
    return number(Fraction(sum(values), len(values))) if values else None


def ranks(values: list[int]) -> list[Fraction]:
    """The rank of each, ties sharing their mean."""
    return [
        Fraction(2 * sum(other < value for other in values) + sum(other == value for other in values) + 1, 2)
        for value in values
    ]


def spearman(pairs: list[tuple[int, int]]) -> float | None:
    """Pearson's correlation of the ranks."""
    x, y = ranks([value for value, _ in pairs]), ranks([score for _, score in pairs])
    middle = Fraction(len(pairs) + 1, 2)
    spread_x, spread_y = sum((rank - middle) ** 2 for rank in x), sum((rank - middle) ** 2 for rank in y)
    if not spread_x or not spread_y:
        return None
    together = sum((rank - middle) * (other_rank - middle) for rank, other_rank in zip(x, y, strict=True))
    return float(together) / sqrt(spread_x * spread_y)
