"""What coverage and its gaming are judged by: one row an account, and two tallies of people."""

from collections.abc import Sequence
from typing import Final

from services.scorer.domain.figures import Tally, tally_from_counts
from services.scorer.domain.gaps import Reached
from services.scorer.domain.questions import Filters
from services.scorer.domain.states import DECISION_MAKER
from services.scorer.domain.windows import Span
from services.scorer.store.reading.latest import last_answers, untold_accounts
from services.scorer.store.reading.pool import LIVE, conditions, joins, parameters
from shared.db.transaction import ReadTx

_PRESENT: Final = "a.removed is not true and s.removed is not true"
"""Neither the account nor the person was taken out of the directory: nobody can ask those who left."""
_REACHED: Final = f"""
    heard as (
        select account_id, stakeholder_id, max(answered_at) as last_at from said group by account_id, stakeholder_id
    ),
    sent as (
        select account_id, stakeholder_id, max(sent_at) as last_at from invitations
        where sent_at <= :upto group by account_id, stakeholder_id
    ),
    people as (
        select k.account_id, count(*) filter (where s.stakeholder_id is not null or h.last_at is not null) as known,
            count(*) filter (where s.type = '{DECISION_MAKER}') as decision_makers,
            count(*) filter (where i.last_at > :after) as asked, count(*) filter (where h.last_at > :after) as answered,
            max(i.last_at) as last_asked_at, max(h.last_at) as last_answered_at
        from (
            select account_id, stakeholder_id from stakeholders where not removed
            union select account_id, stakeholder_id from heard union select account_id, stakeholder_id from sent
        ) k
        left join stakeholders s on s.account_id = k.account_id and s.stakeholder_id = k.stakeholder_id
        left join heard h on h.account_id = k.account_id and h.stakeholder_id = k.stakeholder_id
        left join sent i on i.account_id = k.account_id and i.stakeholder_id = k.stakeholder_id
        where s.removed is not true group by k.account_id
    )
    select account_id, a.name, a.owner_email as owner, coalesce(known, 0) as known,
        coalesce(decision_makers, 0) as decision_makers, coalesce(asked, 0) as asked,
        coalesce(answered, 0) as answered, last_asked_at, last_answered_at
    from people full join accounts a using (account_id) where a.removed is not true
"""


async def reached_accounts(
    tx: ReadTx, filters: Filters, owner_email: str | None, span: Span, *, current: bool
) -> Sequence[Reached]:
    """The accounts of the directory and those ever asked or heard, without the removed ones, by id. `asked` and
    `answered` are of the span, everything else up to its end, which is now where `current`. Of the filters those on
    accounts count."""
    rows = await tx.all(
        f"with said as ({last_answers(current=current)}), {_REACHED}"
        f'{conditions(filters, owner_email, of=())} order by account_id collate "C"',
        untold=await untold_accounts(tx, span.upto) if current else [],
        as_of=span.upto,
        after=span.after,
        upto=span.upto,
        **parameters(filters, owner_email),
    )
    return [Reached(**row) for row in rows]


async def scored_before(tx: ReadTx, filters: Filters, owner_email: str | None, span: Span) -> tuple[Tally, Tally]:
    """The latest NPS answers given up to the beginning of the span, one a person who is still there: of those who were
    asked in the span, and of those who were not."""
    rows = await tx.all(
        f"""
        with before as (
            select distinct on (account_id, stakeholder_id) account_id, stakeholder_id, score from responses r
            where {LIVE} and survey_type = 'nps' and answered_at <= :after
            order by account_id, stakeholder_id, answered_at desc, response_id collate "C" desc
        )
        select exists (
            select from invitations i where i.account_id = b.account_id and i.stakeholder_id = b.stakeholder_id
            and i.sent_at > :after and i.sent_at <= :upto
        ) as asked, b.score, count(*) as n
        from before b{joins(filters, owner_email, ("a.", "s."), alias="b")}
        where {_PRESENT}{conditions(filters, owner_email, of=(), alias="b")} group by 1, 2
        """,
        after=span.after,
        upto=span.upto,
        **parameters(filters, owner_email),
    )

    def tally(asked: bool) -> Tally:
        counts = {row["score"]: row["n"] for row in rows if row["asked"] is asked}
        return tally_from_counts(counts, sum(counts.values()), None)

    return tally(True), tally(False)
