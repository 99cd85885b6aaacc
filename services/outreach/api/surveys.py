"""Surveys: beginning, changing and publishing them, and their versions."""

from typing import Annotated, Literal

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from services.outreach.api.survey_views import detail_view, head_view, survey_view, version_view
from services.outreach.api.surveys_models import Duplicate, NewSurvey, Publication, SurveyPatch
from services.outreach.handlers.survey_beginnings import begin
from services.outreach.handlers.surveys import (
    SurveyChange,
    archive_survey,
    change_survey,
    create_survey,
    delete_survey,
    duplicate_survey,
    found_survey,
    found_version,
    publish_survey,
)
from services.outreach.store import logos
from services.outreach.store import surveys as store
from services.outreach.web.preview import HEADERS as PREVIEW_HEADERS
from services.outreach.web.preview import preview, preview_text
from shared.api.surveys import CategoryName, Survey, SurveyHead, SurveyVersion, SurveyVersionDetail
from shared.db.engine import Database
from shared.errors import Invalid
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


@router.delete("/{survey_id}", status_code=204, summary="Remove a survey by which nobody was asked")
async def remove_survey(
    survey_id: SurveyId, caller: Manager, if_match: IfMatch, database: TheDatabase, clock: TheClock
) -> None:
    """With its versions and test mails. 409 `survey_in_use` where people were asked by it, or a programme asks by
    it."""
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
    published = await database.retrying(lambda tx: publish_survey(tx, change))
    async with database.read() as tx:
        return detail_view(published, await store.languages_of_people(tx))


@router.post("/{survey_id}/archive", summary="Ask nobody by a survey any more")
async def archive(
    survey_id: SurveyId, caller: Manager, database: TheDatabase, clock: TheClock, response: Response
) -> Survey:
    """Links and business reviews by it answer 409 from now on. Links that are out stay open until they
    close, and their answers count."""
    caller.require_all_accounts()
    change = SurveyChange(survey_id, caller.actor, clock.now())
    await database.retrying(lambda tx: archive_survey(tx, change, archived=True))
    return await _shown(database, survey_id, response)


@router.post("/{survey_id}/restore", summary="Bring an archived survey back")
async def restore(
    survey_id: SurveyId, caller: Manager, database: TheDatabase, clock: TheClock, response: Response
) -> Survey:
    """People can be asked by it again. One that is not archived stays as it is."""
    caller.require_all_accounts()
    change = SurveyChange(survey_id, caller.actor, clock.now())
    await database.retrying(lambda tx: archive_survey(tx, change, archived=False))
    return await _shown(database, survey_id, response)


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
        return detail_view(await found_version(tx, survey_id, version), await store.languages_of_people(tx))


@router.get("/{survey_id}/preview", summary="The respondents' page", response_class=HTMLResponse)
async def get_preview(
    *,
    survey_id: SurveyId,
    caller: Reader,
    database: TheDatabase,
    language: Annotated[str | None, Query(max_length=20, description="By default the survey's own.")] = None,
    category: Annotated[CategoryName | None, Query(description="What follows a score of it.")] = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="By default the draft.")] = None,
    format: Annotated[Literal["html", "text"], Query(description="The page, or what it says as plain text.")] = "html",
    clock: TheClock,
) -> Response:
    """The question; with a category all that follows, one below the other. Made for an `<iframe sandbox srcdoc>`: it
    loads nothing. A language that the survey lacks is shown as respondents would see it."""
    logo = None
    async with database.read() as tx:
        if version is None:
            survey = (await found_survey(tx, survey_id)).draft
        else:
            survey = (await found_version(tx, survey_id, version)).survey
        if survey.logo is not None:
            logo = await logos.find(tx, survey.logo)
    if category is not None and category not in survey.categories:
        detail = f"must be one of {', '.join(survey.categories)}"
        error = {"field": "category", "code": "invalid_category", "detail": detail}
        raise Invalid("invalid_category", detail, errors=[error])
    now = clock.now()
    if format == "text":
        return PlainTextResponse(preview_text(survey, language, category, now), headers=PREVIEW_HEADERS)
    return HTMLResponse(preview(survey, language, category, logo, now), headers=PREVIEW_HEADERS)


async def _shown(database: Database, survey_id: str, response: Response) -> Survey:
    async with database.read() as tx:
        stored = await found_survey(tx, survey_id)
        languages = await store.languages_of_people(tx)
    response.headers["ETag"] = f'"{stored.revision}"'
    return survey_view(stored, languages)
