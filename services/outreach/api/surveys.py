"""Surveys: beginning, changing and publishing them, and their versions."""

from typing import Annotated

from fastapi import Path, Response

from services.outreach.api.survey_views import detail_view, head_view, survey_view, version_view
from services.outreach.api.surveys_models import Duplicate, NewSurvey, Publication, SurveyPatch
from services.outreach.handlers.survey_beginnings import begin
from services.outreach.handlers.surveys import (
    SurveyChange,
    change_survey,
    create_survey,
    delete_survey,
    duplicate_survey,
    found_survey,
    found_version,
    publish_survey,
)
from services.outreach.store import surveys as store
from shared.api.surveys import Survey, SurveyHead, SurveyVersion, SurveyVersionDetail
from shared.db.engine import Database
from shared.http import paging
from shared.http.auth import Manager, Reader
from shared.http.deps import TheClock, TheDatabase
from shared.http.if_match import IfMatch, version_seen
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router

router = Router(prefix="/v1/surveys", tags=["surveys"])
SURVEY_BYTES = 1024 * 1024
"""Room for all texts in many languages."""
SurveyId = Annotated[str, Path(max_length=200, examples=["srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978"])]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
PUBLISH = Publication()
DUPLICATE = Duplicate()


@router.get("", summary="Surveys, the newest first")
async def list_surveys(
    caller: Reader, database: TheDatabase, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[SurveyHead]:
    """Drafts and published ones, without their content."""
    after = None
    if cursor is not None:
        created_at, survey_id = read_cursor(cursor, "surveys", paging.instant, paging.text)
        after = (created_at, survey_id)
    async with database.read() as tx:
        rows = await store.list_surveys(tx, after, limit + 1)
    page = page_of(rows, limit, lambda row: (row["created_at"], row["survey_id"]), "surveys")
    return Page(items=[head_view(row) for row in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, summary="Begin a survey", max_body_size=SURVEY_BYTES)
async def begin_survey(
    body: NewSurvey, caller: Manager, database: TheDatabase, clock: TheClock, response: Response
) -> Survey:
    """A draft, from a template or a preset of `GET /v1/survey-templates` where one is named. The company's legal
    details, and who reads the answers, are those of the survey published last, unless given."""
    caller.require_all_accounts()
    begun = begin(body.beginning())
    survey_id = await database.retrying(lambda tx: create_survey(tx, caller.actor, clock.now(), begun, body.given()))
    response.headers["location"] = f"/v1/surveys/{survey_id}"
    return await _shown(database, survey_id, response)


@router.get("/{survey_id}", summary="A survey with its draft")
async def get_survey(survey_id: SurveyId, caller: Reader, database: TheDatabase, response: Response) -> Survey:
    """With what forbids publishing the draft, and what its author should look at. The ETag is its revision."""
    return await _shown(database, survey_id, response)


@router.patch("/{survey_id}", summary="Change the draft", max_body_size=SURVEY_BYTES)
async def patch_survey(
    *,
    survey_id: SurveyId,
    body: SurveyPatch,
    caller: Manager,
    if_match: IfMatch,
    database: TheDatabase,
    clock: TheClock,
    response: Response,
) -> Survey:
    """What is published stays as it is until the draft is published again. 409 `stale_version` when somebody else
    changed the draft since the revision that you saw."""
    caller.require_all_accounts()
    change = SurveyChange(survey_id, caller.actor, clock.now(), version_seen(body.revision, if_match))
    await database.retrying(lambda tx: change_survey(tx, change, body.given()))
    return await _shown(database, survey_id, response)


@router.delete("/{survey_id}", status_code=204, summary="Remove a draft")
async def remove_survey(
    survey_id: SurveyId, caller: Manager, if_match: IfMatch, database: TheDatabase, clock: TheClock
) -> None:
    """409 `survey_published` for a survey that was ever published."""
    caller.require_all_accounts()
    change = SurveyChange(survey_id, caller.actor, clock.now(), if_match)
    await database.retrying(lambda tx: delete_survey(tx, change))


@router.post("/{survey_id}/duplicate", status_code=201, summary="Begin another survey with the same draft")
async def post_duplicate(
    *,
    survey_id: SurveyId,
    caller: Manager,
    database: TheDatabase,
    clock: TheClock,
    response: Response,
    body: Duplicate = DUPLICATE,
) -> Survey:
    """The copy has an id of its own, and no version."""
    caller.require_all_accounts()
    copied = await database.retrying(lambda tx: duplicate_survey(tx, survey_id, caller.actor, clock.now(), body.name))
    response.headers["location"] = f"/v1/surveys/{copied}"
    return await _shown(database, copied, response)


@router.post("/{survey_id}/publish", summary="Publish the draft as the next version")
async def publish(
    *,
    survey_id: SurveyId,
    caller: Manager,
    if_match: IfMatch,
    database: TheDatabase,
    clock: TheClock,
    body: Publication = PUBLISH,
) -> SurveyVersionDetail:
    """New links ask this version from now on; those handed out keep theirs. `changed_wordings` are marks on the trend.
    422 `survey_not_ready` says what is missing. A draft that is published already makes no other version."""
    caller.require_all_accounts()
    change = SurveyChange(survey_id, caller.actor, clock.now(), version_seen(body.revision, if_match))
    return detail_view(await database.retrying(lambda tx: publish_survey(tx, change)))


@router.get("/{survey_id}/versions", summary="Every version of a survey, the newest first")
async def list_versions(
    survey_id: SurveyId,
    caller: Reader,
    database: TheDatabase,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SurveyVersion]:
    """Without their content, each with the wordings that it changed."""
    before = None
    purpose = f"versions {survey_id}"
    if cursor is not None:
        (before,) = read_cursor(cursor, purpose, paging.integer)
    async with database.read() as tx:
        await found_survey(tx, survey_id)
        found = await store.list_versions(tx, survey_id, before, limit + 1)
    page = page_of(found, limit, lambda published: (published.version,), purpose)
    return Page(items=[version_view(published) for published in page.items], next_cursor=page.next_cursor)


@router.get("/{survey_id}/versions/{version}", summary="A published version with its content")
async def get_version(
    survey_id: SurveyId, version: VersionNumber, caller: Reader, database: TheDatabase
) -> SurveyVersionDetail:
    """It is never changed."""
    async with database.read() as tx:
        return detail_view(await found_version(tx, survey_id, version))


async def _shown(database: Database, survey_id: str, response: Response) -> Survey:
    async with database.read() as tx:
        stored = await found_survey(tx, survey_id)
    response.headers["ETag"] = f'"{stored.revision}"'
    return survey_view(stored)
