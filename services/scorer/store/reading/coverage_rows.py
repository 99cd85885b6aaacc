"""Who is known, who was asked and what came back, of each account and group, as pieces of SQL."""

from typing import Final

from services.scorer.domain.questions import OF_ACCOUNT, OF_INVITATION, OF_PERSON
from services.scorer.store.reading.account import commented
from services.scorer.store.reading.answer_rows import POINTS, keys, passed, source
from services.scorer.store.reading.pool import LIVE, conditions
from services.scorer.store.reading.question import Question
from shared.db.sql import comma_list

KNOWABLE: Final = frozenset(("account_id", *OF_ACCOUNT, *OF_PERSON))
"""What known people may be split by."""
ASKABLE: Final = KNOWABLE | frozenset(OF_INVITATION)
"""What invitations may be split by."""
_STEPS: Final = ("delivered", "opened", "started", "bounced")
_REPLIES: Final = ("answered", "commented", "follow_up_requested")
_REACHED: Final = "(s.bounced_at is null or s.bounced_at > p.upto)"
_UNANSWERED: Final = "(s.answered_at is null or s.answered_at > p.upto)"
_COUNTS: Final = ", ".join(
    (
        comma_list("cast(count(*) filter (where s.{0}_at <= p.upto) as int) as {0}", _STEPS),
        comma_list(f"cast(count(*) filter (where s.{{0}}_at <= p.upto and {_REACHED}) as int) as {{0}}", _REPLIES),
        f"cast(count(*) filter (where s.withdrawn_at <= p.upto and {_REACHED} and {_UNANSWERED}) as int) as withdrawn",
    )
)


def known_rows(question: Question) -> str:
    """A query with the rows (point, d0 …, account_id, known) of the known accounts: how many of their people are. An
    account of the directory is known also without people, unless the people are what is looked at.

    Who is in the directory is known at all times; of the others each has its first answer looked up.
    """
    joined, named = source(question.split, question.filters, question.owner_email, alias="k")
    only = question.only_counted()
    accounts = f"union all select account_id, null, 0 from accounts where not removed{only}"
    if question.filters.stakeholder_type is not None or not set(OF_PERSON).isdisjoint(question.split):
        accounts = ""
    return f"""
    with listed as (
        select s.account_id, s.stakeholder_id from stakeholders s left join accounts o on o.account_id = s.account_id
        where not s.removed and o.removed is not true{question.only_counted("s.account_id")}
    ),
    unlisted as (
        select account_id, stakeholder_id from latest_pairs where true{only}
        union select account_id, stakeholder_id from responses
            where account_id in (select account_id from dirty_accounts){only}
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
        select k.since{named}, k.account_id, count(k.stakeholder_id) as people from known k{joined}
        where true{conditions(question.filters, question.owner_email, of=(), alias="k")}
        group by k.since{_positions(question)}, k.account_id
    )
    select p.point{keys(question.split)}, account_id, cast(sum(people) as int) as known
    from by_account join unnest(cast(:points as int[])) as p(point) on since <= p.point
    group by p.point{keys(question.split)}, account_id
    """


def asked_rows(question: Question) -> str:
    """A query with the rows (point, d0 …, account_id, asked, and the counts of the invitations).

    What came back is looked up once an invitation: the first answer, the first with a comment, the first with the wish
    to be called.
    """
    joined, named = source(question.split, question.filters, question.owner_email, alias="i")
    only = question.only_counted("i.account_id")
    return f"""
    with sent as (
        select i.account_id, i.stakeholder_id, i.delivered_at, i.opened_at, i.started_at, i.bounced_at,
            i.withdrawn_at, q.answered_at, q.commented_at, q.follow_up_requested_at{named},
            generate_series({passed("i.sent_at", "uptos")}, {passed("i.sent_at", "window_starts")} - 1) as point
        from invited_people i{joined} cross join lateral (
            select min(r.answered_at) as answered_at,
                min(r.answered_at) filter (where {commented("r")}) as commented_at,
                min(r.answered_at) filter (where r.follow_up_requested) as follow_up_requested_at
            from responses r where {LIVE} and r.account_id = i.account_id and r.stakeholder_id = i.stakeholder_id
                and r.invitation_id = i.invitation_id
        ) q
        where i.sent_at > (cast(:window_starts as timestamptz[]))[1] and i.sent_at <= :last
            {only}{conditions(question.filters, question.owner_email, of=OF_INVITATION, alias="i")}
    )
    select p.point{keys(question.split, "s.")}, s.account_id, cast(count(distinct s.stakeholder_id) as int) as asked,
        cast(count(*) as int) as sent, {_COUNTS}
    from sent s join {POINTS} using (point)
    group by p.point{keys(question.split, "s.")}, s.account_id
    """


def _positions(question: Question) -> str:
    """The split columns as positions of the select list, after the point."""
    return "".join(f", {number + 2}" for number in range(len(question.split)))
