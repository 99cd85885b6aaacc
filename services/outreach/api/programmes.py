"""Programmes: write one, see what it would do, start, pause and end it."""

from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from services.outreach.api.resources import TheService
from services.outreach.handlers.forecasts import Forecasts, calendar
from services.outreach.handlers.programmes import (
    ProgrammeChange,
    change_programme,
    create_programme,
    delete_programme,
    duplicate_programme,
    end_programme,
    found_programme,
    pause_programme,
    start_programme,
)
from services.outreach.store import programmes as store
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import (
    Audience,
    Calendar,
    Caps,
    DryRun,
    Hours,
    Objective,
    OpenDays,
    Programme,
    ProgrammeDocument,
    Sender,
    Sentences,
    When,
    Word,
)
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Manager, Reader
from shared.http.if_match import IfMatch, version_seen
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router

router = Router(prefix="/v1/programmes", tags=["programmes"])
ProgrammeId = Annotated[str, Path(max_length=200, examples=["prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978"])]
LISTED = "programmes"
BY_HAND = "paused by hand"


class ProgrammePatch(BaseModel):
    """Fields to replace; `revision` is the one that you saw."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"open_days": 21}]})

    revision: int | None = None
    name: Word | None = None
    survey_id: Word | None = None
    when: When | None = None
    objective: Objective | None = None
    who: Audience | None = None
    hours: Hours | None = None
    open_days: OpenDays | None = None
    reminders: tuple[OpenDays, ...] | None = None
    sender: Sender | None = None
    caps: Caps | None = None
    incentive: Sentences | None = None
    only_with_permission: bool | None = None
    legal_basis: Sentences | None = None
    owners_look: bool | None = None

    def given(self) -> dict[str, Any]:
        """The fields that are there."""
        return self.model_dump(exclude_unset=True, exclude={"revision"})


class ProgrammeCopy(BaseModel):
    """Begin another programme with the same content."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"name": "Next year"}]})

    name: Word | None = Field(default=None, description="By default `Copy of …`.")


COPY = ProgrammeCopy()


