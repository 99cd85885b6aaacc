"""Ratings of attributes beside the NPS answers of the same people."""

from collections.abc import Sequence
from typing import Final

from services.scorer.domain.drivers import Rated
from services.scorer.domain.questions import OF_ACCOUNT, OF_ANSWER, OF_PERSON, Filters
from services.scorer.store.reading.answer_rows import counted_answers, keys, source
from services.scorer.store.reading.latest import accounts_with_stale_pairs, last_answers
from services.scorer.store.reading.pool import LIVE, conditions, joins
from services.scorer.store.reading.question import Question, split_values
from shared.db.transaction import ReadTx

Group = tuple[str | None, ...]


async def rated(tx: ReadTx, question: Question) -> Sequence[tuple[Group, Rated]]:
    """By group of the NPS answer: how many people gave which rating and which score. Of each person the latest NPS
    answer of the window counts, and of each attribute (and type) the latest rating of the window."""
    (moment,) = question.moments
    paired = question.stale is not None and _OF_PAIRS.issuperset((*question.split, *question.filters.given()))
    stale_pairs: Sequence[str] = ()
    if paired:
        stale_pairs = await accounts_with_stale_pairs(tx, moment)
    rows = await tx.all(_sql(question, paired=paired), **question.bound(), stale_pairs=list(stale_pairs), as_of=moment)
    found = []
    for row in rows:
        rating = Rated(row["attribute"], row["type"], int(row["value"]), row["score"], row["n"])
        found.append((split_values(row, question), rating))
    return found


_OF_PAIRS: Final = frozenset((*OF_ACCOUNT, *OF_PERSON, "nps_kind"))
"""By what the last answers of people can be chosen and split without looking at the answers themselves."""


def _last_answers(question: Question) -> str:
    """`counted_answers` of now: the last answer of a window that ends now is the last answer of the person."""
    joined, named = source(question.split, question.filters, question.owner_email)
    return f"""counted_answers as (
        select distinct on (r.account_id, r.stakeholder_id) r.account_id, r.stakeholder_id, r.score, true as now{named}
        from ({last_answers(current=True)}) r{joined}
        where r.survey_type = 'nps' and r.answered_at > (cast(:window_starts as timestamptz[]))[1]
            {conditions(question.filters, question.owner_email)}
        order by r.account_id, r.stakeholder_id, r.answered_at desc, r.response_id collate "C" desc
    )"""


def _ratings(filters: Filters, owner_email: str | None) -> str:
    """The ratings `e` of live responses that the filters choose. What is asked of answers needs the responses; which
    of them do not count is known without reading all."""
    if set(OF_ANSWER).isdisjoint(filters.given()):
        chosen = joins(filters, owner_email, alias="e")
        dead = "d.withdrawn or d.erased or d.test"
        live = f"not exists (select from responses d where d.response_id = e.response_id and ({dead}))"
        wanted = conditions(filters, owner_email, of=(), alias="e")
    else:
        chosen = f" join responses r on r.response_id = e.response_id{joins(filters, owner_email)}"
        live, wanted = LIVE, conditions(filters, owner_email)
    return f"""response_answers e{chosen} where {live} and e.attribute is not null
        and e.type in ('rating', 'csat', 'ces') and e.answered_at > (cast(:window_starts as timestamptz[]))[1]
        and e.answered_at <= (cast(:uptos as timestamptz[]))[1]{wanted}"""


def _sql(question: Question, *, paired: bool) -> str:
    filters, owner_email = question.filters, question.owner_email
    if paired:
        counted = _last_answers(question)
    else:
        counted = counted_answers("latest", question.split, filters, owner_email, some_accounts=False)
    return f"""with {counted},
    rated as (
        select distinct on (e.account_id, e.stakeholder_id, e.attribute, e.type)
            e.account_id, e.stakeholder_id, e.attribute, e.type, e.value_number as value
        from {_ratings(filters, owner_email)}
        order by e.account_id, e.stakeholder_id, e.attribute, e.type, e.answered_at desc,
            e.response_id collate "C" desc, e.question_id collate "C" desc
    )
    select attribute, type, value, v.score{keys(question.split, "v.")}, count(*) as n
    from counted_answers v join rated using (account_id, stakeholder_id) where v.now
    group by attribute, type, value, v.score{keys(question.split, "v.")}
    """
