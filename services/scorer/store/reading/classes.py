"""The classes of accounts: PostgreSQL counts what the rules look at, the domain decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.scorer.domain.categories import LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.classes import STANDING, AccountClass, Classified, Standing, Thresholds, classify, first_fit
from services.scorer.domain.states import DECISION_MAKER
from services.scorer.domain.windows import YEAR
from services.scorer.store.reading.freshness import fresh
from services.scorer.store.reading.pool import LATEST_FIRST, LIVE, net
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx

_NUMBERS, _TRUTHS = STANDING[:6], STANDING[6:]
"""What the rules look at: the columns of every statement here, after the account."""
_RECORD = f"{comma_list('{0} int', _NUMBERS)}, {comma_list('{0} bool', _TRUTHS)}"
_ONLY = " and account_id = any(cast(:account_ids as text[]))"
_Numbers = tuple[Any, ...]


def _sql(some_accounts: bool) -> str:
    only = ""
    if some_accounts:
        only = _ONLY
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
    answered as (select distinct r.account_id from responses r where {LIVE} and r.answered_at <= :upto{only}),
    everyone as (
        select account_id from accounts where true{only} union select account_id from stakeholders where true{only}
        union select account_id from invitations where true{only} union select account_id from answered
    )
    select e.account_id, {comma_list("coalesce(st.{0}, 0) as {0}", _NUMBERS)},
        a.account_id is not null as ever_asked, answered.account_id is not null as ever_answered
    from everyone e left join standing st using (account_id) left join asked a using (account_id)
        left join answered using (account_id)
    """


async def classes_of(
    tx: ReadTx,
    as_of: datetime,
    thresholds: Thresholds,
    account_ids: Sequence[str],
    stale: Sequence[str] | None,
) -> dict[str, Classified]:
    """account_id → class at the moment with its rule and numbers. Where the moment is now, `stale` are the accounts
    whose snapshot is out of date, and only these are counted."""
    found = await _standings(tx, as_of, account_ids, stale)
    return {account_id: classify(Standing(*numbers), thresholds) for account_id, numbers in found.items()}


async def class_names(
    tx: ReadTx, as_of: datetime, thresholds: Thresholds, stale: Sequence[str] | None
) -> dict[str, AccountClass]:
    """account_id → class, of all accounts that anything is known of; `stale` as for `classes_of`."""
    found = await _standings(tx, as_of, None, stale)
    by_numbers: dict[_Numbers, AccountClass] = {}
    by_account: dict[str, AccountClass] = {}
    for account_id, numbers in found.items():
        if numbers not in by_numbers:
            by_numbers[numbers], _ = first_fit(Standing(*numbers), thresholds)
        by_account[account_id] = by_numbers[numbers]
    return by_account


async def _standings(
    tx: ReadTx, as_of: datetime, account_ids: Sequence[str] | None, stale: Sequence[str] | None
) -> dict[str, _Numbers]:
    """account_id → the values of its `Standing`; many accounts have the same."""
    if stale is None:
        return await _counted(tx, as_of, account_ids)
    only, wanted = _ONLY, account_ids
    if wanted is None:
        only, wanted = "", stale  # the fresh ones are found in any case
    rows = await tx.rows(
        f"select account_id, {comma_list('n.{0}', STANDING)}"
        f" from snapshots s, jsonb_to_record(s.class_numbers) as n({_RECORD}) where {fresh('s')}{only}",
        stale=list(stale),
        account_ids=list(account_ids or ()),
    )
    found = _by_account(rows)
    missing = [account_id for account_id in wanted if account_id not in found]
    if missing:
        found |= await _counted(tx, as_of, missing)
    return found


def _by_account(rows: Sequence[Sequence[Any]]) -> dict[str, _Numbers]:
    return {account_id: tuple(numbers) for account_id, *numbers in rows}


async def _counted(tx: ReadTx, as_of: datetime, account_ids: Sequence[str] | None) -> dict[str, _Numbers]:
    span = YEAR.span(as_of)
    rows = await tx.rows(
        _sql(account_ids is not None), after=span.after, upto=span.upto, account_ids=list(account_ids or ())
    )
    return _by_account(rows)
