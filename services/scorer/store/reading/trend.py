"""Context events as marks on a trend."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.scorer.domain.questions import Filters
from services.scorer.store.reading.pool import conditions, joins, parameters
from shared.db.erasures import visible
from shared.db.transaction import ReadTx

MAX_MARKS: Final = 500
"""A trend carries at most so many marks, the latest ones."""


async def context_marks(
    tx: ReadTx,
    filters: Filters,
    owner_email: str | None,
    since: datetime,
    until: datetime,
    account_id: str | None = None,
) -> Sequence[dict[str, Any]]:
    """What happened at the accounts in question between the moments (both inclusive), oldest first."""
    only = ""
    if account_id is not None:
        only = " and m.account_id = :account_id"
    rows = await tx.all(
        "select m.event_id, m.account_id, coalesce(l.stakeholder_id, m.stakeholder_id) as stakeholder_id, m.kind, m.at,"
        " m.label from context_marks m"
        " left join aliases l on l.account_id = m.account_id and l.alias_id = m.stakeholder_id"
        f"{joins(filters, owner_email, alias='m')}"
        f" where m.at >= :since and m.at <= :until and {visible('m')}"
        f"{only}{conditions(filters, owner_email, of=(), alias='m')}"
        " order by m.at desc, m.event_id desc limit :rows",
        **dict(parameters(filters, owner_email))
        | {"since": since, "until": until, "account_id": account_id, "rows": MAX_MARKS},
    )
    return list(map(dict, reversed(rows)))


async def merge_marks(tx: ReadTx, account_id: str, since: datetime, until: datetime) -> Sequence[dict[str, Any]]:
    """The people of an account whose records became one between the moments (both inclusive), as marks: the figures
    count one person less from then on, at all times."""
    rows = await tx.all(
        "select s.event_id, s.account_id, coalesce(l.stakeholder_id, s.stakeholder_id) as stakeholder_id,"
        " 'people_merged' as kind, s.recorded_at as at, cast(null as text) as label"
        " from stakeholders s left join aliases l on l.account_id = s.account_id and l.alias_id = s.stakeholder_id"
        " where s.account_id = :account_id and s.removed and s.record ->> 'merged_into' is not null"
        f" and s.recorded_at >= :since and s.recorded_at <= :until and {visible('s')}"
        " order by s.recorded_at desc, s.event_id desc limit :rows",
        account_id=account_id,
        since=since,
        until=until,
        rows=MAX_MARKS,
    )
    return list(map(dict, reversed(rows)))
