"""All surveys: what each asks, whether it is published, and how many were asked and answered."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, empty, link, table, when
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import AskGroup
from shared.api.questions import ASK_SUMMARY, SURVEYS
from shared.api.surveys import SurveyHead
from shared.http.client import Api, within


@dataclass(frozen=True)
class Listed:
    """Surveys, and what became of their asks, by survey."""

    surveys: list[SurveyHead]
    asks: Mapping[str, AskGroup]


@page("/surveys", "Surveys")
async def surveys(visit: Visit) -> None:
    """Draw the list."""
    tabs(visit, "/surveys", "What your customers are asked, and what came of it")

    async def load(api: Api) -> Listed:
        found, summary = await asyncio.gather(api.ask_all(SURVEYS), api.ask(ASK_SUMMARY, group_by="survey"))
        return Listed(found, {str(group.key): group for group in summary.groups})

    Section(visit, "", load, partial(_draw, visit), classes="wide")


def survey_address(survey_id: str) -> str:
    """The address of a survey's page."""
    return f"{within('/surveys', survey_id)}/edit"


def state_words(survey: SurveyHead) -> str:
    """Whether a survey is published, and whether it was changed since."""
    if survey.archived_at is not None:
        return "○ archived"
    if survey.current_version is None:
        return "○ draft"
    if survey.has_changes:
        return f"● version {survey.current_version}, changed since"
    return f"● version {survey.current_version}"


def _draw(visit: Visit, found: Listed) -> None:
    if found.surveys:
        _draw_table(found, "Surveys", archived=False)
        if any(survey.archived_at is not None for survey in found.surveys):
            with box("details"):
                Text("summary", "Archived")
                _draw_table(found, "Archived surveys", archived=True)
    else:
        hint = "Begin with one that is ready: relationship, project, satisfaction, effort, or a business review."
        if not visit.user.may("manage"):
            hint = "An admin makes the first one."
        empty("There is no survey yet.", hint)
    if visit.user.may("manage"):
        with box("div", "buttons"):
            link("New survey", "/surveys/new", "button main")


def _draw_table(found: Listed, title: str, *, archived: bool) -> None:
    heads = ("Survey", "Asks", "State", "Languages", "Who was asked", "Answered", "Changed")
    rows = []
    for survey in found.surveys:
        if (survey.archived_at is not None) == archived:
            rows.append(_row(survey, found.asks.get(survey.survey_id)))
    if rows:
        table(heads, rows, title)
    else:
        empty("All surveys are archived.", "Open one below and bring it back, or begin a new one.")


def _row(survey: SurveyHead, asks: AskGroup | None) -> list[Cell]:
    asked, answered = 0, 0
    if asks is not None:
        asked, answered = asks.sent, asks.outcomes.answered
    return [
        partial(link, survey.name, survey_address(survey.survey_id)),
        f"{wording.SURVEYS[survey.metric]}, {texts.NPS_KINDS[survey.nps_kind].lower()}",
        state_words(survey),
        ", ".join(texts.language_name(language) for language in survey.languages),
        partial(_asked, survey.survey_id, asked),
        wording.grouped(answered),
        partial(when, survey.updated_at, "ago"),
    ]


def _asked(survey_id: str, asked: int) -> None:
    if asked:
        link(f"{wording.grouped(asked)} asked", address("/surveys/asks", survey_id=survey_id))
    else:
        Text("span", "nobody asked")
