"""Loop-backs: those who answered are told what was changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.outreach.api.links_models import Email, Input, Language, Line, NamedPerson
from services.outreach.api.resources import Outreach, TheService
from services.outreach.handlers.candidates import Named
from services.outreach.handlers.loop_backs import MOST, NewLoopBack, tell_changes, withdraw_loop_back
from services.outreach.store import loop_backs as store
from shared.access.caller import Caller
from shared.api.loop_backs import LoopBack
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import PathId
from shared.http.routing import Router
from shared.ids import Identifier
from shared.mail import Mailbox

router = Router(prefix="/v1/loop-backs", tags=["loop-backs"])
LoopBackId = Annotated[UUID, Path()]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
LISTED: Final = "loop-backs"
STATES: Final = ("waiting", "sent", "skipped", "failed")


class NewChange(Input):
    """What was changed, and for whom: everybody at an account who answered, or those who named a theme."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"account_id": "acme", "changed": "A second driver now has the night route."}]},
    )

    account_id: Identifier | None = None
    theme: Line | None = None
    people: Annotated[tuple[NamedPerson, ...], Field(max_length=MOST)] = Field(
        default=(), description="With a theme: who named it."
    )
    changed: Text = Field(description="One paragraph a line; the last one stands in the next invitation as well.")
    language: Language = Field(default="en", description="In which it is written.")
    answered_days: int = Field(default=365, ge=1, le=1000, description="Who answered longer ago is not told.")
    sender_email: Email | None = Field(default=None, description="Whose name the mails carry; default: the owner's.")
    sender_name: Line | None = None

    @model_validator(mode="after")
    def _for_whom(self) -> Self:
        if (self.account_id is None) == (self.theme is None):
            raise PydanticCustomError("invalid_loop_back", "give either account_id or theme")
        if (self.theme is None) != (not self.people):
            raise PydanticCustomError("invalid_people", "a theme needs the people who named it, an account none")
        return self

    def sender(self) -> Mailbox | None:
        """Whose name the mails carry, where it is given."""
        if self.sender_email is None:
            return None
        return Mailbox(self.sender_email, self.sender_name or "")


@router.post("", status_code=201, summary="Tell those who answered what was changed")
async def post_loop_back(body: NewChange, caller: Actor, service: TheService, response: Response) -> LoopBack:
    """One mail to each who answered, in the hours in which people are asked. It asks nothing, so it counts as no ask,
    and no quarantine holds it back; objections do. 409 `nobody_answered`, `survey_not_published`."""
    now = service.clock.now()
    named = tuple(Named(person.account_id, person.stakeholder_id, person.email) for person in body.people)
    new = NewLoopBack(
        changed=body.changed,
        language=body.language,
        answered_since=now - timedelta(days=body.answered_days),
        account_id=body.account_id,
        theme=body.theme,
        named=named,
        sender=body.sender(),
    )
    made = await service.database.retrying(lambda tx: tell_changes(tx, new, service.tokens, caller, now))
    response.headers["location"] = f"/v1/loop-backs/{made}"
    return await _shown(service, caller, made)


@router.get("", summary="What was told, the newest first")
async def list_loop_backs(
    caller: Reader,
    service: TheService,
    account_id: Annotated[PathId | None, Query()] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[LoopBack]:
    """A key limited to an owner sees those of its accounts only."""
    after = None
    if cursor is not None:
        created_at, loop_back_id = read_cursor(cursor, LISTED, paging.instant, paging.uuid)
        after = (created_at, loop_back_id)
    async with service.database.read() as tx:
        rows = await store.listed(tx, account_id, caller.owner_email, after, limit + 1)
        page = page_of(rows, limit, lambda row: (row["created_at"], str(row["loop_back_id"])), LISTED)
        counts = await store.counts(tx, [row["loop_back_id"] for row in page.items])
    items = [_view(row, counts.get(row["loop_back_id"], ())) for row in page.items]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/{loop_back_id}", summary="One of them")
async def get_loop_back(loop_back_id: LoopBackId, caller: Reader, service: TheService) -> LoopBack:
    """With how many were told so far, and why others were not."""
    return await _shown(service, caller, loop_back_id)


@router.post("/{loop_back_id}/withdraw", summary="Take it back before it has gone")
async def post_withdraw(loop_back_id: LoopBackId, caller: Actor, service: TheService) -> LoopBack:
    """Who has not been told yet is not; no invitation repeats it. 409 `already_sent` once everybody has been told."""
    now = service.clock.now()
    await service.database.retrying(lambda tx: withdraw_loop_back(tx, loop_back_id, caller, now))
    return await _shown(service, caller, loop_back_id)


async def _shown(service: Outreach, caller: Caller, loop_back_id: UUID) -> LoopBack:
    async with service.database.read() as tx:
        row = await store.find(tx, loop_back_id, caller.owner_email)
        counts = await store.counts(tx, [loop_back_id])
    if row is None:
        raise NotFound("loop_back_not_found", "there is no such loop-back")
    return _view(row, counts.get(loop_back_id, ()))


def _view(row: Any, counted: Sequence[tuple[str, str | None, int]]) -> LoopBack:
    sums, reasons = dict.fromkeys(STATES, 0), []
    for state, reason, count in counted:
        sums[state] += count
        if reason is not None:
            reasons.append({"state": state, "reason": reason, "count": count})
    told = {**row, "loop_back_id": str(row["loop_back_id"]), "people": sum(sums.values()), "reasons": reasons}
    return LoopBack.model_validate(told | sums)
