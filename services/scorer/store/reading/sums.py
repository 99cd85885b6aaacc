"""Counts of many accounts added up from the snapshots, or from what is kept of the ends of months, instead of the
answers: accounts whose snapshot is fresh, or whose months hold, are summed from there, all others are counted from
their answers, and the two add up to exactly what counting everything gives."""

from dataclasses import dataclass, replace
from decimal import Decimal
from operator import itemgetter
from typing import Final

from sqlalchemy import RowMapping

from services.scorer.domain.answers import Method
from services.scorer.domain.figures import Pairs, Tally
from services.scorer.domain.portfolio import MAX_NAMED, Part
from services.scorer.domain.questions import OF_ACCOUNT
from services.scorer.domain.reach import Reach
from services.scorer.domain.windows import STANDARD_WINDOWS
from services.scorer.store.reading.coverage import Coverage, Extent, plus, read_coverage
from services.scorer.store.reading.freshness import fresh
from services.scorer.store.reading.grouped import (
    Counts,
    Group,
    LeftOut,
    Question,
    accounts_left_out,
    count,
    left_out_of,
)
from services.scorer.store.reading.grouped_sql import CLASS_JOIN, columns_of, keys
from services.scorer.store.reading.pool import ACCOUNT_JOIN, conditions
from services.scorer.store.sums import BEFORE, NOW, REACH
from shared.db.transaction import ReadTx