@router.get("", summary="Programmes, the newest first")
async def list_programmes(
    caller: Reader, service: TheService, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Programme]:
    """All of them, whatever their state."""
    after = None
    if cursor is not None:
        created_at, programme_id = read_cursor(cursor, LISTED, paging.instant, paging.text)
        after = (created_at, programme_id)
    async with service.database.read() as tx:
        rows = await store.listed(tx, after, limit + 1)
    page = page_of(rows, limit, lambda row: (row.created_at, row.programme_id), LISTED)
    return Page(items=[programme_view(stored) for stored in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, summary="Write a programme")
async def post_programme(
    body: ProgrammeDocument, caller: Manager, service: TheService, response: Response
) -> Programme:
    """A draft, which asks nobody: see what it would do by `dry-run`, then start it."""
    caller.require_all_accounts()
    now = service.clock.now()
    programme_id = await service.database.retrying(lambda tx: create_programme(tx, body, caller.actor, now))
    response.headers["location"] = f"/v1/programmes/{programme_id}"
    return await _shown(service, programme_id, response)


@router.get("/calendar", summary="The waves that come, by week, programme and owner")
async def get_calendar(caller: Reader, service: TheService) -> Calendar:
    """Of the programmes that ask now, for the next quarter. A key limited to an owner sees the people of its accounts
    only."""
    async with service.database.read() as tx:
        return await calendar(tx, caller)


@router.get("/{programme_id}", summary="A programme")
async def get_programme(
    programme_id: ProgrammeId, caller: Reader, service: TheService, response: Response
) -> Programme:
    """The ETag is its revision."""
    return await _shown(service, programme_id, response)


@router.patch("/{programme_id}", summary="Change a programme")
async def patch_programme(
    *,
    programme_id: ProgrammeId,
    body: ProgrammePatch,
    caller: Manager,
    if_match: IfMatch,
    service: TheService,
    response: Response,
) -> Programme:
    """A running programme rests until its dry-run was looked at again and it is started: what was planned and not sent
    is planned anew then. What was sent keeps its survey and its reminders. 409 `stale_version` when somebody else
    changed it since the revision that you saw."""
    change = _change(programme_id, caller, service, version_seen(body.revision, if_match))
    await service.database.retrying(lambda tx: change_programme(tx, change, body.given()))
    return await _shown(service, programme_id, response)


@router.delete("/{programme_id}", status_code=204, summary="Remove a programme that has asked nobody")
async def remove(programme_id: ProgrammeId, caller: Manager, if_match: IfMatch, service: TheService) -> None:
    """Also one by which only people were asked who are erased since. 409 `programme_in_use` for others: end it."""
    change = _change(programme_id, caller, service, if_match)
    await service.database.retrying(lambda tx: delete_programme(tx, change))


@router.post("/{programme_id}/duplicate", status_code=201, summary="Begin another programme with the same content")
async def post_duplicate(
    programme_id: ProgrammeId, caller: Manager, service: TheService, response: Response, body: ProgrammeCopy = COPY
) -> Programme:
    """The copy is a draft."""
    caller.require_all_accounts()
    now = service.clock.now()
    copied = await service.database.retrying(
        lambda tx: duplicate_programme(tx, programme_id, caller.actor, now, body.name)
    )
    response.headers["location"] = f"/v1/programmes/{copied}"
    return await _shown(service, copied, response)


@router.post("/{programme_id}/dry-run", summary="What the programme would do")
async def post_dry_run(programme_id: ProgrammeId, caller: Manager, service: TheService) -> DryRun:
    """Whom it would ask in the next quarter, and when, each person once; and why it would not ask others. Nothing is
    sent. A programme is started only after it. 409 `survey_not_published`."""
    caller.require_all_accounts()
    now = service.clock.now()
    async with service.database.read() as tx:
        stored = await found_programme(tx, programme_id)
    found = await Forecasts(service.database, service.clock, service.tokens, service.deployment).look(stored)
    await service.database.retrying(lambda tx: store.note_dry_run(tx, programme_id, stored.revision, now))
    return found


@router.get("/{programme_id}/dry-run", summary="What the programme would do, as it was found last")
async def get_dry_run(programme_id: ProgrammeId, caller: Reader, service: TheService) -> DryRun:
    """The latest look, of the revision that it names: by hand, or of a programme that asks now once a day. 404
    `no_dry_run` before the first."""
    caller.require_all_accounts()
    async with service.database.read() as tx:
        await found_programme(tx, programme_id)
        found = await store.forecast(tx, programme_id)
    if found is None:
        raise NotFound("no_dry_run", "nobody has looked at what it would do")
    return found


@router.post("/{programme_id}/start", summary="Let a programme ask")
async def post_start(
    programme_id: ProgrammeId, caller: Manager, if_match: IfMatch, service: TheService, response: Response
) -> Programme:
    """409 `dry_run_first` unless this revision's dry-run was looked at within 30 days; `no_relay` where no mail can be
    sent, `no_public_url` where links work on this machine only; `survey_not_published`, `survey_archived`;
    `programme_ended`. Again it changes nothing."""
    change = _change(programme_id, caller, service, if_match)
    relay, reachable = service.settings.relay is not None, service.settings.links_are_reachable
    await service.database.retrying(lambda tx: start_programme(tx, change, relay=relay, reachable=reachable))
    return await _shown(service, programme_id, response)


@router.post("/{programme_id}/pause", summary="Let a programme rest")
async def post_pause(
    programme_id: ProgrammeId, caller: Manager, if_match: IfMatch, service: TheService, response: Response
) -> Programme:
    """What is planned waits, reminders too; links that were sent stay open. Again it changes nothing."""
    change = _change(programme_id, caller, service, if_match)
    await service.database.retrying(lambda tx: pause_programme(tx, change, BY_HAND))
    return await _shown(service, programme_id, response)


@router.post("/{programme_id}/end", summary="End a programme for good")
async def post_end(
    programme_id: ProgrammeId, caller: Manager, if_match: IfMatch, service: TheService, response: Response
) -> Programme:
    """What was not sent is withdrawn; links that were sent stay open until they close. Again it changes nothing."""
    change = _change(programme_id, caller, service, if_match)
    await service.database.retrying(lambda tx: end_programme(tx, change))
    return await _shown(service, programme_id, response)


def programme_view(stored: StoredProgramme) -> Programme:
    """A programme as the API tells it."""
    dry_run_at = stored.dry_run_at
    if stored.dry_run_revision != stored.revision:
        dry_run_at = None
    return Programme.model_validate(
        stored.programme.model_dump()
        | {
            "programme_id": stored.programme_id,
            "state": stored.state,
            "reason": stored.reason,
            "revision": stored.revision,
            "dry_run_at": dry_run_at,
            "begun_on": stored.begun_on,
            "planned_until": stored.planned_until,
            "created_at": stored.created_at,
            "created_by": stored.created_by,
            "updated_at": stored.updated_at,
            "updated_by": stored.updated_by,
        }
    )


def _change(programme_id: str, caller: Manager, service: TheService, revision: int | None) -> ProgrammeChange:
    caller.require_all_accounts()
    return ProgrammeChange(programme_id, caller.actor, service.clock.now(), revision)


async def _shown(service: TheService, programme_id: str, response: Response) -> Programme:
    async with service.database.read() as tx:
        stored = await found_programme(tx, programme_id)
    response.headers["etag"] = f'"{stored.revision}"'
    return programme_view(stored)
