"""Asks: who was asked and what became of it, as a list, by itself and in sums."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from services.outreach.api.links import AskId
from services.outreach.api.links_models import Input, NamedPerson, Reason
from services.outreach.api.resources import Outreach, TheService
from services.outreach.domain.retention import kept_since
from services.outreach.domain.sums import groups_of
from services.outreach.handlers.asks import resend_ask, withdraw_ask
from services.outreach.handlers.asks_by_hand import MOST, ask_by_mail
from services.outreach.handlers.candidates import Named
from services.outreach.store import ask_lists, asks
from services.outreach.store.ask_lists import AskFilter, Position
from shared.access.caller import Caller
from shared.api.asks import Ask, AskChange, AskDetail, AskGroup, AskReason, AskState, AskSummary
from shared.db.transaction import ReadTx
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.files import Format, Rows, csv_described, csv_file, pages_of, wants_csv
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Instant, PathId, StakeholderPathId
from shared.http.query import refused
from shared.http.routing import Router
from shared.ids import Identifier

router = Router(prefix="/v1/asks", tags=["asks"])
PURPOSE = "asks"
FILE_PAGE = 1_000
Several = Annotated[str | None, Query(max_length=500, description="One or several, separated by commas.")]
Account = Annotated[
    str | None, Query(min_length=1, max_length=200, description="A part of the account's name, or its whole id.")
]
GroupBy = Literal["survey", "account", "owner", "tier", "programme"]


class AskNow(Input):
    """Whom to ask by mail, and as which programme does."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "programme_id": "prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
                    "people": [{"account_id": "acme", "email": "ada@acme.example"}],
                }
            ]
        },
    )

    programme_id: Identifier
    people: Annotated[tuple[NamedPerson, ...], Field(min_length=1, max_length=MOST)]


class AskedNow(BaseModel):
    """The asks, in the order of the people, each person once."""

    items: list[Ask]


class Withdrawal(Input):
    """Body of a withdrawal; all of it optional."""

    reason: Reason | None = None


