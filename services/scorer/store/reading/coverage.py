"""Who is known, who was asked and what came back, by the same groups as the voices."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping

from services.scorer.domain.questions import OF_ACCOUNT, OF_INVITATION, OF_PERSON
from services.scorer.domain.reach import Reach, coverage_of, reach_figures
from services.scorer.store.reading.account import commented
from services.scorer.store.reading.grouped import Counts, Group, Question
from services.scorer.store.reading.grouped_sql import POINTS, keys, passed, source
from services.scorer.store.reading.pool import LIVE, conditions
from shared.db.transaction import ReadTx

KNOWABLE: Final = frozenset(("account_id", *OF_ACCOUNT, *OF_PERSON))
"""What known people may be split by."""
_ASKABLE: Final = KNOWABLE | frozenset(OF_INVITATION)


@dataclass(frozen=True, slots=True)
class Extent:
    """So many people at so many accounts, with their revenue in the currency."""

    people: int = 0
    accounts: int = 0
    revenue: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Known and asked by group; None where voices are split by something that people or invitations do not
    have."""

    known: dict[Group, Extent] | None
    asked: dict[Group, Extent] | None
    reached: dict[Group, Reach]

    def figures(self, group: Group, counts: Counts, currency: str | None) -> dict[str, Any]:
        """`coverage` of people, accounts and revenue with the invitation figures, for one group."""
        known = None if self.known is None else self.known.get(group, Extent())
        asked = None if self.asked is None else self.asked.get(group, Extent())
        answered = Extent(counts.people.get(True, 0), counts.accounts, counts.revenue)
        sides = known, asked, answered
        coverage: dict[str, Any] = coverage_of(*(_people(side) for side in sides))
        coverage["accounts"] = coverage_of(*(_accounts(side) for side in sides))
        coverage["revenue"] = {"currency": currency} | coverage_of(*(_revenue(side, currency) for side in sides))
        reach = None if self.asked is None else self.reached.get(group, Reach())
        return {"coverage": coverage} | reach_figures(reach)


async def read_coverage(tx: ReadTx, question: Question) -> Coverage:
    """Who is known at each point of a question and who was asked in its window."""
    known = await _known(tx, question) if KNOWABLE.issuperset(question.split) else None
    if not _ASKABLE.issuperset(question.split):
        return Coverage(known, None, {})
    groups = await invitations_by_group(tx, question)
    return Coverage(
        known,
        {group: Extent(int(row["asked"]), row["accounts"], row["revenue"]) for group, row in groups},
        {group: Reach(*(int(row[name]) for name in _REACH)) for group, row in groups},
    )


async def invitations_by_group(tx: ReadTx, question: Question) -> Sequence[tuple[Group, RowMapping]]:
    """Each group in which somebody was asked, with asked, accounts, revenue and the counts of the invitations: sent,
    delivered, opened, started, bounced, answered, commented, follow_up_requested. The split may name what
    invitations have."""
    found: list[tuple[Group, RowMapping]] = []
    for first, part in question.parts():
        rows = await tx.all(asked_sql(part), **part.bound())
        found += [((first + row["point"], _group(row, part)[1]), row) for row in rows]
    return found


_REACH: Final = ("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested")


async def _known(tx: ReadTx, question: Question) -> dict[Group, Extent]:
    """Known people and accounts at each point: what became known by one point is so at all later ones."""
    found: dict[Group, Extent] = {}
    points = range(len(question.moments))
    for row in await tx.all(known_sql(question), **question.bound()):
        since, values = _group(row, question)
        for point in points[since:]:
            one = found.get((point, values), Extent())
            found[point, values] = Extent(
                one.people + int(row["people"]), one.accounts + row["accounts"], plus(one.revenue, row["revenue"])
            )
    return found


def plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The sum of what is there."""
    return other if one is None else one if other is None else one + other


def known_sql(question: Question) -> str:
    """Rows (point from which on, d0 …, people, accounts, revenue). An account of the directory is known also without
    people, unless the people are what is looked at.

    Who is in the directory is known at all times; of the others each has its first answer looked up.
    """
    joined, named = source(question.split, question.filters, question.owner_email, alias="k")
    by_person = question.filters.stakeholder_type is not None or not set(OF_PERSON).isdisjoint(question.split)
    only = "" if question.account_ids is None else " and account_id = any(cast(:account_ids as text[]))"
    accounts = "" if by_person else f"union all select account_id, null, 0 from accounts where not removed{only}"
    keyed = keys(question.split)
    return f"""
    with listed as (
        select s.account_id, s.stakeholder_id from stakeholders s left join accounts o on o.account_id = s.account_id
        where not s.removed and o.removed is not true{only.replace("account_id", "s.account_id", 1)}
    ),
    unlisted as (
        select account_id, stakeholder_id from latest_pairs where true{only}
        union select account_id, stakeholder_id from responses where account_id in (select account_id from marks){only}
        except select account_id, stakeholder_id from listed
    ),
    known as (
        select account_id, stakeholder_id, 0 as since from listed
        union all select u.account_id, u.stakeholder_id, {passed("h.at", "uptos")} from unlisted u
            cross join lateral (
                select min(r.answered_at) as at from responses r
                where {LIVE} and r.account_id = u.account_id and r.stakeholder_id = u.stakeholder_id
            ) h where h.at <= :last
        {accounts}
    ),
    by_account as (
        select k.since as point{named}, k.account_id, count(k.stakeholder_id) as people from known k{joined}
        where true{conditions(question.filters, question.owner_email, of=(), alias="k")}
        group by k.since{_positions(question)}, k.account_id
    ),
    counted as (
        select account_id{keyed}, min(point) as point from by_account group by account_id{keyed}
    )
    select point{keyed}, sum(people) as people, sum(accounts) as accounts, sum(revenue) as revenue from (
        select point{keyed}, people, 0 as accounts, cast(null as numeric) as revenue from by_account
        union all select c.point{keys(question.split, "c.")}, 0, 1, o.revenue_amount from counted c
            left join accounts o on o.account_id = c.account_id and o.revenue_currency = :currency
    ) each group by point{keyed}
    """


def asked_sql(question: Question) -> str:
    """Rows (point, d0 …, asked, accounts, revenue, and the counts of the invitations).

    What came back is looked up once an invitation: the first answer, the first with a comment, the first with the wish
    to be called.
    """
    joined, named = source(question.split, question.filters, question.owner_email, alias="i")
    only = " and i.account_id = any(cast(:account_ids as text[]))" if question.account_ids is not None else ""
    keyed = keys(question.split)
    steps = ("delivered", "opened", "started", "bounced")
    replies = ("answered", "commented", "follow_up_requested")
    return f"""
    with sent as (
        select i.account_id, i.stakeholder_id, i.delivered_at, i.opened_at, i.started_at, i.bounced_at,
            q.answered_at, q.commented_at, q.follow_up_requested_at{named},
            generate_series({passed("i.sent_at", "uptos")}, {passed("i.sent_at", "borders")} - 1) as point
        from invitations i{joined} cross join lateral (
            select min(r.answered_at) as answered_at,
                min(r.answered_at) filter (where {commented("r")}) as commented_at,
                min(r.answered_at) filter (where r.follow_up_requested) as follow_up_requested_at
            from responses r where {LIVE} and r.account_id = i.account_id and r.stakeholder_id = i.stakeholder_id
                and r.invitation_id = i.invitation_id
        ) q
        where i.sent_at > (cast(:borders as timestamptz[]))[1] and i.sent_at <= :last
            {only}{conditions(question.filters, question.owner_email, of=OF_INVITATION, alias="i")}
    ),
    by_account as (
        select p.point{keys(question.split, "s.")}, s.account_id, count(distinct s.stakeholder_id) as asked,
            count(*) as sent,
            {", ".join(f"count(*) filter (where s.{name}_at <= p.upto) as {name}" for name in steps)},
            {", ".join(f"count(*) filter (where s.{name}_at <= p.upto and {_REACHED}) as {name}" for name in replies)}
        from sent s join {POINTS} using (point)
        group by p.point{keyed}, s.account_id
    )
    {_summed(question, "sum(asked) as asked, sum(sent) as sent, " + _sums((*steps, *replies)))}
    """


_REACHED: Final = "(s.bounced_at is null or s.bounced_at > p.upto)"


def _sums(names: Sequence[str]) -> str:
    return ", ".join(f"sum({name}) as {name}" for name in names)


def _summed(question: Question, sums: str) -> str:
    """Sums of `by_account` with its accounts and their revenue."""
    return (
        f"select b.point{keys(question.split, 'b.')}, {sums}, count(distinct b.account_id) as accounts,"
        " sum(o.revenue_amount) as revenue from by_account b"
        " left join accounts o on o.account_id = b.account_id and o.revenue_currency = :currency"
        f" group by b.point{keys(question.split, 'b.')}"
    )


def _positions(question: Question) -> str:
    """The split columns as positions of the select list, after the point."""
    return "".join(f", {number + 2}" for number in range(len(question.split)))


def _group(row: Any, question: Question) -> Group:
    return row["point"], tuple(row[f"d{number}"] for number in range(len(question.split)))


def _people(extent: Extent | None) -> int | None:
    return None if extent is None else extent.people


def _accounts(extent: Extent | None) -> int | None:
    return None if extent is None else extent.accounts


def _revenue(extent: Extent | None, currency: str | None) -> float | None:
    if extent is None or currency is None:
        return None
    return float(extent.revenue or 0)
