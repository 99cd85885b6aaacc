"""What is asked about follow-ups: a list with filters, or figures by group."""

from dataclasses import dataclass
from datetime import datetime

SORTS = ("due_at", "opened_at", "updated_at")
GROUPS = ("root_cause", "kind", "owner", "touchpoint", "product")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which follow-ups; None or empty takes all. `owner_email` is the limit of the caller's key."""

    owner_email: str | None = None
    account_id: str | None = None
    stakeholder_id: str | None = None
    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    reason_holds: bool | None = None
    owner: str | None = None
    due_before: datetime | None = None
    promised_before: datetime | None = None
    updated_since: datetime | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list: one of SORTS, then by id."""

    key: str = "due_at"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """How well the loop is closed in one group. Times in hours by the clock, None where there is nothing to measure.

    `loop_count`: who is owed an answer, so neither dismissed nor closed by facts and no chance to grow.
    `closed_loop_rate`: those of them that are closed, from 0 to 1. `on_time_rate`: first touches by the due time over
    all that were due.
    `recovered_rate`: recovered over all whose person has answered again, chances to grow left out.
    """

    group: dict[str, str | None]
    opened_count: int
    open_count: int
    overdue_count: int
    closed_count: int
    resolved_count: int
    dismissed_count: int
    closed_by_facts_count: int
    over_count: int
    told_customer_count: int
    loop_count: int
    closed_loop_count: int
    closed_loop_rate: float | None
    on_time_rate: float | None
    escalated_count: int
    recovered_count: int
    unchanged_count: int
    worse_count: int
    recovered_rate: float | None
    median_hours_to_first_touch: float | None
    median_hours_to_close: float | None
