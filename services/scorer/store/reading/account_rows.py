"""One row an account and point (and group, where split): what the kept counts say of the accounts that they hold of,
and of all others what their answers say. Rows add up, and so do the parts that an account's row comes in.

The columns are those of `account_counts` by one method, with `point`, `d0`, `d1` (the group), `account_id`,
`is_known` (whether the account is), and `revenue`, in the currency asked for.
"""

from collections.abc import Collection, Sequence
from typing import Final, Literal

from services.scorer.domain.answers import Method
from services.scorer.store.counts import INVITATIONS, SCORES
from services.scorer.store.reading.answer_rows import CLASS_JOIN, columns_of, counted_answers, keys, named
from services.scorer.store.reading.coverage_rows import ASKABLE, KNOWABLE, asked_rows, known_rows
from services.scorer.store.reading.freshness import fresh
from services.scorer.store.reading.pool import ACCOUNT_JOIN, conditions, net
from services.scorer.store.reading.question import Question
from shared.db.sql import comma_list

Counted = Literal["answers", "changes", "invitations", "people"]
EVERYTHING: Final[tuple[Counted, ...]] = ("answers", "changes", "invitations", "people")
ANSWERS: Final = ("respondents", "respondents_before", "last_at", "last_before")
CHANGES: Final = ("pairs", "pairs_sum", "pairs_squares")
_MOMENTS: Final = ("last_at", "last_before")
_NOW: Final = "account_counts_now r"
_MONTHS: Final = (
    "account_counts_months r join unnest(cast(:points as int[]), cast(:uptos as timestamptz[])) as p(point, moment)"
    " on p.moment = r.moment"
)


def score_columns(method: Method) -> tuple[list[str], list[str]]:
    """The columns of the answers that the method counts, by score: in the window, and in the one before."""
    if method == "all":
        return _by_score("all"), _by_score("all_before")
    return _by_score("latest"), _by_score("latest_before")


def _by_score(picked: str) -> list[str]:
    return [f"{picked}_{score}" for score in SCORES]


def rows(question: Question, method: Method, wanted: Sequence[Counted] = EVERYTHING) -> str:
    """Common table expressions that end in `rows`. Of what is counted from answers only some may be wanted; kept rows
    have all."""
    if not question.kept:
        return rows_from_answers(question, method, wanted)
    kept = _kept(question, method)
    if not question.counted_accounts:
        return f"rows as ({kept})"
    return rows_from_answers(question, method, wanted, beside=f"{kept} union all")


def _kept(question: Question, method: Method) -> str:
    """The kept rows that hold."""
    point, table = "0", _NOW
    if question.months:
        point, table = "p.point", _MONTHS
    classes = only = ""
    if "class" in question.split:
        classes = CLASS_JOIN.format("r")
    if question.account_ids is not None:
        only = " and r.account_id = any(cast(:account_ids as text[]))"
    return f"""
        select {point} as point{named(columns_of(question.split))}, r.account_id,
            a.removed is false or r.known > 0 as is_known,
            case when a.revenue_currency = :currency then a.revenue_amount end as revenue,
            {comma_list("r.{0}", _columns(method))}
        from {table}{ACCOUNT_JOIN.format("r")}{classes}
        where r.score_window = :window and {fresh("r")}{only}{conditions(question.filters, question.owner_email)}
    """


def rows_from_answers(question: Question, method: Method, wanted: Sequence[Counted], beside: str = "") -> str:
    """Rows counted from the answers; `beside` stands before them, with `union all`."""
    expressions: list[str] = []
    found: list[str] = []
    if "answers" in wanted:
        some = question.counted_accounts is not None
        expressions.append(
            counted_answers(method, question.split, question.filters, question.owner_email, some_accounts=some)
        )
        found.append(_part(question, method, _answered(question, method), (*_scores(method), *ANSWERS)))
    if "changes" in wanted and question.filters.survey_type == "nps":
        found.append(_part(question, method, _changed(question), CHANGES))
    if "invitations" in wanted and ASKABLE.issuperset(question.split):
        found.append(_part(question, method, asked_rows(question), INVITATIONS))
    if "people" in wanted and KNOWABLE.issuperset(question.split):
        found.append(_part(question, method, known_rows(question), ("known",)))
    expressions.append(f"rows as ({beside} {' union all '.join(found)})")
    return ", ".join(expressions)


def _scores(method: Method) -> list[str]:
    now, before = score_columns(method)
    return now + before


def _columns(method: Method) -> list[str]:
    return [*_scores(method), *ANSWERS, *CHANGES, "known", *INVITATIONS]


def _part(question: Question, method: Method, query: str, counted: Collection[str]) -> str:
    """The rows of a query as rows of everything: what it does not count is null."""
    values = []
    for name in _columns(method):
        if name in counted:
            values.append(f"c.{name}")
        elif name in _MOMENTS:
            values.append(f"cast(null as timestamptz) as {name}")
        else:
            values.append(f"cast(null as int) as {name}")
    is_known = "false"
    if "known" in counted:
        is_known = "true"
    return f"""
        select c.point{keys(question.split, "c.")}, c.account_id, {is_known} as is_known, o.revenue_amount as revenue,
            {", ".join(values)}
        from ({query}) c left join accounts o on o.account_id = c.account_id and o.revenue_currency = :currency
    """


def _answered(question: Question, method: Method) -> str:
    newest = ""
    if method == "all":
        newest = " and point < newer"
    now, before = score_columns(method)
    counts = []
    for side, names in (("now", now), ("not now", before)):
        for score, name in enumerate(names):
            counts.append(f"cast(count(*) filter (where {side} and score = {score}) as int) as {name}")
    return f"""
        select point{keys(question.split)}, account_id, {", ".join(counts)},
            cast(count(*) filter (where now{newest}) as int) as respondents,
            cast(count(*) filter (where not now{newest}) as int) as respondents_before,
            max(answered_at) filter (where now) as last_at, max(answered_at) filter (where not now) as last_before
        from counted_answers group by point{keys(question.split)}, account_id
    """


def _changed(question: Question) -> str:
    """Of the people with a latest answer on both sides, what became of promoter, passive or detractor."""
    group = f"point{keys(question.split)}, account_id"
    return f"""
        select {group}, cast(count(*) as int) as pairs, cast(sum(e) as int) as pairs_sum,
            cast(sum(e * e) as int) as pairs_squares
        from (
            select {group}, sum(case when now then {net()} else -({net()}) end) as e from counted_answers
            where point < newer group by {group}, stakeholder_id having count(*) = 2
        ) moves group by {group}
    """
