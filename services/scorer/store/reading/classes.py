"""The classes of accounts: PostgreSQL counts what the rules look at, the domain decides."""

from collections.abc import Sequence
from datetime import datetime

from services.scorer.domain.categories import LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.classes import Classified, Standing, Thresholds, classify
from services.scorer.domain.states import DECISION_MAKER
from services.scorer.domain.windows import YEAR
from services.scorer.store.reading.freshness import fresh
from services.scorer.store.reading.pool import LATEST_FIRST, LIVE, net
from shared.db.transaction import ReadTx

_FIELDS = (
    "promoters",
    "passives",
    "detractors",
    "decision_maker_detractors",
    "decision_maker_net",
    "user_net",
    "ever_asked",
    "ever_answered",
)


def _sql(some_accounts: bool) -> str:
    only = " and account_id = any(cast(:account_ids as text[]))" if some_accounts else ""
    decider, user = f"s.type = '{DECISION_MAKER}'", "s.type = 'user'"
    return f"""
    with picked as (
        select distinct on (account_id, stakeholder_id) r.account_id, r.stakeholder_id, r.score from (
            select *, '' as question_id from responses r where survey_type = 'nps' and {LIVE}
            and answered_at > :after and answered_at <= :upto{only}
        ) r order by account_id, stakeholder_id, {LATEST_FIRST}
    ),
    standing as (
        select p.account_id, count(*) filter (where p.score >= {LOWEST_PROMOTER}) as promoters,
            count(*) filter (where p.score >= {LOWEST_PASSIVE} and p.score < {LOWEST_PROMOTER}) as passives,
            count(*) filter (where p.score < {LOWEST_PASSIVE}) as detractors,
            count(*) filter (where {decider} and p.score < {LOWEST_PASSIVE}) as decision_maker_detractors,
            coalesce(sum({net("p.score")}) filter (where {decider}), 0) as decision_maker_net,
            coalesce(sum({net("p.score")}) filter (where {user}), 0) as user_net
        from picked p left join stakeholders s using (account_id, stakeholder_id) group by p.account_id
    ),
    asked as (select distinct account_id from invitations where sent_at <= :upto{only}),
    heard as (select distinct r.account_id from responses r where {LIVE} and r.answered_at <= :upto{only}),
    everyone as (
        select account_id from accounts where true{only} union select account_id from stakeholders where true{only}
        union select account_id from invitations where true{only} union select account_id from heard
    )
    select e.account_id, {", ".join(f"coalesce(st.{name}, 0) as {name}" for name in _FIELDS[:6])},
        a.account_id is not null as ever_asked, h.account_id is not null as ever_answered
    from everyone e left join standing st using (account_id) left join asked a using (account_id)
        left join heard h using (account_id)
    """


async def classes_of(
    tx: ReadTx,
    as_of: datetime,
    thresholds: Thresholds,
    account_ids: Sequence[str] | None = None,
    *,
    stale: Sequence[str] | None = None,
) -> dict[str, Classified]:
    """account_id → class at the moment, of these accounts or of all that anything is known of. Where the moment is now
    and `stale` are the accounts whose snapshot does not tell of it, the others are not counted."""
    if stale is None:
        return await _counted(tx, as_of, thresholds, account_ids)
    only = "" if account_ids is None else " and account_id = any(cast(:account_ids as text[]))"
    rows = await tx.all(
        f"select account_id, class_numbers from snapshots s where {fresh('s')}{only}",
        stale=list(stale),
        account_ids=list(account_ids or ()),
    )
    found = {
        row["account_id"]: classify(Standing(**{name: row["class_numbers"][name] for name in _FIELDS}), thresholds)
        for row in rows
    }
    missing = list(stale) if account_ids is None else [one for one in account_ids if one not in found]
    return found | (await _counted(tx, as_of, thresholds, missing) if missing else {})


async def _counted(
    tx: ReadTx, as_of: datetime, thresholds: Thresholds, account_ids: Sequence[str] | None
) -> dict[str, Classified]:
    span = YEAR.span(as_of)
    rows = await tx.all(
        _sql(account_ids is not None), after=span.after, upto=span.upto, account_ids=list(account_ids or ())
    )
    return {row["account_id"]: classify(Standing(**{name: row[name] for name in _FIELDS}), thresholds) for row in rows}
