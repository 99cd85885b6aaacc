"""Figures of many accounts at once: PostgreSQL counts, the domain makes figures of the counts.

The voices may be split by up to two attributes and looked at from several moments (the points of a trend), some at
once in one statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from services.scorer.domain.answers import Method
from services.scorer.domain.categories import HIGHEST_SCORE
from services.scorer.domain.figures import Pairs, Tally, figures_from_counts
from services.scorer.domain.portfolio import MAX_NAMED, Part, mean_over_accounts, with_mean
from services.scorer.domain.questions import Filters
from services.scorer.domain.windows import EARLIEST, Window
from services.scorer.store.reading.grouped_sql import counting, left_out, voices
from services.scorer.store.reading.pool import parameters
from shared.db.transaction import ReadTx

POINTS_AT_ONCE: Final = 4
"""A statement may take 10 s; with a million answers this many points take a fraction of that."""
Group = tuple[int, tuple[str | None, ...]]
"""The number of the point, and the values of the attributes that split."""
LeftOut = dict[str, Any]
"""`{left_out_count, left_out}` of one group."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of many accounts. `split` names attributes (`account_id` or those of group_by), `moments`
    are the points, `classes` is needed when split by class, `account_ids` restricts to some accounts. Where the only
    moment is now, `stale` are the accounts whose snapshot does not tell of it; where all are ends of `months` that sums
    are kept of, those whose sums do not hold; else None."""

    window: Window
    filters: Filters
    moments: Sequence[datetime]
    split: tuple[str, ...] = ()
    owner_email: str | None = None
    currency: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    account_ids: Sequence[str] | None = None
    stale: Sequence[str] | None = None
    months: bool = False

    def parts(self) -> Iterator[tuple[int, "Question"]]:
        """The question for some of its points at a time, with the number of the first of them."""
        for first in range(0, len(self.moments), POINTS_AT_ONCE):
            yield first, replace(self, moments=self.moments[first : first + POINTS_AT_ONCE])

    def bound(self) -> dict[str, Any]:
        """The values that the statements bind."""
        spans = [self.window.span(moment) for moment in self.moments]
        befores = [self.window.before(moment) for moment in self.moments]
        afters = [before.after if before else EARLIEST for before in befores]
        return {
            **parameters(self.filters, self.owner_email),
            "points": list(range(len(spans))),
            "afters": afters,
            "borders": [span.after for span in spans],
            "uptos": [span.upto for span in spans],
            "first": min(afters),
            "last": max(self.moments),
            "currency": self.currency,
            "class_accounts": list(self.classes),
            "class_names": list(self.classes.values()),
            "account_ids": list(self.account_ids or ()),
            "stale": list(self.stale or ()),
        }


@dataclass(slots=True)
class Counts:
    """What was counted for one group."""

    tallies: dict[bool, Tally] = field(default_factory=dict)
    people: dict[bool, int] = field(default_factory=dict)
    accounts: int = 0
    revenue: Decimal | None = None
    pairs: Pairs = field(default_factory=Pairs)
    parts: dict[tuple[str, bool], list[Part]] = field(default_factory=dict)


NOTHING = Counts()


async def count(tx: ReadTx, question: Question, method: Method) -> dict[Group, Counts]:
    """The counts of the groups in which the method counts anything, now or before."""
    found: dict[Group, Counts] = {}
    for first, part in question.parts():
        counted = await _count(tx, part, method)
        found |= {(first + point, values): counts for (point, values), counts in counted.items()}
    return found


async def _count(tx: ReadTx, question: Question, method: Method) -> dict[Group, Counts]:
    statement = (
        "with "
        + voices(
            method,
            question.split,
            question.filters,
            question.owner_email,
            some_accounts=question.account_ids is not None,
        )
        + counting(method, question.split, question.filters.survey_type)
    )
    rows = await tx.all(statement, **question.bound())
    width = len(question.split)
    by_group: dict[Group, list[Any]] = {}
    for row in rows:
        key = tuple(row[f"d{number}"] for number in range(width))
        by_group.setdefault((row["point"], key), []).append(row)
    return {group: _counts(found) for group, found in by_group.items()}


def figures_of(counts: Counts, method: Method, window: Window, survey_type: Any) -> dict[str, Any]:
    """The figures of one group by one method; for the account means, `counts` are those of `latest`."""
    now, before = (_with_voices(counts, side) for side in (True, False))
    figures = figures_from_counts(now, None if window.days is None else before, counts.pairs, survey_type)
    if method in ("latest", "all"):
        return figures
    kind = "mean" if method == "mean_of_accounts" else "revenue"
    means = [mean_over_accounts(counts.parts.get((kind, side), ())) for side in (True, False)]
    return with_mean(figures, means[0], means[1], survey_type)


async def accounts_left_out(tx: ReadTx, question: Question) -> dict[Group, LeftOut]:
    """Group → `{left_out_count, left_out: [{account_id, name, reason}]}` for revenue weights; the first 200
    named."""
    statement = (
        "with "
        + voices(
            "latest",
            question.split,
            question.filters,
            question.owner_email,
            some_accounts=question.account_ids is not None,
        )
        + left_out(question.split)
    )
    return left_out_of(await tx.all(statement, **question.bound(), named=MAX_NAMED), question)


def left_out_of(rows: Sequence[Any], question: Question) -> dict[Group, LeftOut]:
    """The rows by group."""
    found: dict[Group, LeftOut] = {}
    for row in rows:
        key = tuple(row[f"d{number}"] for number in range(len(question.split)))
        group = found.setdefault((row["point"], key), {"left_out_count": row["n"], "left_out": []})
        reason = "no_revenue" if row["currency"] is None else "other_currency"
        group["left_out"].append({"account_id": row["account_id"], "name": row["name"], "reason": reason})
    return found


def _counts(rows: Sequence[Any]) -> Counts:
    counts = Counts()
    scores = {side: [0] * (HIGHEST_SCORE + 1) for side in (True, False)}
    last: dict[bool, datetime | None] = {True: None, False: None}
    for row in rows:
        kind, side = row["kind"], row["now"]
        if kind == "tally":
            scores[side][int(row["x"])] = int(row["n"])
            last[side] = max(filter(None, (last[side], row["last"])))
        elif kind == "voices":
            counts.people[side] = int(row["n"])
            if side:
                counts.accounts, counts.revenue = int(row["x"]), row["weight"]
        elif kind == "pairs":
            counts.pairs = Pairs(int(row["n"]), int(row["x"]), int(row["y"]))
        else:
            counts.parts.setdefault((kind, side), []).append(Part(int(row["x"]), row["weight"], row["weighted"]))
    counts.tallies = {side: Tally(tuple(scores[side]), 0, last[side]) for side in (True, False)}
    return counts


def _with_voices(counts: Counts, side: bool) -> Tally:
    tally = counts.tallies.get(side, Tally())
    return Tally(tally.scores, counts.people.get(side, 0), tally.last_answered_at)
