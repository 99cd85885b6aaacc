"""Responses with their comments."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import Field

from services.scorer.api.feed import BEGIN_ANEW, ChangedResponses, changes_since, deleted_body, require_copyable
from services.scorer.api.pages import Listing
from services.scorer.api.parameters import Between, DirectoryFilters, Paged, Text
from services.scorer.api.resources import Resources, Scorer
from services.scorer.domain.categories import Category, SurveyType, category_or_none
from services.scorer.store.reading.feed import FeedQuestion
from services.scorer.store.reading.responses import SORTS, ResponsesQuestion, response_of, responses_page
from shared.api.people import Response
from shared.errors import NotFound
from shared.events.responses import Channel, NpsKind
from shared.http.auth import Reader
from shared.http.paging import MAX_CURSOR_LENGTH, Page
from shared.http.params import PathId, Search, StakeholderPathId
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["responses"], dependencies=[Depends(no_repeats)])


class ChosenResponses(Between, DirectoryFilters):
    """Which responses."""

    account_id: PathId | None = Field(default=None, description="Only of this account.")
    stakeholder_id: StakeholderPathId | None = Field(default=None, description="Only of this person.")
    category: Category | None = Field(default=None, description="Only NPS answers of this category.")
    q: Search | None = Field(default=None, description='Words in the comment; `"a phrase"`, `or` and `-not` work.')
    commented: bool | None = Field(default=None, description="Only with a comment that says anything, or without.")
    survey_type: SurveyType | None = Field(default=None, description="Only of this survey type; default all.")
    nps_kind: NpsKind | None = Field(default=None, description="Only of this kind.")
    touchpoint: Text | None = Field(default=None, description="Only at this touchpoint.")
    product: Text | None = Field(default=None, description="Only about this product.")
    channel: Channel | None = Field(default=None, description="Only by this channel.")
    survey_id: Text | None = Field(default=None, description="Only to this survey.")
    test: bool = Field(default=False, description="Test answers instead of the others.")

    def question(self, owner_email: str | None) -> ResponsesQuestion:
        """The question as the store takes it, without an order."""
        return ResponsesQuestion(
            filters=self.filters(),
            owner_email=owner_email,
            survey_type=self.survey_type,
            account_id=self.account_id,
            stakeholder_id=self.stakeholder_id,
            category=self.category,
            q=self.q,
            commented=self.commented,
            since=self.from_,
            until=self.to,
            tests=self.test,
        )


class ResponsesQuery(Paged, ChosenResponses):
    """Which responses, in which order."""

    updated_since: str | None = Field(
        default=None,
        max_length=MAX_CURSOR_LENGTH,
        description="What changed since then, in the order of changes, for those who keep a copy: the `position` of a"
        " page that was read before, or a time (RFC 3339) to begin at. Goes with `account_id`, `survey_type`,"
        " `survey_id` and `limit` only.",
    )
    sort: str = Field(
        default="-answered_at",
        max_length=50,
        description="`answered_at` or `updated_at`; with `-` before it descending.",
    )


@router.get("/v1/responses", response_model=Page[Response] | ChangedResponses, responses={410: BEGIN_ANEW})
async def list_responses(
    caller: Reader, resources: Resources, asked: Annotated[ResponsesQuery, Query()]
) -> dict[str, Any]:
    """Responses as they stand now, newest first unless asked otherwise. Withdrawn ones are left out, test
    answers come only when asked for.

    With `updated_since` every response that changed since comes, each as it stands now and at its last change, and of
    those that count no more `{response_id, deleted, reason}`. `position` is on every page, also an empty one: ask on
    with it, at once after a full page. A time begins two minutes earlier, so that nothing is missed that was being
    written then. A position from before a restore is 410 `begin_anew`; other filters are 422, since a response that
    leaves what they choose would not be told of; a key that is limited to an owner is refused with 403
    `copy_needs_all`.
    """
    if asked.updated_since is not None:
        require_copyable(caller, asked.model_dump(by_alias=True, exclude_unset=True))
        return await _changes(resources, asked, asked.cursor or asked.updated_since)
    listing = Listing("responses", asked.sort, SORTS, "response_id")
    question = replace(
        asked.question(caller.owner_email),
        sort=listing.sort,
        descending=listing.descending,
        limit=asked.limit,
        after=listing.position(asked.cursor),
    )
    async with resources.database.read() as tx:
        rows, cursor = listing.cut(await responses_page(tx, question), asked.limit)
    return {"items": [response_body(row) for row in rows], "next_cursor": cursor}


async def _changes(resources: Scorer, asked: ResponsesQuery, since: str) -> dict[str, Any]:
    question = FeedQuestion(asked.account_id, asked.survey_type, asked.survey_id)
    async with resources.database.read() as tx:
        changes = await changes_since(tx, since, question, asked.limit)
    items = []
    for row in changes.rows:
        if row["deleted"] is None:
            items.append(response_body(row))
        else:
            items.append(deleted_body(row))
    next_cursor = None
    if changes.more:
        next_cursor = changes.position
    return {"items": items, "next_cursor": next_cursor, "position": changes.position}


@router.get("/v1/responses/{response_id}", response_model=Response)
async def get_response(
    caller: Reader, resources: Resources, response_id: Annotated[PathId, Path(description="The response.")]
) -> dict[str, Any]:
    """One response, also a withdrawn or a test one, which say so."""
    async with resources.database.read() as tx:
        row = await response_of(tx, response_id, caller.owner_email)
    if row is None:
        raise NotFound("unknown_response", "there is no such response")
    return response_body(row)


def response_body(row: dict[str, Any]) -> dict[str, Any]:
    """A response as the API shows it."""
    return row | {"category": category_or_none(row["survey_type"], row["score"])}
