"""Waves: whom a programme is about to ask, for those who know the people."""

from datetime import date
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import ConfigDict, Field

from services.outreach.api.asks import ask_detail
from services.outreach.api.links import AskId
from services.outreach.api.links_models import Email, Input, Line, Reason
from services.outreach.api.programmes import ProgrammeId
from services.outreach.api.resources import Outreach, TheService
from services.outreach.domain.occasions import monday_of
from services.outreach.domain.waves import latest_of, monday_until
from services.outreach.handlers.programmes import found_programme
from services.outreach.handlers.waves import NewPerson, add, correct, exclude, include
from services.outreach.store import waves as store
from shared.api.asks import AskDetail
from shared.api.waves import PersonAdded, Wave, WavePeople, WavePerson, Waves
from shared.errors import Unavailable
from shared.events.directory import StakeholderType
from shared.http.auth import Actor, Reader
from shared.http.client import Api
from shared.http.routing import Router
from shared.ids import Identifier

router = Router(prefix="/v1", tags=["waves"])
Day = Annotated[date, Path(description="A day of the week.", examples=["2026-12-07"])]
Owner = Annotated[
    str | None, Query(min_length=1, max_length=320, description="The address of the accounts' owner; default: all.")
]


class Exclusion(Input):
    """Why somebody is not to be asked."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "On leave"}]})

    reason: Reason


class Correction(Input):
    """Where the mail is to go."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"email": "ada.lin@acme.example"}]}
    )

    email: Email


class Addition(Input):
    """Somebody whom the directory lacks."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"account_id": "acme", "email": "bo@acme.example", "type": "user"}]},
    )

    account_id: Identifier
    email: Email = Field(description="Their id in the directory as well.")
    name: Line | None = None
    type: StakeholderType | None = None


@router.get("/waves", summary="Coming waves")
async def list_waves(caller: Reader, service: TheService, owner: Owner = None) -> Waves:
    """Those of which somebody is still to be asked, as far as they are planned: a fortnight ahead. A key limited to an
    owner sees the people of its accounts only."""
    async with service.database.read() as tx:
        rows = await store.coming(tx, service.clock.now(), owner, caller.owner_email)
    return Waves(items=[_wave(row) for row in rows])


@router.get("/programmes/{programme_id}/waves/{day}/people", summary="The people of a wave")
async def list_people(
    programme_id: ProgrammeId, day: Day, caller: Reader, service: TheService, owner: Owner = None
) -> WavePeople:
    """Everybody who is to be asked in the week of the day, those left out included; their owner corrects the list by
    the calls beside this one until the mails go, and whoever says nothing lets it go."""
    monday = monday_of(day)
    async with service.database.read() as tx:
        stored = await found_programme(tx, programme_id)
        rows = await store.people(tx, programme_id, latest_of(monday), owner, caller.owner_email)
    items = [WavePerson.model_validate({**row, "ask_id": str(row["ask_id"])}) for row in rows]
    return WavePeople(programme_id=programme_id, programme_name=stored.programme.name, day=monday, items=items)


@router.post("/programmes/{programme_id}/waves/{day}/people", status_code=201, summary="Add a person whom a wave lacks")
async def add_person(
    programme_id: ProgrammeId, day: Day, body: Addition, caller: Actor, service: TheService
) -> PersonAdded:
    """They come into the directory, and the programme finds them there within twelve hours, as it finds everybody whom
    its audience has. 409 for somebody who is there already."""
    async with service.database.read() as tx:
        await found_programme(tx, programme_id)
    person = NewPerson(body.account_id, body.email, body.name, body.type)
    await add(service.database, _directory(service), person, caller)
    return PersonAdded(account_id=person.account_id, stakeholder_id=person.stakeholder_id)


@router.post("/asks/{ask_id}/exclude", summary="Leave a person out of a wave")
async def post_exclude(ask_id: AskId, body: Exclusion, caller: Actor, service: TheService) -> AskDetail:
    """The ask is `skipped: excluded`, with the reason in words; the next wave asks the person again. 409 once the mail
    goes."""
    now = service.clock.now()
    await service.database.retrying(lambda tx: exclude(tx, ask_id, body.reason, caller, now))
    return await ask_detail(service, caller, ask_id)


@router.post("/asks/{ask_id}/include", summary="Take a person into a wave again")
async def post_include(ask_id: AskId, caller: Actor, service: TheService) -> AskDetail:
    """Who was left out is asked. 409 where the wave is over."""
    now = service.clock.now()
    await service.database.retrying(lambda tx: include(tx, ask_id, caller, now))
    return await ask_detail(service, caller, ask_id)


@router.post("/asks/{ask_id}/correct", summary="Correct the address of a person of a wave")
async def post_correct(ask_id: AskId, body: Correction, caller: Actor, service: TheService) -> AskDetail:
    """The directory is changed; the mail goes to the address that is current when it goes. 409 once it goes."""
    now = service.clock.now()
    await correct(service.database, _directory(service), ask_id, body.email, caller, now)
    return await ask_detail(service, caller, ask_id)


def _wave(row: Any) -> Wave:
    fields = dict(row)
    return Wave(day=monday_until(fields.pop("latest_at")), **fields)


def _directory(service: Outreach) -> Api:
    """The collector, asked with outreach's own key. Raises `Unavailable`."""
    if service.api is None:
        raise Unavailable("no_api_key", "TELLBACK_OUTREACH_API_KEY is not set, so the directory cannot be changed")
    return service.api
