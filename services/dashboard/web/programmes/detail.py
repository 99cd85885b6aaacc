"""One programme: what it would do, what came of it, how it asks; started, paused and ended by those who may."""

from collections.abc import Mapping
from functools import partial

from nicegui import ui

from services.dashboard.domain import programmes as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, facts, link, tab_title, when
from services.dashboard.web.form_fields import button
from services.dashboard.web.names import owners_of
from services.dashboard.web.page import page
from services.dashboard.web.programmes.forecast import draw_forecast
from services.dashboard.web.programmes.listing import PATH, programme_address
from services.dashboard.web.programmes.steps import Steps, is_seen
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.cohort import draw_cohort
from services.dashboard.web.surveys.listing import survey_address
from services.dashboard.web.surveys.mail_test import testing
from shared.api.asks import AskGroup
from shared.api.programmes import DryRun, Programme
from shared.api.questions import ASK_SUMMARY, PROGRAMME, PROGRAMME_DRY_RUN, SURVEY
from shared.errors import NotFound
from shared.http.client import Api

Forecast = tuple[Programme, DryRun | None, Mapping[str, str]]
"""A programme, what was seen last that it would do, and the names of owners by their e-mail addresses."""
NOT_BEGUN = "Who is asked stands here two weeks before their mail goes, once the programme asks."
NOT_SEEN = "See what it would do, then it can be started. Nothing is sent by looking."


@page(f"{PATH}/{{programme_id}}", "Programme")
async def programme(visit: Visit) -> None:
    """Draw the page."""
    programme_id = visit.path["programme_id"]

    async def load(api: Api) -> Programme:
        return await api.ask(PROGRAMME, programme_id=programme_id)

    async def load_named(api: Api) -> tuple[Programme, str]:
        found = await load(api)
        return found, (await api.ask(SURVEY, survey_id=found.survey_id)).name

    async def load_forecast(api: Api) -> Forecast:
        found = await load(api)
        try:
            dry_run = await api.ask(PROGRAMME_DRY_RUN, programme_id=programme_id)
        except NotFound:
            return found, None, {}
        return found, dry_run, await owners_of(api, (owner.owner for owner in dry_run.by_owner))

    async def load_sum(api: Api) -> AskGroup:
        return (await api.ask(ASK_SUMMARY, programme_id=programme_id)).groups[0]

    Section(visit, "", load, partial(_draw_head, visit), classes="plain", subject="programme")
    with box("div", "columns uneven"):
        with box("div", "stack"):
            if visit.user.owner_email is None:
                Section(visit, "What it would do", load_forecast, _draw_forecast)
            drawn = partial(draw_cohort, "/surveys/asks", {"programme_id": programme_id}, hint=NOT_BEGUN)
            Section(visit, "What came of it", load_sum, drawn)
        with box("div", "stack"):
            Section(visit, "How it asks", load_named, _draw_facts)


def _draw_head(visit: Visit, found: Programme) -> None:
    tab_title(found.name)
    link("All programmes", PATH)
    Text("h1", found.name)
    with box("p", "lead"):
        Text("span", f"{told.STATES[found.state]} · {told.when_words(found.model_dump(mode='json')['when'])}")
        if found.begun_on is not None:
            Text("span", " · asks since ")
            when(found.begun_on)
    if found.reason and found.state == "paused":
        Text("p", f"It rests: {found.reason}.", "notice warn")
    with box("div", "buttons"):
        if visit.user.may("manage"):
            _draw_steps(visit, found)
        testing(visit, found.survey_id)
        link("Who was asked", address("/surveys/asks", programme_id=found.programme_id), "button")
    if visit.user.may("manage") and found.state in ("draft", "paused") and not is_seen(found, visit.now):
        Text("p", NOT_SEEN, "muted")


def _draw_steps(visit: Visit, found: Programme) -> None:
    steps = Steps(visit, found)
    if found.state in ("draft", "paused"):
        if is_seen(found, visit.now):
            verb = "Start"
            if found.begun_on is not None:
                verb = "Resume"
            button(verb, steps.start, "main")
            button("Look again", steps.look)
        else:
            button("See what it would do", steps.look, "main")
    if found.state == "running":
        button("Pause", steps.pause)
        button("Look again", steps.look)
    if found.state != "ended":
        link("Change", f"{programme_address(found.programme_id)}/edit", "button")
    button("Duplicate", partial(_duplicate, steps))
    if found.state != "ended":
        button("End", steps.end)


async def _duplicate(steps: Steps) -> None:
    copied = await steps.duplicate()
    if copied is not None:
        ui.navigate.to(programme_address(copied.programme_id))


def _draw_forecast(found: Forecast) -> None:
    programme, dry_run, owners = found
    draw_forecast(dry_run, programme.revision, owners)


def _draw_facts(found: tuple[Programme, str]) -> None:
    programme, survey_name = found
    document = programme.model_dump(mode="json")
    asking: Cell = told.when_words(document["when"])
    if document["when"]["type"] == "once":
        asking = partial(_draw_week, document["when"]["on"])
    facts(
        {
            "Survey": partial(link, survey_name, survey_address(programme.survey_id)),
            "What it is for": told.OBJECTIVES[programme.objective],
            "When": asking,
            "Whom": told.who_words(document["who"]),
            "Hours": told.hours_words(document["hours"]),
            "Reminders": told.reminder_words(document["reminders"]),
            "Link works for": wording.count(programme.open_days, "day"),
            "Sender": told.sender_words(document["sender"]),
            "Replies go to": programme.sender.reply_to or "the sender",
            "Mails a day": f"{wording.grouped(programme.caps.programme)} at most, {programme.caps.account} an account",
            "Only with permission": ("no", "yes")[programme.only_with_permission],
            "For answering": programme.incentive or wording.NOTHING,
            "Legal basis": programme.legal_basis or wording.NOTHING,
        }
    )


def _draw_week(on: str) -> None:
    with box("span"):
        Text("span", "Once, in the week of ")
        Text("time", on, datetime=on, data_style="date")
