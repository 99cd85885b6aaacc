"""The routes of business reviews."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from services.outreach.api.links_models import PersonOfAccount
from services.outreach.api.resources import IdempotencyKey, Outreach, TheService
from services.outreach.domain.reviews import due_since, quarter_of
from services.outreach.handlers.candidates import Named
from services.outreach.handlers.links import link_of
from services.outreach.handlers.reviews import ReviewFound, ReviewWanted
from services.outreach.store import due_reviews, logos, reviews
from services.outreach.store.due_reviews import LONG_AGO, DueQuestion
from services.outreach.store.reviews import Row, content_of
from services.outreach.web.review_preview import review_preview
from shared.access.caller import Caller
from shared.api.business_reviews import (
    BusinessReview,
    DueReview,
    ListedReview,
    ReviewCopy,
    ReviewOwner,
    ReviewPreview,
    ReviewRecipient,
    ReviewRecipientState,
)
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.deps import TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Day, PathId
from shared.http.routing import Router
from shared.ids import Identifier

router = Router(prefix="/v1/business-reviews", tags=["business reviews"])
MOST_RECIPIENTS = 50
MOST_COMMENTS = 200
LISTED = "business reviews"
DUE = "due reviews"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000)]


async def callers_key(request: Request) -> str:
    """The caller's own key; the edge has read the header already."""
    return request.headers["authorization"].partition(" ")[2].strip()


CallersKey = Annotated[str, Depends(callers_key)]


class NewRecipient(PersonOfAccount):
    """Somebody of the account, by id or by address."""


class NewBusinessReview(BaseModel):
    """A business review to be sent round."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "account_id": "acme",
                    "held_on": "2026-11-25",
                    "recipients": [{"email": "ada@acme.example"}],
                    "intro": "Thank you for the talk. Here is what we showed you.",
                    "comments": ["r-1042"],
                }
            ]
        },
    )

    account_id: Identifier
    survey_id: Identifier | None = Field(
        default=None, description="By default the survey for business reviews that was published last."
    )
    held_on: Day = Field(description="The day on which the review is or was held.")
    recipients: list[NewRecipient] = Field(min_length=1, max_length=MOST_RECIPIENTS)
    intro: Text | None = Field(default=None, description="Stands above the copy; the same for every recipient.")
    comments: list[Identifier] = Field(
        default=[], max_length=MOST_COMMENTS, description="Response ids of the comments to copy; no other is."
    )


def wanted_of(body: NewBusinessReview, caller: Caller, key: str, idempotency_key: str | None = None) -> ReviewWanted:
    """As the handler takes it. `key` is the caller's own, with which the review pack is read."""
    recipients = []
    for recipient in body.recipients:
        recipients.append(Named(body.account_id, recipient.stakeholder_id, recipient.email))
    return ReviewWanted(
        account_id=body.account_id,
        survey_id=body.survey_id,
        held_on=body.held_on,
        recipients=tuple(recipients),
        intro=body.intro,
        comments=tuple(body.comments),
        key=key,
        caller=caller,
        idempotency_key=idempotency_key,
    )


@router.post("", status_code=201, summary="Make a business review")
async def make_review(
    body: NewBusinessReview,
    caller: Actor,
    key: CallersKey,
    service: TheService,
    idempotency_key: IdempotencyKey = None,
) -> BusinessReview:
    """Copies the review pack of the account as a client may see it, without names, ids of people and addresses, and
    makes one personal link for each recipient, which is taken to be handed over now. Neither a quarantine nor an
    objection to mails stands against it: you give the links to people with whom you speak. The review becomes a mark on
    the trend on its day. The key needs `read` too, since the pack is read with it."""
    caller.require("read")
    made = await service.reviews.make(wanted_of(body, caller, key, idempotency_key))
    return review_view(made, service, caller)


@router.post("/preview", summary="Look at a business review before it is made")
async def preview_review(
    *,
    body: NewBusinessReview,
    caller: Actor,
    key: CallersKey,
    service: TheService,
    language: Annotated[str | None, Query(max_length=20, description="By default the survey's own.")] = None,
) -> ReviewPreview:
    """What every recipient would see, checked as `POST /v1/business-reviews` checks it; nothing is made. The copy is
    taken anew when the review is made."""
    caller.require("read")
    material, survey = await service.reviews.preview(wanted_of(body, caller, key))
    copy: dict[str, Any] = {**material.copied.figures, "said": [], "done": []}
    for excerpt in material.copied.excerpts:
        copy[excerpt.kind].append(excerpt.content)
    logo = None
    if survey.logo is not None:
        async with service.database.read() as tx:
            logo = await logos.find(tx, survey.logo)
    return ReviewPreview(
        html=review_preview(survey, copy, body.intro, logo, language, service.zone),
        copy_=ReviewCopy.model_validate(copy),
        warnings=list(material.warnings),
    )


