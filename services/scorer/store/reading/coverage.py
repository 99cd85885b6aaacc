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
from services.scorer.store.reading.grouped_sql import POINTS, keys, source
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
    rows = await tx.all(_asked_sql(question), **question.bound())
    return [(_group(row, question), row) for row in rows]


_REACH: Final = ("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested")


async def _known(tx: ReadTx, question: Question) -> dict[Group, Extent]:
    rows = await tx.all(_known_sql(question), **question.bound())
    return {_group(row, question): Extent(int(row["people"]), row["accounts"], row["revenue"]) for row in rows}


def _known_sql(question: Question) -> str:
    """Rows (point, d0 …, people, accounts, revenue). An account of the directory is known also without
    people, unless the people are what is looked at."""
    joined, named = source(question.split, question.filters, question.owner_email, alias="k")
    by_person = question.filters.stakeholder_type is not None or not set(OF_PERSON).isdisjoint(question.split)
    accounts = "" if by_person else " union all select account_id, null, null from accounts where not removed"
    only = " and r.account_id = any(cast(:account_ids as text[]))" if question.account_ids is not None else ""
    return f"""
    with heard as (
        select r.account_id, r.stakeholder_id, min(r.answered_at) as since from responses r
        where {LIVE}{only} group by r.account_id, r.stakeholder_id
    ),
    known as (
        select account_id, stakeholder_id, min(since) as since from (
            select account_id, stakeholder_id, since from heard
            union all select s.account_id, s.stakeholder_id, '-infinity' from stakeholders s
                left join accounts o on o.account_id = s.account_id where not s.removed and o.removed is not true
            {accounts}
        ) everybody {"where account_id = any(cast(:account_ids as text[]))" if only else ""}
        group by account_id, stakeholder_id
    ),
    by_account as (
        select p.point{named}, k.account_id, count(k.stakeholder_id) as people
        from {POINTS} join known k on k.since is null or k.since <= p.upto{joined}
        where true{conditions(question.filters, question.owner_email, of=(), alias="k")}
        group by p.point{_positions(question)}, k.account_id
    )
    {_summed(question, "sum(people) as people")}
    """


def _asked_sql(question: Question) -> str:
    """Rows (point, d0 …, asked, accounts, revenue, and the counts of the invitations)."""
    joined, named = source(question.split, question.filters, question.owner_email, alias="i")
    only = " and i.account_id = any(cast(:account_ids as text[]))" if question.account_ids is not None else ""
    counts = ("sent", "delivered", "opened", "started", "bounced", "answered", "commented", "follow_up_requested")
    return f"""
    with sent as (
        select p.point, p.upto{named}, i.account_id, i.stakeholder_id, i.invitation_id,
            coalesce(i.delivered_at <= p.upto, false) as delivered, coalesce(i.opened_at <= p.upto, false) as opened,
            coalesce(i.started_at <= p.upto, false) as started, coalesce(i.bounced_at <= p.upto, false) as bounced
        from {POINTS} join invitations i on i.sent_at > p.border and i.sent_at <= p.upto{joined}
        where true{only}{conditions(question.filters, question.owner_email, of=OF_INVITATION, alias="i")}
    ),
    replied as (
        select s.point, s.account_id, s.stakeholder_id, s.invitation_id, bool_or({commented("r")}) as commented,
            bool_or(r.follow_up_requested) as follow_up_requested
        from sent s join responses r on r.account_id = s.account_id and r.stakeholder_id = s.stakeholder_id
            and r.invitation_id = s.invitation_id and r.answered_at <= s.upto
        where {LIVE} and not s.bounced
        group by s.point, s.account_id, s.stakeholder_id, s.invitation_id
    ),
    by_account as (
        select s.point{keys(question.split, "s.")}, s.account_id, count(distinct s.stakeholder_id) as asked,
            count(*) as sent, count(*) filter (where delivered) as delivered, count(*) filter (where opened) as opened,
            count(*) filter (where started) as started, count(*) filter (where bounced) as bounced,
            count(q.account_id) as answered, count(*) filter (where q.commented) as commented,
            count(*) filter (where q.follow_up_requested) as follow_up_requested
        from sent s left join replied q using (point, account_id, stakeholder_id, invitation_id)
        group by s.point{keys(question.split, "s.")}, s.account_id
    )
    {_summed(question, "sum(asked) as asked, " + ", ".join(f"sum({name}) as {name}" for name in counts))}
    """


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
