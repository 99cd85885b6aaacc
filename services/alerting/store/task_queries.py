"""Reading follow-ups: lists, figures by group, and what went out about one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.questions import LoopFigures, Sort, TaskFilter
from services.alerting.domain.tasks import Task
from services.alerting.store.tasks import SELECT_TASKS, task_of
from shared.db.directory import of_person
from shared.db.erasures import visible
from shared.db.transaction import ReadTx

MAX_UNOWNED = 200
_GROUP_COLUMNS = {"owner": "owner_email"}
_SEEN = """
    (select *, next_result is not null and not is_chance as is_compared,
        not is_chance and outcome is distinct from 'dismissed' and closed_by is distinct from 'facts' as is_loop,
        exists (select from task_escalations e where e.follow_up_id = t.follow_up_id and e.cause = 'overdue')
            as escalated
    from tasks t, lateral (select coalesce(cast(policy -> 'rule' ->> 'growth' as boolean), false) as is_chance) as rule)
    as seen
"""


async def list_tasks(
    tx: ReadTx, filters: TaskFilter, sort: Sort, after: tuple[datetime, UUID] | None, limit: int
) -> list[Task]:
    """A page of follow-ups behind the position `after`, without those of people who wait to be erased."""
    where, params = _conditions(filters)
    where.append(visible("tasks"))
    operator, direction = ">", "asc"
    if sort.descending:
        operator, direction = "<", "desc"
    if after is not None:
        where.append(f"({sort.key}, follow_up_id) {operator} (:after_value, :after_id)")
        params |= {"after_value": after[0], "after_id": after[1]}
    rows = await tx.all(
        f"{SELECT_TASKS} where {' and '.join(where)}"
        f" order by {sort.key} {direction}, follow_up_id {direction} limit :limit",
        **params,
        limit=limit,
    )
    return [task_of(row) for row in rows]


async def loop_figures(
    tx: ReadTx, filters: TaskFilter, opened_since: datetime | None, group_by: Sequence[str], now: datetime
) -> list[LoopFigures]:
    """The figures of each group, the largest first; without `group_by` exactly one."""
    where, params = _conditions(filters)
    if opened_since is not None:
        where.append("opened_at >= :opened_since")
        params["opened_since"] = opened_since
    columns = [_GROUP_COLUMNS.get(name, name) for name in group_by]
    keys = "".join(f"{column}, " for column in columns)
    order = "".join(f", {column} nulls last" for column in columns)
    grouping = ""
    if columns:
        grouping = f"group by {', '.join(columns)}"
    rows = await tx.all(
        f"""
        select {keys} count(*) as opened,
            count(*) filter (where state <> 'closed') as still_open,
            count(*) filter (where state <> 'closed' and acknowledged_at is null and due_at < :now
                and over_since is null) as overdue,
            count(*) filter (where state = 'closed') as closed,
            count(*) filter (where outcome = 'resolved') as resolved,
            count(*) filter (where outcome = 'dismissed') as dismissed,
            count(*) filter (where closed_by = 'facts') as closed_by_facts,
            count(*) filter (where state <> 'closed' and over_since is not null) as is_over,
            count(*) filter (where told_customer) as told_customer,
            count(*) filter (where is_loop) as loops,
            count(*) filter (where is_loop and state = 'closed') as closed_loops,
            count(*) filter (where is_compared) as compared,
            count(*) filter (where is_compared and next_result = 'recovered') as recovered,
            count(*) filter (where is_compared and next_result = 'unchanged') as unchanged,
            count(*) filter (where is_compared and next_result = 'worse') as worse,
            count(*) filter (where escalated) as escalated,
            count(*) filter (where acknowledged_at <= due_at) as on_time,
            count(*) filter (where acknowledged_at is not null
                or (due_at < :now and over_since is null)) as judged,
            percentile_cont(0.5) within group (order by extract(epoch from acknowledged_at - opened_at)) as to_touch,
            percentile_cont(0.5) within group (order by extract(epoch from closed_at - opened_at))
                filter (where closed_by = 'person') as to_close
        from {_SEEN} where {" and ".join(where)} {grouping}
        order by opened desc {order}
        """,
        **params,
        now=now,
    )
    return [_figures(row, dict(zip(group_by, columns, strict=True))) for row in rows]


async def accounts_without_owner(tx: ReadTx, owner_email: str | None) -> list[str]:
    """Accounts whose follow-ups wait at the default owner, since the directory names nobody."""
    if owner_email is not None:
        return []  # an account that has this owner is not without one
    rows = await tx.all(
        "select distinct account_id from tasks where owner_source = 'default' and state <> 'closed'"
        " order by account_id limit :limit",
        limit=MAX_UNOWNED,
    )
    return [row["account_id"] for row in rows]


_REASON_HOLDS = {True: "over_since is null", False: "over_since is not null and state <> 'closed'"}


def _conditions(filters: TaskFilter) -> tuple[list[str], dict[str, Any]]:
    """SQL conditions and their values; never empty."""
    parts: list[tuple[str, dict[str, Any]]] = [("true", {})]
    if filters.owner_email is not None:
        limit = "account_id in (select account_id from accounts where owner_email = :key_owner)"
        parts.append((limit, {"key_owner": filters.owner_email}))
    for name, values in (("state", filters.states), ("kind", filters.kinds), ("severity", filters.severities)):
        if values:
            parts.append((f"{name} = any(cast(:{name}s as text[]))", {f"{name}s": list(values)}))
    owner = None
    if filters.owner:
        owner = filters.owner.lower()
    given = (
        ("account_id = :account_id", "account_id", filters.account_id),
        (of_person(filters.account_id), "stakeholder_id", filters.stakeholder_id),
        ("owner_email = :owner_email", "owner_email", owner),
        ("due_at < :due_before", "due_before", filters.due_before),
        ("promised_by < :promised_before", "promised_before", filters.promised_before),
        ("updated_at >= :updated_since", "updated_since", filters.updated_since),
    )
    parts += [(condition, {name: value}) for condition, name, value in given if value is not None]
    if filters.reason_holds is not None:
        parts.append((_REASON_HOLDS[filters.reason_holds], {}))
    if filters.search is not None:
        matches = "(title ilike :search or account_id ilike :search or stakeholder_id ilike :search)"
        parts.append((matches, {"search": f"%{_escaped(filters.search)}%"}))
    params: dict[str, Any] = {}
    for _, values_of_part in parts:
        params |= values_of_part
    return [condition for condition, _ in parts], params


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _figures(row: RowMapping, group: dict[str, str]) -> LoopFigures:
    return LoopFigures(
        group={name: row[column] for name, column in group.items()},
        opened_count=row["opened"],
        open_count=row["still_open"],
        overdue_count=row["overdue"],
        closed_count=row["closed"],
        resolved_count=row["resolved"],
        dismissed_count=row["dismissed"],
        closed_by_facts_count=row["closed_by_facts"],
        over_count=row["is_over"],
        told_customer_count=row["told_customer"],
        loop_count=row["loops"],
        closed_loop_count=row["closed_loops"],
        closed_loop_rate=_rate(row["closed_loops"], row["loops"]),
        escalated_count=row["escalated"],
        on_time_rate=_rate(row["on_time"], row["judged"]),
        recovered_count=row["recovered"],
        unchanged_count=row["unchanged"],
        worse_count=row["worse"],
        recovered_rate=_rate(row["recovered"], row["compared"]),
        median_hours_to_first_touch=_hours(row["to_touch"]),
        median_hours_to_close=_hours(row["to_close"]),
    )


def _rate(part: int, whole: int) -> float | None:
    if not whole:
        return None
    return part / whole


def _hours(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    return seconds / 3600
