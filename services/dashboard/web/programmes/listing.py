"""All programmes: which ask now, and the waves that come, by week, programme and owner."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import programmes as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, address, box, empty, link, number_link, table, when
from services.dashboard.web.form_fields import filters
from services.dashboard.web.names import owners_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import AskGroup
from shared.api.programmes import CalendarEntry, Programme
from shared.api.questions import ASK_SUMMARY, PROGRAMME_CALENDAR, PROGRAMMES, SURVEYS
from shared.http.client import Api, within

PATH = "/surveys/programmes"
LEAD = "Programmes ask by mail, by themselves: again and again, after something happened, or once"
CALENDAR = "Of the programmes that ask now, in the next three months; looked at anew each day"
HEADS = ("Programme", "State", "When", "Survey", "Planned", "Asked", "Answered", "Changed")
NOBODY = "nobody"
PLANNED = "waiting,held"
"""The states of asks that are planned and not sent."""
Calendar = tuple[Sequence[CalendarEntry], Mapping[str, str]]
"""What programmes ask by week and owner, and the names of owners by their e-mail addresses."""


@dataclass(frozen=True)
class Listed:
    """Programmes, the names of surveys, and what became of their asks, by programme."""

    programmes: list[Programme]
    surveys: Mapping[str, str]
    asks: Mapping[str, AskGroup]


@page(PATH, "Programmes")
async def programmes(visit: Visit) -> None:
    """Draw the page; the state and the owner are in the address."""
    tabs(visit, PATH, LEAD)

    async def load(api: Api) -> Listed:
        found, surveys, summary = await asyncio.gather(
            api.ask_all(PROGRAMMES), api.ask_all(SURVEYS), api.ask(ASK_SUMMARY, group_by="programme")
        )
        names = {survey.survey_id: survey.name for survey in surveys}
        return Listed(found, names, {str(group.key): group for group in summary.groups})

    async def load_calendar(api: Api) -> Calendar:
        entries = (await api.ask(PROGRAMME_CALENDAR)).items
        return entries, await owners_of(api, (entry.owner for entry in entries))

    Section(visit, "", load, partial(_draw, visit), classes="wide")
    Section(visit, "Coming waves", load_calendar, partial(_draw_calendar, visit), classes="wide", lead=CALENDAR)


def programme_address(programme_id: str) -> str:
    """The address of a programme's page."""
    return within(PATH, programme_id)


def _draw(visit: Visit, found: Listed) -> None:
    if found.programmes:
        filters(PATH, [("state", "State", told.STATES)], visit.query, keep=["owner"])
        wanted = visit.chosen("state", told.STATES, "")
        rows = []
        for programme in found.programmes:
            if wanted in ("", programme.state):
                rows.append(_row(programme, found))
        if rows:
            table(HEADS, rows, "Programmes")
        else:
            empty("None is in this state.", "Choose another state above.")
    else:
        hint = "Begin with one that is ready: the relationship each quarter, after a delivery, before a renewal."
        if not visit.user.may("manage"):
            hint = "An admin makes the first one."
        empty("There is no programme yet.", hint)
    if visit.user.may("manage"):
        with box("div", "buttons"):
            link("New programme", f"{PATH}/new", "button main")


def _row(programme: Programme, found: Listed) -> list[Cell]:
    planned, asked, answered = 0, 0, 0
    asks = found.asks.get(programme.programme_id)
    if asks is not None:
        planned, asked, answered = asks.waiting + asks.held, asks.sent, asks.outcomes.answered
    return [
        partial(link, programme.name, programme_address(programme.programme_id)),
        told.STATES[programme.state],
        told.when_words(programme.model_dump(mode="json")["when"]),
        found.surveys.get(programme.survey_id, programme.survey_id),
        partial(number_link, planned, address("/surveys/asks", programme_id=programme.programme_id, state=PLANNED)),
        partial(number_link, asked, address("/surveys/asks", programme_id=programme.programme_id, state="sent")),
        wording.grouped(answered),
        partial(when, programme.updated_at, "ago"),
    ]


def _draw_calendar(visit: Visit, found: Calendar) -> None:
    entries, names = found
    if not entries:
        empty("No wave is coming.", "Start a programme: its waves stand here then, with how many people of each owner.")
        return
    owners = {_owner(entry): names.get(_owner(entry), _owner(entry)) for entry in entries}
    filters(PATH, [("owner", "Owner", owners)], visit.query, keep=["state"])
    wanted = visit.query.get("owner")
    waves: dict[tuple[str, str], list[CalendarEntry]] = {}
    for entry in entries:
        if wanted in (None, "", _owner(entry)):
            waves.setdefault((entry.week.isoformat(), entry.programme_id), []).append(entry)
    rows = [_wave(wave, owners) for wave in waves.values()]
    table(("Week of", "Programme", "People", "By owner"), rows, "Coming waves")


def _wave(entries: Sequence[CalendarEntry], owners: Mapping[str, str]) -> list[Cell]:
    first = entries[0]
    return [
        partial(when, first.week),
        partial(link, first.programme_name, programme_address(first.programme_id)),
        wording.grouped(sum(entry.count for entry in entries)),
        ", ".join(f"{owners[_owner(entry)]} {wording.grouped(entry.count)}" for entry in entries),
    ]


def _owner(entry: CalendarEntry) -> str:
    return entry.owner or NOBODY