@router.get("", summary="Business reviews, the newest first")
async def list_reviews(
    *,
    caller: Reader,
    database: TheDatabase,
    account_id: Annotated[PathId | None, Query()] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ListedReview]:
    """With how many have opened theirs and answered. A key limited to an owner sees those of its accounts only."""
    after = None
    if cursor:
        created_at, review_id = read_cursor(cursor, LISTED, paging.instant, paging.uuid)
        after = (created_at, review_id)
    async with database.read() as tx:
        rows = await reviews.listed(tx, account_id, caller.owner_email, after, limit + 1)
    page = page_of(rows, limit, lambda row: (row["created_at"], str(row["review_id"])), LISTED)
    items = [ListedReview.model_validate(_listed(row)) for row in page.items]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/due", summary="Accounts without a business review for a quarter")
async def list_due(
    *,
    caller: Reader,
    database: TheDatabase,
    service: TheService,
    owner: Annotated[str | None, Query(max_length=320, description="The owner's address.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[DueReview]:
    """Those without a known review first, then the longest ago. What counts are the reviews made here and the context
    events `review_held`, which are looked up once a day. Accounts that were removed are never due."""
    today = service.clock.now().date()
    after = None
    if cursor:
        day, account_id = read_cursor(cursor, DUE, paging.day, paging.text)
        after = (day, account_id)
    if owner is not None:
        owner = owner.strip().lower()
    asked = DueQuestion(today, quarter_of(today), caller.owner_email, owner)
    async with database.read() as tx:
        rows = await due_reviews.due(tx, asked, after, limit + 1)
    page = page_of(rows, limit, lambda row: (row["last_held_on"] or LONG_AGO, row["account_id"]), DUE)
    return Page(items=[_due(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/{review_id}", summary="One business review")
async def get_review(review_id: UUID, caller: Reader, service: TheService) -> BusinessReview:
    """The copy that the client sees, and the recipients; their links only for a key with the scope `act`."""
    return review_view(await service.reviews.find(review_id, caller.owner_email), service, caller)


@router.post("/{review_id}/withdraw", summary="Take a business review back")
async def withdraw_review(review_id: UUID, caller: Actor, service: TheService) -> BusinessReview:
    """Its links say from now on that they were withdrawn; answers that were given stay. A mark that was not set yet
    will not be. Again changes nothing."""
    return review_view(await service.reviews.withdraw(review_id, caller), service, caller)


def review_view(found: ReviewFound, service: Outreach, caller: Caller) -> BusinessReview:
    """A review as the API tells it. Whoever has a link can answer by it, so it takes the scope to act."""
    recipients = []
    for row in found.recipients:
        url = None
        if "act" in caller.scopes:
            url = link_of(service.settings.public_url, service.tokens, row["ask_id"], review=True)
        recipients.append(_recipient(row, url))
    return BusinessReview(
        **_listed(found.row),
        intro=found.row["intro"],
        copy=ReviewCopy.model_validate(content_of(found.row, found.excerpts)),
        recipients=recipients,
        warnings=found.row["pack"]["warnings"],
    )


def _listed(row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {name: row[name] for name in ListedReview.model_fields}
    return shown | {"review_id": str(row["review_id"])}


def _recipient(row: Row, url: str | None) -> ReviewRecipient:
    state: ReviewRecipientState = "sent"
    if row["withdrawn_at"] is not None:
        state = "withdrawn"
    return ReviewRecipient(
        ask_id=str(row["ask_id"]),
        stakeholder_id=row["stakeholder_id"],
        name=row["name"],
        state=state,
        opened_at=row["opened_at"],
        answered_at=row["answered_at"],
        url=url,
    )


def _due(row: Row) -> DueReview:
    owner = None
    if row["owner_name"] is not None or row["owner_email"] is not None:
        owner = ReviewOwner(name=row["owner_name"], email=row["owner_email"])
    since = None
    if row["last_held_on"] is not None:
        since = due_since(row["last_held_on"])
    return DueReview(
        account_id=row["account_id"],
        account_name=row["account_name"],
        tier=row["tier"],
        owner=owner,
        last_held_on=row["last_held_on"],
        due_since=since,
        reminded_at=row["reminded_at"],
    )
