"""The answers that count at each moment, by person and group, as pieces of SQL."""

from collections.abc import Iterable
from typing import Final

from services.scorer.domain.answers import Method
from services.scorer.domain.questions import OF_ANSWER, Filters
from services.scorer.store.reading.pool import ORDER, answers_of, conditions, joins

COLUMNS: Final = {
    "account_id": "r.account_id",
    "industry": "a.industry",
    "tier": "a.tier",
    "region": "a.region",
    "owner": "a.owner_email",
    "class": "c.class",
    "stakeholder_type": "s.type",
    "job_level": "s.job_level",
    "touchpoint": "r.touchpoint",
    "product": "r.product",
    "channel": "r.channel",
    "survey_id": "r.survey_id",
    "nps_kind": "r.nps_kind",
}
"""Where each attribute stands that answers may be split by."""
POINTS: Final = (
    "unnest(cast(:points as int[]), cast(:afters as timestamptz[]), cast(:window_starts as timestamptz[]),"
    " cast(:uptos as timestamptz[])) as p(point, after, window_start, upto)"
)
"""The moments in question: answers now are those in (window_start, upto], answers before those in
(after, window_start]."""
CLASS_JOIN: Final = (
    " left join unnest(cast(:class_accounts as text[]), cast(:class_names as text[])) as c(account_id, class)"
    " on c.account_id = {0}.account_id"
)


def columns_of(split: tuple[str, ...], alias: str = "r") -> list[str]:
    """The columns of these attributes, where `alias` holds those that are neither an account's nor a
    person's."""
    return [COLUMNS[name].replace("r.", f"{alias}.") for name in split]


def source(split: tuple[str, ...], filters: Filters, owner_email: str | None, *, alias: str = "r") -> tuple[str, str]:
    """(the joins, the columns with their names d0, d1 … each after a comma) of a split."""
    columns = columns_of(split, alias)
    text = joins(filters, owner_email, columns, alias=alias)
    if "class" in split:
        text += CLASS_JOIN.format(alias)
    return text, named(columns)


def named(columns: Iterable[str]) -> str:
    """The columns of a split with their names d0, d1 …, each after a comma."""
    return "".join(f", {column} as d{number}" for number, column in enumerate(columns))


def keys(split: tuple[str, ...], before: str = "") -> str:
    """`, d0, d1` as many as the split has, each with something before it."""
    return "".join(f", {before}d{number}" for number in range(len(split)))


def counted_answers(
    method: Method, split: tuple[str, ...], filters: Filters, owner_email: str | None, *, some_accounts: bool
) -> str:
    """Common table expressions that end in `counted_answers`: one row for each answer that the method counts, now or
    before, with its point, its group, and `newer`: the first point at which its person has given another one.

    An answer is the latest of its person at a moment when it was given by then and the next one was not: so one pass
    over the answers in order serves every point, and of several at the same instant only the last by id is the latest.
    It counts now from the first point that it was given by, up to where it leaves the window or, by `latest`, the next
    one comes; and before likewise, from the first point whose window it has left. By `all`, the next one is looked for
    within the group.
    """
    joined, split_columns = source(split, filters, owner_email)
    only = ""
    if some_accounts:
        only = " and r.account_id = any(cast(:counted_ids as text[]))"
    person = "r.account_id, r.stakeholder_id"
    now_to, before_to = "least(now_to, now_newer)", "least(before_to, before_newer)"
    if method == "all":
        now_to, before_to = "now_to", "before_to"
        for name in split:
            if name in OF_ANSWER:
                person += f", {COLUMNS[name]}"
    columns = f"{keys(split)}, account_id, stakeholder_id, answered_at, score"
    return f"""ordered as (
        select r.account_id, r.stakeholder_id, r.answered_at, r.score{split_columns},
            lead(r.answered_at, 1, 'infinity') over (partition by {person} order by {ORDER}) as next_at
        from {answers_of(filters.survey_type)}{joined}
        where r.answered_at > :first and r.answered_at <= :last{only}{conditions(filters, owner_email)}
    ),
    placed as (
        select r.*,
            {passed("r.answered_at", "uptos")} as now_from, {passed("r.answered_at", "window_starts")} as now_to,
            {passed("r.answered_at", "window_starts")} as before_from, {passed("r.answered_at", "afters")} as before_to,
            {passed("r.next_at", "uptos")} as now_newer, {passed("r.next_at", "window_starts")} as before_newer
        from ordered r
    ),
    counted_answers as (
        select generate_series(now_from, {now_to} - 1) as point, true as now, now_newer as newer{columns} from placed
            where now_from < {now_to}
        union all
        select generate_series(before_from, {before_to} - 1), false, before_newer{columns} from placed
            where before_from < {before_to}
    )"""


def passed(column: str, moments: str) -> str:
    """How many of the moments, which ascend, lie before the column's: the first point that does not."""
    return f"width_bucket({column} - interval '1 microsecond', cast(:{moments} as timestamptz[]))"
