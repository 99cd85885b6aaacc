"""The classes of accounts: PostgreSQL counts what the rules look at, the domain decides."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.scorer.domain.categories import LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.classes import AccountClass, Classified, Standing, Thresholds, classify, first_fit
from services.scorer.domain.states import DECISION_MAKER
from services.scorer.domain.windows import YEAR
from services.scorer.store.reading.freshness import fresh
from services.scorer.store.reading.pool import LATEST_FIRST, LIVE, net
from shared.db.transaction import ReadTx

_FIELDS = tuple(field.name for field in fields(Standing))
_RECORD = ", ".join(f"{field.name} {'bool' if field.type in (bool, 'bool') else 'int'}" for field in fields(Standing))
"""What the rules look at: the columns of every statement here, after the account, in the order of `Standing`."""
_Numbers = tuple[Any, ...]


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
    account_ids: Sequence[str],
    stale: Sequence[str] | None,
) -> dict[str, Classified]:
    """account_id → class at the moment with its rule and numbers. Where the moment is now and `stale` are the accounts
    whose snapshot does not tell of it, the others are not counted."""
    found = await _standings(tx, as_of, account_ids, stale)
    return {account_id: classify(Standing(*numbers), thresholds) for account_id, numbers in found.items()}


async def class_names(
    tx: ReadTx, as_of: datetime, thresholds: Thresholds, stale: Sequence[str] | None
) -> dict[str, AccountClass]:
    """account_id → class, of all accounts that anything is known of; likewise."""
    found = await _standings(tx, as_of, None, stale)
    names = {numbers: first_fit(Standing(*numbers), thresholds)[0] for numbers in set(found.values())}
    return {account_id: names[numbers] for account_id, numbers in found.items()}


async def _standings(
    tx: ReadTx, as_of: datetime, account_ids: Sequence[str] | None, stale: Sequence[str] | None
) -> dict[str, _Numbers]:
    """account_id → the values of its `Standing`; many accounts have the same."""
    if stale is None:
        return await _counted(tx, as_of, account_ids)
    only = "" if account_ids is None else " and account_id = any(cast(:account_ids as text[]))"
    rows = await tx.all(
        f"select account_id, {', '.join(f'n.{name}' for name in _FIELDS)}"
        f" from snapshots s, jsonb_to_record(s.class_numbers) as n({_RECORD}) where {fresh('s')}{only}",
        stale=list(stale),
        account_ids=list(account_ids or ()),
    )
    found = _by_account(rows)
    missing = (
        list(stale) if account_ids is None else [account_id for account_id in account_ids if account_id not in found]
    )
    return found | (await _counted(tx, as_of, missing) if missing else {})


def _by_account(rows: Sequence[RowMapping]) -> dict[str, _Numbers]:
    return {str(values[0]): values[1:] for values in (tuple(row.values()) for row in rows)}


async def _counted(tx: ReadTx, as_of: datetime, account_ids: Sequence[str] | None) -> dict[str, _Numbers]:
    span = YEAR.span(as_of)
    rows = await tx.all(
        _sql(account_ids is not None), after=span.after, upto=span.upto, account_ids=list(account_ids or ())
    )
    return _by_account(rows)