@router.get(
    "", summary="Asks, the newest first", response_model=Page[Ask], responses=csv_described(tuple(Ask.model_fields))
)
async def list_asks(
    *,
    caller: Reader,
    service: TheService,
    request: Request,
    account_id: Annotated[PathId | None, Query()] = None,
    account: Account = None,
    stakeholder_id: Annotated[StakeholderPathId | None, Query()] = None,
    survey_id: Annotated[PathId | None, Query()] = None,
    programme_id: Annotated[PathId | None, Query()] = None,
    state: Several = None,
    reason: Several = None,
    unconfirmed: Annotated[bool | None, Query(description="Whether the relay's answer to a mail is missing.")] = None,
    format: Format = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Ask] | Response:
    """A CSV file has all of them. A key limited to an owner sees those of its accounts only."""
    which = AskFilter(
        account_id=account_id,
        account=account,
        survey_id=survey_id,
        programme_id=programme_id,
        states=_several("state", state, get_args(AskState)),
        reasons=_several("reason", reason, get_args(AskReason)),
        unconfirmed=unconfirmed,
    )
    after = None
    if cursor:
        instant, last_id = read_cursor(cursor, PURPOSE, paging.instant, paging.uuid)
        after = (instant, last_id)
    which = await _with_ids(service, which, stakeholder_id)
    if wants_csv(request, format):
        pages = pages_of(service.database, _page_of_file(service, caller, which))
        return await csv_file("asks.csv", tuple(Ask.model_fields), pages)
    async with service.database.read() as tx:
        rows = await ask_lists.list_asks(tx, which, caller.owner_email, service.clock.now(), after, limit + 1)
    page = page_of(rows, limit, _position, PURPOSE)
    return Page(items=[_ask(row) for row in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, summary="Ask people by mail now")
async def ask_now(body: AskNow, caller: Actor, service: TheService) -> AskedNow:
    """As a running programme asks: by its survey and sender, in its hours, within its caps. Whom it may not ask, or not
    yet, it does not: the ask says why within seconds. Again on the same day it is the same ask. 409
    `programme_rests`."""
    now = service.clock.now()
    today = now.astimezone(service.zone).date()
    named = [Named(person.account_id, person.stakeholder_id, person.email) for person in body.people]
    made = await service.database.retrying(lambda tx: ask_by_mail(tx, body.programme_id, named, caller, now, today))
    async with service.database.read() as tx:
        rows = [await ask_lists.shown_ask(tx, ask_id, caller.owner_email, now) for ask_id in made]
    return AskedNow(items=[_ask(row) for row in rows if row is not None])


@router.get("/summary", summary="How many were asked, and what became of it")
async def summary(
    *,
    caller: Reader,
    service: TheService,
    group_by: Annotated[GroupBy | None, Query()] = None,
    survey_id: Annotated[PathId | None, Query()] = None,
    programme_id: Annotated[PathId | None, Query()] = None,
    account_id: Annotated[PathId | None, Query()] = None,
    account: Account = None,
    due_since: Annotated[Instant | None, Query(description="Asks due then or later.")] = None,
    due_before: Annotated[Instant | None, Query(description="Asks due before then.")] = None,
) -> AskSummary:
    """Without `group_by` exactly one group. Of every group planned = waiting + held + skipped + sent + failed +
    withdrawn, and sent is the sum of the outcomes."""
    which = AskFilter(
        account_id=account_id,
        account=account,
        survey_id=survey_id,
        programme_id=programme_id,
        due_since=due_since,
        due_before=due_before,
    )
    async with service.database.read() as tx:
        rows = await ask_lists.sums(tx, which, group_by, caller.owner_email, service.clock.now())
    groups = groups_of(map(dict, rows), whole=group_by is None)
    since = kept_since(service.clock.now(), service.settings.retention_months)
    return AskSummary(groups=[AskGroup.model_validate(group) for group in groups], kept_since=since)


@router.get("/{ask_id}", summary="One ask with its history")
async def get_ask(ask_id: AskId, caller: Reader, service: TheService) -> AskDetail:
    """404 for one of an account that the key does not see."""
    return await ask_detail(service, caller, ask_id)


@router.post("/{ask_id}/withdraw", summary="Withdraw an ask: its link closes")
async def withdraw(ask_id: AskId, caller: Actor, service: TheService, body: Withdrawal | None = None) -> AskDetail:
    """Whoever opens the link reads that it was withdrawn. 409 for one that is answered or was never to be sent."""
    note = None
    if body is not None:
        note = body.reason
    now = service.clock.now()
    await service.database.retrying(lambda tx: withdraw_ask(tx, ask_id, note, caller, now))
    return await ask_detail(service, caller, ask_id)


@router.post("/{ask_id}/resend", summary="Send the mail of an ask once more")
async def resend(ask_id: AskId, caller: Actor, service: TheService) -> AskDetail:
    """As a reminder, in the hours in which mails go to the person, to their address now; two at most. 409 `not_mailed`
    for a link, `not_open`, `programme_rests`, `reminded_twice`."""
    now = service.clock.now()
    await service.database.retrying(lambda tx: resend_ask(tx, ask_id, caller, now))
    return await ask_detail(service, caller, ask_id)


async def ask_detail(service: Outreach, caller: Caller, ask_id: UUID) -> AskDetail:
    """One ask with its history. Raises `NotFound`, also for one of an account that the caller does not see."""
    async with service.database.read() as tx:
        row = await ask_lists.shown_ask(tx, ask_id, caller.owner_email, service.clock.now())
        if row is None:
            raise NotFound("ask_not_found", "there is no such ask")
        history = await asks.changes_of(tx, ask_id)
    changes = [AskChange.model_validate(dict(change)) for change in history]
    return AskDetail(**_ask(row).model_dump(), changes=changes)


async def _with_ids(service: Outreach, which: AskFilter, stakeholder_id: str | None) -> AskFilter:
    """The filter with all ids of a person."""
    if stakeholder_id is None:
        return which
    async with service.database.read() as tx:
        ids = await ask_lists.ids_of_person(tx, which.account_id, stakeholder_id)
    return replace(which, stakeholder_ids=ids)


def _page_of_file(
    service: Outreach, caller: Caller, which: AskFilter
) -> Callable[[ReadTx, Position | None], Awaitable[tuple[Rows, Position | None]]]:
    async def page(tx: ReadTx, after: Position | None) -> tuple[Rows, Position | None]:
        rows = await ask_lists.list_asks(tx, which, caller.owner_email, service.clock.now(), after, FILE_PAGE)
        following = None
        if len(rows) == FILE_PAGE:
            following = rows[-1]["created_at"], rows[-1]["ask_id"]
        return [dict(row) for row in rows], following

    return page


def _position(row: Any) -> tuple[Any, str]:
    return row["created_at"], str(row["ask_id"])


def _ask(row: Any) -> Ask:
    review_id = row["review_id"]
    return Ask.model_validate({**row, "ask_id": str(row["ask_id"]), "review_id": review_id and str(review_id)})


def _several(field: str, text: str | None, allowed: Sequence[str]) -> tuple[str, ...] | None:
    """The values of a comma list; None without one. Raises `Invalid` for one that is not allowed."""
    if text is None:
        return None
    values = tuple(part.strip() for part in text.split(",") if part.strip())
    if not values or not set(values) <= set(allowed):
        raise refused(field, f"invalid_{field}", f"must be one or several of {', '.join(allowed)}")
    return values
