"""One statement that counts everything a method needs: scores, voices, paired changes, parts of account
means."""

from typing import Final

from services.scorer.domain.answers import Method
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.pool import LATEST_FIRST, ORDER, answers_of, conditions, joins, net

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
"""Where each attribute stands that voices may be split by."""
POINTS: Final = (
    "unnest(cast(:points as int[]), cast(:afters as timestamptz[]), cast(:borders as timestamptz[]),"
    " cast(:uptos as timestamptz[])) as p(point, after, border, upto)"
)
"""The moments in question: voices now are those in (border, upto], voices before those in (after, border]."""
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
    return text, "".join(f", {column} as d{number}" for number, column in enumerate(columns))


def keys(split: tuple[str, ...], before: str = "") -> str:
    """`, d0, d1` as many as the split has, each with something before it."""
    return "".join(f", {before}d{number}" for number in range(len(split)))


def voices(
    method: Method, split: tuple[str, ...], filters: Filters, owner_email: str | None, *, some_accounts: bool
) -> str:
    """Common table expressions that end in `voices`: one row for each answer that the method counts, now or before,
    with its point and its group.

    An answer is the latest of its person at a moment when it was given by then and the next one was not: so one pass
    over the answers in order serves every point, and of several at the same instant only the last by id is picked.
    It counts now from the first point that it was given by, up to where it leaves the window or the next one comes;
    and before likewise, from the first point whose window it has left.
    """
    joined, named = source(split, filters, owner_email)
    only = " and r.account_id = any(cast(:account_ids as text[]))" if some_accounts else ""
    until = [f", {passed('r.next_at', moments)}" if method != "all" else "" for moments in ("uptos", "borders")]
    own = "r.account_id, r.stakeholder_id, r.answered_at, r.score"
    if method == "all":
        own += ", r.response_id, r.question_id"  # to find the latest of them
    columns = f"{keys(split, 'r.')}, {own}"
    return f"""ordered as (
        select {own}{named},
            lead(r.answered_at, 1, 'infinity') over (partition by r.account_id, r.stakeholder_id order by {ORDER})
                as next_at
        from {answers_of(filters.survey_type)}{joined}
        where r.answered_at > :first and r.answered_at <= :last{only}{conditions(filters, owner_email)}
    ),
    placed as (
        select r.*, {passed("r.answered_at", "uptos")} as now_from,
            least({passed("r.answered_at", "borders")}{until[0]}) as now_to,
            {passed("r.answered_at", "borders")} as before_from,
            least({passed("r.answered_at", "afters")}{until[1]}) as before_to
        from ordered r
    ),
    voices as (
        select generate_series(now_from, now_to - 1) as point, true as now{columns} from placed r
            where now_from < now_to
        union all select generate_series(before_from, before_to - 1), false{columns} from placed r
            where before_from < before_to
    )"""


def latest_voices(method: Method, split: tuple[str, ...]) -> str:
    """Of `voices` those that are the latest of their person, now or before."""
    if method != "all":
        return "voices"
    person = f"account_id, stakeholder_id, point{keys(split)}"
    return f"(select distinct on ({person}, now) * from voices order by {person}, now, {LATEST_FIRST})"


def passed(column: str, moments: str) -> str:
    """How many of the moments, which ascend, lie before the column's: the first point that does not."""
    return f"width_bucket({column} - interval '1 microsecond', cast(:{moments} as timestamptz[]))"


def counting(method: Method, split: tuple[str, ...], survey_type: str) -> str:
    """The rest of the statement: rows (kind, point, now, d0 …, n, x, y, weight, weighted, last).

    tally: n answers of score x, the last of them; voices: n distinct people at x accounts with y of them in
    the currency, whose revenue is weight; pairs: n people with Σe = x and Σe² = y; mean: n accounts with x
    voices and the sum of their values weighted; revenue: the same in the currency, by weight.
    """
    group = f"point, now{keys(split)}"
    person = f"account_id, stakeholder_id, point{keys(split)}"
    value = net() if survey_type == "nps" else "score"
    zero = "cast(0 as bigint)"
    none = "cast(null as numeric)"
    every_answer = method == "all"
    people = "count(distinct stakeholder_id)" if every_answer else "count(*)"
    return f""",
    accounts_counted as (
        select {group}, v.account_id, count(*) as answers, {people} as people,
            sum({value}) as total, max(o.revenue_amount) as revenue
        from voices v left join accounts o on o.account_id = v.account_id and o.revenue_currency = :currency
        group by {group}, v.account_id
    ),
    moves as (
        select point{keys(split)}, sum(case when now then {net()} else -({net()}) end) as e
        from {latest_voices(method, split)} latest group by {person} having count(*) = 2
    )
    select 'tally' as kind, {group}, count(*) as n, score as x, {zero} as y, {none} as weight, {none} as weighted,
        max(answered_at) as last from voices group by {group}, score
    union all
    select 'voices', {group}, sum(people), count(*), count(revenue), sum(revenue), null, null
        from accounts_counted group by {group}
    union all
    select 'pairs', point, true{keys(split)}, count(*), sum(e), sum(e * e), null, null, null
        from moves group by point{keys(split)}
    union all
    select 'mean', {group}, count(*), answers, 0, count(*), sum(total), null
        from accounts_counted group by {group}, answers
    union all
    select 'revenue', {group}, count(*), answers, 0, sum(revenue), sum(revenue * total), null
        from accounts_counted where revenue is not null group by {group}, answers
    """


def left_out(split: tuple[str, ...]) -> str:
    """The rest of a statement that names the accounts with voices now that have no weight in the currency:
    rows (point, d0 …, account_id, name, currency, n of them in the group), the first ones of each group."""
    return f""",
    without as (
        select distinct point{keys(split)}, v.account_id, o.name,
            case when o.revenue_amount is not null then o.revenue_currency end as currency
        from voices v left join accounts o on o.account_id = v.account_id
        where now and (o.revenue_amount is null or o.revenue_currency is distinct from :currency)
    ),
    numbered as (
        select *, count(*) over (partition by point{keys(split)}) as n,
            row_number() over (partition by point{keys(split)} order by account_id collate "C") as place
        from without
    )
    select point{keys(split)}, account_id, name, currency, n from numbered
    where place <= :named order by point{keys(split)}, place
    """
