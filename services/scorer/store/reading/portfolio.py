"""The portfolio: one figure a group and method, over accounts, people and answers as they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from services.scorer.domain.answers import Method
from services.scorer.domain.portfolio import GroupCounts, Means, group_figures
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.points import parts
from services.scorer.store.reading.pool import conditions, joins, parameters
from services.scorer.store.reading.question import Group, Question, none_last
from services.scorer.store.reading.sums import LeftOut, left_out, means, sums
from shared.db.transaction import ReadTx

_PLAIN: frozenset[Method] = frozenset(("latest", "all"))
_NONE_LEFT_OUT: dict[str, Any] = {"left_out_count": 0, "left_out": []}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the portfolio: at which point, of which group, by which method."""

    point: int
    group: dict[str, str | None]
    method: Method
    figures: dict[str, Any]


async def default_currency(tx: ReadTx, filters: Filters, owner_email: str | None) -> str | None:
    """The currency in which most of the accounts in question have their revenue; the first by name of
    several."""
    found: str | None = await tx.scalar(
        "select r.revenue_currency from accounts r"
        f"{joins(filters.of_accounts(), owner_email)}"
        " where r.revenue_amount is not null and r.revenue_currency is not null"
        f"{conditions(filters.of_accounts(), owner_email, of=())}"
        " group by r.revenue_currency order by count(*) desc, r.revenue_currency limit 1",
        **parameters(filters, owner_email),
    )
    return found


async def portfolio_figures(tx: ReadTx, question: Question, methods: Sequence[Method]) -> list[Figure]:
    """The figures in the order point, group (values ascending, None last), method. Without a split there is
    one group a point and method, also when nothing counts; with one, there are the groups in which something
    does."""
    found = []
    for places, part in await parts(tx, question):
        for figure in await _figures_of(tx, part, methods):
            found.append(replace(figure, point=places[figure.point]))
    return sorted(found, key=attrgetter("point"))


async def _figures_of(tx: ReadTx, question: Question, methods: Sequence[Method]) -> list[Figure]:
    counted = {base: await sums(tx, question, base) for base in sorted(set(map(_counted_by, methods)))}
    averaged: dict[Group, Means] = {}
    if not _PLAIN.issuperset(methods):
        averaged = await means(tx, question)
    weightless: dict[Group, LeftOut] = {}
    if "revenue_weighted" in methods:
        weightless = await left_out(tx, question)
    found: list[Figure] = []
    for group in _groups(question, counted):
        for method in methods:
            counts = counted[_counted_by(method)].get(group, GroupCounts())
            if question.split and not counts.counts.respondents:
                continue
            figures = _figures(question, method, counts, averaged.get(group, Means()))
            if method == "revenue_weighted":
                figures |= {"currency": question.currency} | weightless.get(group, _NONE_LEFT_OUT)
            named = dict(zip(question.split, group[1], strict=True))
            found.append(Figure(group[0], named, method, figures))
    return found


def _figures(question: Question, method: Method, group: GroupCounts, averaged: Means) -> dict[str, Any]:
    figures = group_figures(group, averaged, question.window, method, question.filters.survey_type, question.currency)
    return figures | {"account_count": group.answered.accounts}


def _groups(question: Question, counted: dict[Method, dict[Group, GroupCounts]]) -> list[Group]:
    if not question.split:
        return [(point, ()) for point in range(len(question.moments))]
    groups: set[Group] = set()
    return sorted(groups.union(*counted.values()), key=_order)


def _order(group: Group) -> tuple[Any, ...]:
    point, values = group
    return point, none_last(values)


def _counted_by(method: Method) -> Method:
    """The account means stand on what `latest` picks."""
    if method == "all":
        return method
    return "latest"
