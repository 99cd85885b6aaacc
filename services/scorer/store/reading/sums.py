"""Counts of many accounts added up, by group: three statements over the rows of accounts (account_rows.py)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping

from services.scorer.domain.answers import Method
from services.scorer.domain.categories import LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.portfolio import MAX_NAMED, NOT_SAID, Extent, GroupCounts, Means, Part
from services.scorer.store.counts import INVITATIONS, counts_of
from services.scorer.store.reading.account_rows import CHANGES, EVERYTHING, Counted, rows, score_columns
from services.scorer.store.reading.answer_rows import keys
from services.scorer.store.reading.coverage_rows import ASKABLE, KNOWABLE
from services.scorer.store.reading.question import Group, Question, group_of
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx

LeftOut = dict[str, Any]
"""`{left_out_count, left_out: [{account_id, name, reason}]}` of one group; the first 200 are named."""
_SUMMED: Final = ("respondents", "respondents_before", *CHANGES, "known", *INVITATIONS)


async def sums(
    tx: ReadTx, question: Question, method: Method, wanted: Sequence[Counted] = EVERYTHING
) -> dict[Group, GroupCounts]:
    """The counts of each group in which there is anything, by the method (`latest` or `all`)."""
    found: dict[Group, GroupCounts] = {}
    for first, part in question.parts():
        for row in await tx.all(_sums_sql(part, method, wanted), **part.bound()):
            point, values = group_of(row, part)
            found[first + point, values] = _group_counts(row, part)
    return found


def _sums_sql(question: Question, method: Method, wanted: Sequence[Counted]) -> str:
    """Rows (point, d0 …, sums), one a group."""
    now, before = score_columns(method)
    group = f"point{keys(question.split)}"
    return f"""
    with {rows(question, method, wanted)}
    select {group}, {comma_list("sum({0}) as {0}", (*now, *before, *_SUMMED))},
        max(last_at) as last_at, max(last_before) as last_before,
        count(*) filter (where respondents > 0) as answered_accounts,
        sum(revenue) filter (where respondents > 0) as answered_revenue,
        count(*) filter (where is_known) as known_accounts, sum(revenue) filter (where is_known) as known_revenue,
        count(*) filter (where asked > 0) as asked_accounts, sum(revenue) filter (where asked > 0) as asked_revenue
    from rows group by {group}
    """


def _group_counts(row: RowMapping, question: Question) -> GroupCounts:
    counts = counts_of(dict(row))  # a row of the driver takes long to say that it has no such column
    answered = Extent(counts.respondents, row["answered_accounts"], row["answered_revenue"])
    known = asked = NOT_SAID
    if KNOWABLE.issuperset(question.split):
        known = Extent(counts.known, row["known_accounts"], row["known_revenue"])
    if ASKABLE.issuperset(question.split):
        asked = Extent(counts.invitations.asked, row["asked_accounts"], row["asked_revenue"])
    return GroupCounts(counts, answered, known, asked)


async def means(tx: ReadTx, question: Question) -> dict[Group, Means]:
    """What the means over accounts are made of, by group."""
    found: dict[Group, Means] = {}
    for first, part in question.parts():
        for row in await tx.all(_means_sql(part), **part.bound()):
            point, values = group_of(row, part)
            _add_parts(found.setdefault((first + point, values), Means()), row)
    return found


def _means_sql(question: Question) -> str:
    """Rows (point, d0 …, now, respondents, accounts, total, weighty, weight, weighted): the accounts with so many
    respondents, and those of them with a weight."""
    now, before = score_columns("latest")
    return f"""
    with {rows(question, "latest", ("answers",))}
    {_means_select(question, "true", "respondents", now)}
    union all {_means_select(question, "false", "respondents_before", before)}
    """


def _means_select(question: Question, now: str, respondents: str, names: Sequence[str]) -> str:
    group, value = keys(question.split), _value(names, question.filters.survey_type)
    return f"""
        select point{group}, {now} as now, {respondents} as respondents, count(*) as accounts, sum({value}) as total,
            count(revenue) as weighty, sum(revenue) as weight, sum(revenue * ({value})) as weighted
        from rows where {respondents} > 0 group by point{group}, {respondents}
    """


def _value(names: Sequence[str], survey_type: str) -> str:
    """An SQL expression of an account's value: promoters minus detractors, or the sum of scores."""
    if survey_type == "nps":
        return net_of_columns(names)
    return " + ".join(f"{score} * coalesce({name}, 0)" for score, name in enumerate(names))


def net_of_columns(names: Sequence[str]) -> str:
    """An SQL expression: promoters minus detractors, of the columns by score."""
    return f"{sum_of_columns(names[LOWEST_PROMOTER:])} - ({sum_of_columns(names[:LOWEST_PASSIVE])})"


def sum_of_columns(names: Sequence[str]) -> str:
    """An SQL expression: the columns added up, null as 0."""
    return " + ".join(f"coalesce({name}, 0)" for name in names)


def _add_parts(found: Means, row: RowMapping) -> None:
    by_mean, by_revenue = found.before, found.before_weighted
    if row["now"]:
        by_mean, by_revenue = found.now, found.now_weighted
    by_mean.append(Part(row["respondents"], Decimal(row["accounts"]), Decimal(row["total"])))
    if row["weighty"]:
        by_revenue.append(Part(row["respondents"], row["weight"], row["weighted"]))


async def left_out(tx: ReadTx, question: Question) -> dict[Group, LeftOut]:
    """The accounts with respondents that have no weight in the currency, by group."""
    found: dict[Group, LeftOut] = {}
    for first, part in question.parts():
        for row in await tx.all(_left_out_sql(part), **part.bound(), named=MAX_NAMED):
            point, values = group_of(row, part)
            group = found.setdefault((first + point, values), {"left_out_count": row["n"], "left_out": []})
            reason = "other_currency"
            if row["currency"] is None:
                reason = "no_revenue"
            group["left_out"].append({"account_id": row["account_id"], "name": row["name"], "reason": reason})
    return found


def _left_out_sql(question: Question) -> str:
    """Rows (point, d0 …, account_id, name, currency, n of them in the group), the first ones of each group."""
    group = keys(question.split)
    partition = f"partition by point{group}"
    return f"""
    with {rows(question, "latest", ("answers",))}
    select * from (
        select point{group}, account_id, o.name,
            case when o.revenue_amount is not null then o.revenue_currency end as currency,
            count(*) over ({partition}) as n,
            row_number() over ({partition} order by account_id collate "C") as place
        from rows left join accounts o using (account_id) where respondents > 0 and revenue is null
    ) numbered where place <= :named order by point{group}, place
    """
