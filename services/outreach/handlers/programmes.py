"""People write programmes, see what they would do, and start, pause and end them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.outreach.store import asks, planning
from services.outreach.store import programmes as store
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import ProgrammeDocument
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import uuid7

CHANGED = "it was changed: look at what it would do now, then start it again"
DRY_RUN_DAYS = 30
"""A programme that has rested for longer is started again only after another dry-run: the world has moved on."""


@dataclass(frozen=True, slots=True)
class ProgrammeChange:
    """Who changes which programme, and when; `revision` is the one they saw, if they say so."""

    programme_id: str
    actor: str
    at: datetime
    revision: int | None = None


async def create_programme(tx: WriteTx, programme: ProgrammeDocument, actor: str, at: datetime) -> str:
    """Store a draft; returns its id. Raises `Invalid` for a survey that does not exist."""
    await _require_survey(tx, programme)
    programme_id = f"prg_{uuid7().hex}"
    await store.add(tx, programme_id, programme, at, actor)
    return programme_id


async def change_programme(tx: WriteTx, change: ProgrammeChange, given: Mapping[str, Any]) -> None:
    """Replace the `given` fields. A running programme rests until somebody has seen what it would do now; then what was
    not sent is planned anew. What was sent keeps its survey. A programme that stays as it is makes no revision."""
    await asks.lock_asking(tx)
    held = await _held(tx, change)
    if held.state == "ended":
        raise Conflict("programme_ended", "a programme that has ended is not changed; duplicate it")
    programme = _changed(held.programme, given)
    if programme == held.programme:
        return
    await _require_survey(tx, programme)
    await store.change(tx, change.programme_id, programme, change.at, change.actor)
    await store.pause_running(tx, change.programme_id, CHANGED, change.at, change.actor)
    await planning.forget_unsent(tx, change.programme_id)


async def duplicate_programme(tx: WriteTx, programme_id: str, actor: str, at: datetime, name: str | None) -> str:
    """Store a draft with the same document under another name; returns its id."""
    found = await found_programme(tx, programme_id)
    name = name or f"Copy of {found.programme.name}"[:200]
    copied = found.programme.model_copy(update={"name": name})
    return await create_programme(tx, copied, actor, at)


async def start_programme(tx: WriteTx, change: ProgrammeChange, *, relay: bool, reachable: bool) -> None:
    """Let it ask. Nothing is armed without a dry-run of this revision, seen within 30 days, and without a published
    survey, a relay, and links that respondents can open. Again it changes nothing."""
    held = await _held(tx, change)
    if held.state == "running":
        return
    if held.state == "ended":
        raise Conflict("programme_ended", "a programme that has ended does not start again; duplicate it")
    if not relay:
        raise Conflict("no_relay", "no relay is set (TELLBACK_OUTREACH_SMTP_HOST), so nothing is sent; links work")
    if not reachable:
        raise Conflict(
            "no_public_url", "set TELLBACK_OUTREACH_PUBLIC_URL: links with its default work on this machine only"
        )
    survey = await asks.published_survey(tx, held.programme.survey_id)
    if survey is None or survey.version == 0:
        raise Conflict("survey_not_published", "publish the survey first")
    if survey.archived:
        raise Conflict("survey_archived", "the survey is archived: bring it back, or ask by another one")
    seen = held.dry_run_revision == held.revision and held.dry_run_at is not None
    if not seen or (change.at - (held.dry_run_at or change.at)).days > DRY_RUN_DAYS:
        raise Conflict(
            "dry_run_first",
            "look at what it would do first: POST …/dry-run shows whom it would ask, and why not others",
        )
    await store.set_state(tx, change.programme_id, "running", None, change.at, change.actor)
    await planning.release_paused(tx, change.programme_id, change.at)


async def pause_programme(tx: WriteTx, change: ProgrammeChange, reason: str) -> None:
    """Let it rest: what is planned waits. Again it changes nothing."""
    held = await _held(tx, change)
    if held.state == "ended":
        raise Conflict("programme_ended", "the programme has ended")
    await store.pause_running(tx, change.programme_id, reason, change.at, change.actor)


async def end_programme(tx: WriteTx, change: ProgrammeChange) -> int:
    """End it for good: what was not sent is withdrawn, links stay open until they close; returns how many asks were
    withdrawn."""
    held = await _held(tx, change)
    if held.state == "ended":
        return 0
    await store.set_state(tx, change.programme_id, "ended", None, change.at, change.actor)
    return await planning.call_off_unsent(tx, change.programme_id, change.at)


async def delete_programme(tx: WriteTx, change: ProgrammeChange) -> None:
    """Remove a programme that has asked nobody who is still known. Raises `Conflict` for another one."""
    held = await _held(tx, change)
    if await store.has_asks(tx, held.programme_id):
        raise Conflict("programme_in_use", "people were asked by the programme: it stays, and can be ended")
    await store.delete(tx, held.programme_id)


async def found_programme(tx: ReadTx, programme_id: str) -> StoredProgramme:
    """The programme of this id. Raises `NotFound`."""
    return _required(await store.find(tx, programme_id))


async def _held(tx: WriteTx, change: ProgrammeChange) -> StoredProgramme:
    held = _required(await store.hold(tx, change.programme_id))
    if change.revision not in (None, held.revision):
        raise Conflict("stale_version", "somebody else changed it meanwhile; read it again")
    return held


def _required(found: StoredProgramme | None) -> StoredProgramme:
    if found is None:
        raise NotFound("programme_not_found", "there is no such programme")
    return found


def _changed(programme: ProgrammeDocument, given: Mapping[str, Any]) -> ProgrammeDocument:
    """The programme with other fields. Raises `Invalid` where they do not go together with those that stay."""
    try:
        return ProgrammeDocument.model_validate({**programme.model_dump(), **given})
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False, include_input=False):
            faults.append({"field": ".".join(map(str, fault["loc"])), "code": fault["type"], "detail": fault["msg"]})
        raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=faults) from None


async def _require_survey(tx: ReadTx, programme: ProgrammeDocument) -> None:
    if await asks.published_survey(tx, programme.survey_id) is None:
        fault = {"field": "survey_id", "code": "survey_not_found", "detail": "there is no such survey"}
        raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=[fault])
