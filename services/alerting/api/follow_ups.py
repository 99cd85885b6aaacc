"""Reading follow-ups, and opening one by hand."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Response

from services.alerting.api.models import NewFollowUp
from services.alerting.api.resources import Alerting, FollowUpId, TheService
from services.alerting.api.views import detail_view, endpoint_of, follow_up_view, webhook_id_of, why_view
from services.alerting.courier.interface import deliveries_of, names_of
from services.alerting.domain.questions import GROUPS, SORTS, Sort, TaskFilter
from services.alerting.domain.severity import SEVERITIES
from services.alerting.domain.tasks import STATES, Task
from services.alerting.domain.wording import read_on
from services.alerting.handlers.follow_ups import ManualFollowUp, open_by_hand
from services.alerting.store import task_queries
from services.alerting.store.answers import answers_by_id
from services.alerting.store.notices import notices_of
from services.alerting.store.occasions import occasions_of
from services.alerting.store.tasks import find_task, history_of
from shared.access.caller import Caller
from shared.api.follow_ups import FollowUp, FollowUpDetail, LoopGroup, Summary, Why
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import Invalid, NotFound
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.deps import TheClock, TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, parse_sort, read_cursor
from shared.http.params import Instant, PathId, Search, StakeholderPathId, require_ahead
from shared.http.routing import Router

router = Router(prefix="/v1/follow-ups", tags=["follow-ups"])
Several = Annotated[str | None, Query(max_length=500, description="One or several, separated by commas.")]
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=200, description="The same key again gives the same follow-up."),
]
MOST_GROUPS = 2


@router.get("", summary="Follow-ups, the next due first")
async def list_follow_ups(
    *,
    caller: Reader,
    database: TheDatabase,
    service: TheService,
    account_id: Annotated[PathId | None, Query()] = None,
    stakeholder_id: Annotated[StakeholderPathId | None, Query()] = None,
    state: Several = None,
    kind: Several = None,
    severity: Several = None,
    reason_holds: Annotated[
        bool | None, Query(description="`false`: those not closed of which what they say is so no longer.")
    ] = None,
    owner: Annotated[str | None, Query(max_length=320, description="The owner's address.")] = None,
    due_before: Annotated[Instant | None, Query()] = None,
    promised_before: Annotated[
        Instant | None, Query(description="Only those of which something was promised by an earlier time.")
    ] = None,
    updated_since: Annotated[Instant | None, Query()] = None,
    q: Annotated[Search | None, Query()] = None,
    sort: Annotated[str, Query(max_length=20, description=f"{', '.join(SORTS)}; - before it descends.")] = "due_at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[FollowUp]:
    """A key limited to an owner sees those of its accounts only."""
    key, descending = parse_sort(sort, SORTS)
    filters = TaskFilter(
        owner_email=caller.owner_email,
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        states=several("state", state, STATES),
        kinds=several("kind", kind),
        severities=several("severity", severity, SEVERITIES),
        reason_holds=reason_holds,
        owner=owner,
        due_before=due_before,
        promised_before=promised_before,
        updated_since=updated_since,
        search=q,
    )
    purpose = f"follow-ups {sort}"
    after = None
    if cursor:
        instant, last_id = read_cursor(cursor, purpose, paging.instant, paging.uuid)
        after = (instant, last_id)
    async with database.read() as tx:
        tasks = await task_queries.list_tasks(tx, filters, Sort(key, descending), after, limit + 1)
    page = page_of(tasks, limit, lambda task: (getattr(task, key), str(task.follow_up_id)), purpose)
    today = today_of(service)
    return Page(items=[follow_up_view(read_on(task, today)) for task in page.items], next_cursor=page.next_cursor)


@router.post(
    "",
    status_code=201,
    summary="Open a follow-up by hand",
    responses={200: {"description": "One of this kind is open for the person: an occurrence was added to it."}},
)
async def open_follow_up(
    body: NewFollowUp,
    caller: Actor,
    database: TheDatabase,
    service: TheService,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> FollowUpDetail:
    """201 for a new one; 200 with the open one of the same person and kind, which has one occurrence more."""
    if body.due_at is not None:
        require_ahead("due_at", body.due_at, service.resources.clock.now())
    values = {name: getattr(body, name) for name in NewFollowUp.model_fields}
    if body.owner is not None:
        values["owner"] = body.owner.value()
    wanted = ManualFollowUp(**values, idempotency_key=idempotency_key)
    task, new = await database.retrying(lambda tx: open_by_hand(tx, service.resources, wanted, caller))
    service.committed()
    response.status_code = 200
    if new:
        response.status_code = 201
    return await shown(database, service, task, response)


@router.get("/summary", summary="How well the loop is closed")
async def summary(
    *,
    caller: Reader,
    database: TheDatabase,
    clock: TheClock,
    group_by: Annotated[str | None, Query(max_length=100, description=f"One or two of {', '.join(GROUPS)}.")] = None,
    account_id: Annotated[PathId | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=320)] = None,
    opened_since: Annotated[Instant | None, Query()] = None,
) -> Summary:
    """Counts, the share of loops that were closed, and how long it took; without `group_by` exactly one group."""
    groups = several("group_by", group_by, GROUPS)
    if len(groups) > MOST_GROUPS:
        raise _invalid("group_by", f"at most {MOST_GROUPS} may be crossed")
    filters = TaskFilter(owner_email=caller.owner_email, account_id=account_id, owner=owner)
    async with database.read() as tx:
        rows = await task_queries.loop_figures(tx, filters, opened_since, groups, clock.now())
        unowned = await task_queries.accounts_without_owner(tx, caller.owner_email)
    return Summary(
        groups=[LoopGroup.model_validate(figures, from_attributes=True) for figures in rows],
        accounts_without_owner=unowned,
    )


@router.get("/{follow_up_id}", summary="One follow-up with its history")
async def get_follow_up(
    follow_up_id: FollowUpId, caller: Reader, database: TheDatabase, service: TheService, response: Response
) -> FollowUpDetail:
    """With the answer and its whole comment; the ETag is its version."""
    async with database.read() as tx:
        task = await _found(tx, follow_up_id, caller)
        return await _detail(tx, service, task, response)


@router.get("/{follow_up_id}/why", summary="Why it is there, and what went out about it")
async def why(follow_up_id: FollowUpId, caller: Reader, database: TheDatabase, service: TheService) -> Why:
    """What it rests on, the facts and rules that was judged by, the policy of then, what stood back, every message."""
    async with database.read() as tx:
        task = await _found(tx, follow_up_id, caller)
        history = await history_of(tx, task.follow_up_id)
        messages = list(filter(None, map(webhook_id_of, history)))
        deliveries = await deliveries_of(tx, messages)
        notices = await notices_of(tx, task.follow_up_id)
        resting = (await occasions_of(tx, [task.follow_up_id])).get(task.follow_up_id, [])
        return why_view(read_on(task, today_of(service)), resting, history, deliveries, notices)


async def shown(database: Database, service: Alerting, task: Task, response: Response) -> FollowUpDetail:
    """A follow-up after a change."""
    async with database.read() as tx:
        return await _detail(tx, service, task, response)


async def _detail(tx: ReadTx, service: Alerting, task: Task, response: Response) -> FollowUpDetail:
    history = await history_of(tx, task.follow_up_id)
    endpoints = list(filter(None, (endpoint_of(entry.actor) for entry in history)))
    names: Mapping[str, str] = {}
    if endpoints:
        names = await names_of(tx, endpoints)
    key = (task.account_id, task.response_id or "")
    answers = await answers_by_id(tx, [key])
    answer = None
    if key in answers:
        answer = answers[key].live
    response.headers["ETag"] = f'"{task.version}"'
    task = read_on(task, today_of(service))
    return detail_view(task, history, names, answer, service.resources.payload_settings.links)


def today_of(service: Alerting) -> date:
    """The supplier's date."""
    return service.resources.policy.calendar.local_date(service.resources.clock.now())


async def _found(tx: ReadTx, follow_up_id: UUID, caller: Caller) -> Task:
    task = await find_task(tx, follow_up_id, caller.owner_email)
    if task is None:
        raise NotFound("follow_up_not_found", "there is no such follow-up")
    return task


def several(field: str, text: str | None, allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of a comma list. Raises Invalid for one that is not allowed."""
    parts = (text or "").split(",")
    values = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if allowed and not set(values) <= set(allowed):
        raise _invalid(field, f"must be one of {', '.join(allowed)}")
    return values


def _invalid(field: str, detail: str) -> Invalid:
    code = f"invalid_{field}"
    return Invalid(code, detail, errors=[{"field": field, "code": code, "detail": detail}])
