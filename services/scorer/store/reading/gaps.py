"""What coverage and its gaming are judged by: one row an account, and two tallies of people."""

from collections.abc import Sequence
from itertools import starmap
from typing import Final

from services.scorer.domain.figures import Tally, tally_from_counts
from services.scorer.domain.gaps import Reached
from services.scorer.domain.questions import Filters
from services.scorer.domain.states import DECISION_MAKER
from services.scorer.domain.windows import Span
from services.scorer.store.reading.latest import accounts_with_stale_pairs, last_answers, with_fresh_pairs
from services.scorer.store.reading.pool import LIVE, conditions, joins, parameters
from shared.db.transaction import ReadTx

_PRESENT: Final = "a.removed is not true and s.removed is not true"
"""Neither the account nor the person was taken out of the directory: nobody can ask those who left."""
_REACHED: Final = f"""
    people as (
        select account_id, max(answered_at) as answered_at, max(sent_at) as sent_at, bool_or(listed) as listed,
            coalesce(max(type), '') = '{DECISION_MAKER}' as decides
        from (
            select account_id, stakeholder_id, answered_at, cast(null as timestamptz) as sent_at,
                false as listed, false as removed, cast(null as text) as type from said
            union all select account_id, stakeholder_id, null, sent_at, false, false, null from invited_people
                where sent_at <= :upto
            union all select account_id, stakeholder_id, null, null, true, removed, type from stakeholders
        ) each group by account_id, stakeholder_id having not bool_or(removed)
    ),
    by_account as (
        select account_id, count(*) filter (where listed or answered_at is not null) as known,
            count(*) filter (where decides) as decision_makers, count(*) filter (where sent_at > :after) as asked,
            count(*) filter (where answered_at > :after) as answered,
            max(sent_at) as last_asked_at, max(answered_at) as last_answered_at
        from people group by account_id
    )
    select account_id, a.name, a.owner_email as owner, coalesce(known, 0) as known,
        coalesce(decision_makers, 0) as decision_makers, coalesce(asked, 0) as asked,
        coalesce(answered, 0) as answered, last_asked_at, last_answered_at
    from by_account full join accounts a using (account_id) where a.removed is not true
"""
"""Everybody who is in the directory, has answered or was asked, in one pass."""
_PAIR: Final = "from latest_pairs p where p.survey_type = 'nps' and {fresh}"
_ANSWERED: Final = f"{LIVE} and r.survey_type = 'nps' and r.answered_at <= :after"


def _before(*, current: bool) -> str:
    """A row source with the last NPS answer up to `:after` of each person, maybe with others of theirs. As of now the
    pairs know most of them; who has said more since then is looked up."""
    columns = "r.account_id, r.stakeholder_id, r.answered_at, r.response_id, r.score"
    if not current:
        return f"select {columns} from responses r where {_ANSWERED}"
    pair = _PAIR.format(fresh=with_fresh_pairs("p"))
    return f"""
        select p.account_id, p.stakeholder_id, p.answered_at, p.response_id, p.score {pair} and p.answered_at <= :after
        union all select p.account_id, p.stakeholder_id, p.previous_answered_at, p.previous_response_id,
            p.previous_score {pair} and p.answered_at > :after and p.previous_answered_at <= :after
        union all select q.account_id, q.stakeholder_id, q.answered_at, q.response_id, q.score
            {pair.replace("latest_pairs p", f"latest_pairs p cross join lateral ({_LAST_BEFORE}) q")}
            and p.previous_answered_at > :after
        union all select {columns} from responses r where {_ANSWERED}
            and r.account_id = any(cast(:stale_pairs as text[]))
    """


_LAST_BEFORE: Final = f"""
    select r.account_id, r.stakeholder_id, r.answered_at, r.response_id, r.score from responses r
    where {_ANSWERED} and r.account_id = p.account_id and r.stakeholder_id = p.stakeholder_id
        and r.nps_kind = p.nps_kind
    order by r.answered_at desc fetch first 1 rows with ties
"""
"""Ordered by an index as far as that goes: of equal moments the last by id is picked from what is found."""


async def reached_accounts(
    tx: ReadTx, filters: Filters, owner_email: str | None, span: Span, *, current: bool
) -> Sequence[Reached]:
    """The accounts of the directory and those that were ever asked or ever answered, without the removed ones, by id.
    `asked` and `answered` are of the span, everything else up to its end, which is now where `current`. Of the filters
    those on accounts count."""
    stale_pairs: Sequence[str] = ()
    if current:
        stale_pairs = await accounts_with_stale_pairs(tx, span.upto)
    rows = await tx.rows(
        f"with said as ({last_answers(current=current)}), {_REACHED}"
        f'{conditions(filters, owner_email, of=())} order by account_id collate "C"',
        stale_pairs=list(stale_pairs),
        as_of=span.upto,
        after=span.after,
        upto=span.upto,
        **parameters(filters, owner_email),
    )
    return list(starmap(Reached, rows))


async def scored_before(
    tx: ReadTx, filters: Filters, owner_email: str | None, span: Span, *, current: bool
) -> tuple[Tally, Tally]:
    """The latest NPS answers given up to the beginning of the span, one a person who is still there: of those who were
    asked in the span, and of those who were not. Where `current`, the span ends now."""
    stale_pairs: Sequence[str] = ()
    if current:
        stale_pairs = await accounts_with_stale_pairs(tx, span.upto)
    rows = await tx.all(
        f"""
        with before as (
            select distinct on (account_id, stakeholder_id) account_id, stakeholder_id, score
            from ({_before(current=current)}) said
            order by account_id, stakeholder_id, answered_at desc, response_id collate "C" desc
        )
        select exists (
            select from invited_people i where i.account_id = b.account_id and i.stakeholder_id = b.stakeholder_id
            and i.sent_at > :after and i.sent_at <= :upto
        ) as asked, b.score, count(*) as n
        from before b{joins(filters, owner_email, ("a.", "s."), alias="b")}
        where {_PRESENT}{conditions(filters, owner_email, of=(), alias="b")} group by 1, 2
        """,
        stale_pairs=list(stale_pairs),
        after=span.after,
        upto=span.upto,
        **parameters(filters, owner_email),
    )

    asked: dict[int, int] = {}
    left_out: dict[int, int] = {}
    for row in rows:
        if row["asked"]:
            asked[row["score"]] = row["n"]
        else:
            left_out[row["score"]] = row["n"]
    return (
        tally_from_counts(asked, sum(asked.values()), None),
        tally_from_counts(left_out, sum(left_out.values()), None),
    )