_STANDARD: Final = frozenset(STANDARD_WINDOWS)
_SUMMABLE: Final = frozenset((*OF_ACCOUNT, "account_id"))
_OF_OTHERS: Final = ("nps_kind", "touchpoint", "product", "channel", "survey_id", "stakeholder_type")
_SUMMED: Final = (*NOW, *BEFORE, "voices", "voices_before", "pairs", "pairs_sum", "pairs_squares", "known", *REACH)


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one method, and who is known and asked, by group."""

    counts: dict[Group, Counts]
    coverage: Coverage


def summable(question: Question) -> bool:
    """Whether snapshots can answer: a standard window as of now, NPS, nothing chosen or split but by accounts."""
    filters = question.filters
    return (
        question.stale is not None
        and (question.months or len(question.moments) == 1)
        and question.window in _STANDARD
        and filters.survey_type == "nps"
        and not set(filters.given()).intersection(_OF_OTHERS)
        and _SUMMABLE.issuperset(question.split)
    )


async def summed(tx: ReadTx, question: Question, method: Method, *, means: bool) -> Counted:
    """What `count` and `read_coverage` give, for a question that is `summable`; `means` says whether the means over
    accounts are asked for, which need more."""
    bound = question.bound() | {"window": question.window.name, "method": method}
    rows = await tx.all(_sql(question), **bound)
    counts = {_group(row, question): _counts(row) for row in rows}
    for row in await tx.all(_parts_sql(question), **bound) if means else ():
        _add_parts(counts[_group(row, question)], row)
    coverage = Coverage(
        {_group(row, question): _extent(row, "known", "known_accounts", "known_revenue") for row in rows},
        {_group(row, question): _extent(row, "asked", "asked_accounts", "asked_revenue") for row in rows},
        {_group(row, question): Reach(*(int(row[name]) for name in REACH)) for row in rows},
    )
    stale = set(question.stale or ())
    if question.account_ids is not None:
        stale &= set(question.account_ids)
    if stale:
        rest = replace(question, account_ids=sorted(stale))
        counts = _added_counts(counts, await count(tx, rest, method))
        coverage = _added_coverage(coverage, await read_coverage(tx, rest))
    return Counted({group: one for group, one in counts.items() if one.people}, coverage)


async def left_out(tx: ReadTx, question: Question) -> dict[Group, LeftOut]:
    """What `accounts_left_out` gives, from the snapshots where they tell."""
    if not summable(question):
        return await accounts_left_out(tx, question)
    names = {"window": question.window.name, "method": "latest", "named": MAX_NAMED}
    found = left_out_of(await tx.all(_left_out_sql(question), **question.bound() | names), question)
    if not question.stale:
        return found
    counted = await accounts_left_out(tx, replace(question, account_ids=question.stale))
    nobody: LeftOut = {"left_out_count": 0, "left_out": []}
    return {
        group: {
            "left_out_count": one["left_out_count"] + other["left_out_count"],
            "left_out": sorted([*one["left_out"], *other["left_out"]], key=itemgetter("account_id"))[:MAX_NAMED],
        }
        for group in found.keys() | counted.keys()
        for one, other in [(found.get(group, nobody), counted.get(group, nobody))]
    }


def _left_out_sql(question: Question) -> str:
    """Rows (point, d0 …, account_id, name, currency, n of them in the group), the first ones of each group."""
    group = keys(question.split)
    partition = f"partition by point{group}"
    return f"""
    select * from (
        select point{group}, account_id, account_name as name, currency, count(*) over ({partition}) as n,
            row_number() over ({partition} order by account_id collate "C") as place
        from {_source(question)} where n > 0 and weightless
    ) numbered where place <= :named order by point{group}, place
    """


def _source(question: Question) -> str:
    """The fresh rows with the group, the revenue in the currency, and whether the account is known."""
    named = "".join(f", {column} as d{number}" for number, column in enumerate(columns_of(question.split)))
    classes = CLASS_JOIN.format("r") if "class" in question.split else ""
    only = " and r.account_id = any(cast(:account_ids as text[]))" if question.account_ids is not None else ""
    table, point = _MONTHS if question.months else ("snapshot_sums r", "0 as point")
    return f"""(
        select r.*, {point}{named}, case when a.revenue_currency = :currency then a.revenue_amount end as revenue,
            (a.removed is false or r.known > 0) as is_known, a.name as account_name,
            case when a.revenue_amount is not null then a.revenue_currency end as currency,
            (a.revenue_amount is null or a.revenue_currency is distinct from :currency) as weightless
        from {table}{ACCOUNT_JOIN.format("r")}{classes}
        where r.score_window = :window and r.method = :method and {fresh("r")}
            {only}{conditions(question.filters, question.owner_email)}
    ) f"""


_MONTHS: Final = (
    "month_sums r join unnest(cast(:points as int[]), cast(:uptos as timestamptz[])) as p(point, moment)"
    " on p.moment = r.moment",
    "p.point",
)


def _sql(question: Question) -> str:
    """Rows (point, d0 …, sums), one a group."""
    sums = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in _SUMMED)
    group = f"point{keys(question.split)}"
    return f"""
    select {group}, {sums}, max(last_at) as last_at, max(last_before) as last_before,
        count(*) filter (where n > 0) as accounts, sum(revenue) filter (where n > 0) as revenue,
        count(*) filter (where is_known) as known_accounts, sum(revenue) filter (where is_known) as known_revenue,
        count(*) filter (where asked > 0) as asked_accounts, sum(revenue) filter (where asked > 0) as asked_revenue
    from {_source(question)} group by {group}
    """


def _parts_sql(question: Question) -> str:
    """Rows (point, d0 …, now, voices, accounts, total, weighted accounts, weight, weighted): accounts with that many
    voices."""
    group = keys(question.split)
    return "\n union all ".join(
        f"""select point{group}, {side} as now, {n} as voices, count(*) as accounts, sum({total}) as total,
            count(revenue) as weighty, sum(revenue) as weight, sum(revenue * {total}) as weighted
        from {_source(question)} where {n} > 0 group by point, {n}{group}"""
        for side, n, total in (
            ("true", "n", "coalesce(total, 0)"),
            ("false", "n_before", "coalesce(total_before, 0)"),
        )
    )


def _group(row: RowMapping, question: Question) -> Group:
    return row["point"], tuple(row[f"d{number}"] for number in range(len(question.split)))


def _counts(row: RowMapping) -> Counts:
    found = Counts(accounts=row["accounts"], revenue=row["revenue"])
    for side, names, last, voices in (
        (True, NOW, "last_at", "voices"),
        (False, BEFORE, "last_before", "voices_before"),
    ):
        found.tallies[side] = Tally(tuple(int(row[name]) for name in names), 0, row[last])
        if row[voices]:
            found.people[side] = int(row[voices])
    found.pairs = Pairs(*(int(row[name]) for name in ("pairs", "pairs_sum", "pairs_squares")))
    return found


def _add_parts(counts: Counts, row: RowMapping) -> None:
    side, voices = row["now"], row["voices"]
    counts.parts.setdefault(("mean", side), []).append(Part(voices, Decimal(row["accounts"]), Decimal(row["total"])))
    if row["weighty"]:
        counts.parts.setdefault(("revenue", side), []).append(Part(voices, row["weight"], row["weighted"]))


def _extent(row: RowMapping, people: str, accounts: str, revenue: str) -> Extent:
    return Extent(int(row[people]), row[accounts], row[revenue])


def _added_counts(one: dict[Group, Counts], other: dict[Group, Counts]) -> dict[Group, Counts]:
    return {group: _sum(one.get(group, Counts()), other.get(group, Counts())) for group in one.keys() | other.keys()}


def _sum(one: Counts, other: Counts) -> Counts:
    tallies = {side: _tally(one.tallies.get(side, Tally()), other.tallies.get(side, Tally())) for side in (True, False)}
    people = {side: total for side in (True, False) if (total := one.people.get(side, 0) + other.people.get(side, 0))}
    pairs = Pairs(
        one.pairs.people + other.pairs.people,
        one.pairs.total + other.pairs.total,
        one.pairs.squares + other.pairs.squares,
    )
    parts = {key: [*one.parts.get(key, ()), *other.parts.get(key, ())] for key in one.parts.keys() | other.parts.keys()}
    return Counts(tallies, people, one.accounts + other.accounts, plus(one.revenue, other.revenue), pairs, parts)


def _tally(one: Tally, other: Tally) -> Tally:
    scores = tuple(mine + its for mine, its in zip(one.scores, other.scores, strict=True))
    moments = [moment for moment in (one.last_answered_at, other.last_answered_at) if moment is not None]
    return Tally(scores, 0, max(moments, default=None))


def _added_coverage(one: Coverage, other: Coverage) -> Coverage:
    return Coverage(
        _added_extents(one.known, other.known),
        _added_extents(one.asked, other.asked),
        {
            group: _added_reach(one.reached.get(group, Reach()), other.reached.get(group, Reach()))
            for group in one.reached.keys() | other.reached.keys()
        },
    )


def _added_extents(one: dict[Group, Extent] | None, other: dict[Group, Extent] | None) -> dict[Group, Extent]:
    mine, its = one or {}, other or {}
    return {
        group: Extent(a.people + b.people, a.accounts + b.accounts, plus(a.revenue, b.revenue))
        for group in mine.keys() | its.keys()
        for a, b in [(mine.get(group, Extent()), its.get(group, Extent()))]
    }


def _added_reach(one: Reach, other: Reach) -> Reach:
    return Reach(*(getattr(one, name) + getattr(other, name) for name in REACH))
