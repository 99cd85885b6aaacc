"""One survey: edited as a form, with what is to be checked and a preview beside it; read by those who may not edit."""

from functools import partial

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, empty, link, tab_title, table, when
from services.dashboard.web.form_fields import attempt, button, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.draft import Draft
from services.dashboard.web.surveys.form import SurveyForm
from services.dashboard.web.surveys.listing import state_words, survey_address
from services.dashboard.web.surveys.mail_test import testing
from services.dashboard.web.surveys.preview import Preview
from services.dashboard.web.surveys.publishing import Publishing
from shared.api.calls import ARCHIVE_SURVEY, DUPLICATE_SURVEY, RESTORE_SURVEY
from shared.api.questions import SURVEY, SURVEY_TEMPLATES, SURVEY_VERSIONS
from shared.api.surveys import Survey, SurveyTemplates, SurveyVersion
from shared.http.client import Api, Call

ARCHIVING = "Nobody is asked by it any more. Links that are out stay open until they close, and their answers count."


@page("/surveys/{survey_id}/edit", "Survey")
async def survey(visit: Visit) -> None:
    """Draw the page."""
    survey_id = visit.path["survey_id"]
    draft = Draft(visit, survey_id)
    preview = Preview(visit, draft)

    async def load_head(api: Api) -> Survey:
        return await api.ask(SURVEY, survey_id=survey_id)

    async def load_versions(api: Api) -> list[SurveyVersion]:
        return await api.ask_all(SURVEY_VERSIONS, survey_id=survey_id)

    Section(visit, "", load_head, partial(_draw_head, visit, draft), classes="plain", subject="survey")
    with box("div", "columns uneven"):
        with box("div", "stack"):
            if visit.user.may("manage"):
                _place_form(visit, draft)
            else:
                Section(visit, "What it says", load_head, _draw_texts)
            Section(visit, "Versions", load_versions, _draw_versions)
        with box("div", "stack beside"):
            Section(visit, "Preview", draft.load, preview.draw)


def _place_form(visit: Visit, draft: Draft) -> None:
    form = SurveyForm(visit, draft)

    async def load_ready(api: Api) -> tuple[str, SurveyTemplates]:
        return await draft.load(api), await api.ask(SURVEY_TEMPLATES)

    def draw(found: tuple[str, SurveyTemplates]) -> None:
        form.draw(found[1])

    Section(visit, "Questions and texts", load_ready, draw)


def _draw_head(visit: Visit, draft: Draft, survey: Survey) -> None:
    link("All surveys", "/surveys")
    tab_title(survey.name)
    Text("h1", survey.name)
    asks = f"{wording.SURVEYS[survey.metric]}, {texts.NPS_KINDS[survey.nps_kind].lower()}"
    Text("p", f"{state_words(survey)} · {asks}", "lead")
    with box("div", "buttons"):
        if visit.user.may("manage"):
            if survey.archived_at is None:
                button("Publish", Publishing(visit, draft).start, "main")
            button("Duplicate", partial(_duplicate, visit, survey))
            _draw_archiving(visit, survey)
        if survey.current_version is not None:
            if survey.archived_at is None:
                testing(visit, survey.survey_id)
            if visit.user.may("act") and survey.archived_at is None:
                link("Make links", address("/surveys/links", survey_id=survey.survey_id), "button")
            link("Who was asked", address("/surveys/asks", survey_id=survey.survey_id), "button")


def _draw_archiving(visit: Visit, survey: Survey) -> None:
    """Draw the button that archives a survey, or brings it back."""

    async def step(call: Call[Survey], action: str, done: str) -> None:
        async def work() -> None:
            await (await visit.api()).call(call, survey_id=survey.survey_id)
            await visit.resources.desk.note(visit.user, action, survey.name)

        await attempt(work(), done)
        await visit.refresh()

    if survey.archived_at is not None:
        button("Bring it back", partial(step, RESTORE_SURVEY, "restored_survey", "It can be asked again"), "main")
    elif survey.current_version is not None:
        archive = partial(step, ARCHIVE_SURVEY, "archived_survey", "Archived")
        button("Archive", partial(sure, f"Archive {survey.name}?", ARCHIVING, "Archive it", archive))


async def _duplicate(visit: Visit, survey: Survey) -> None:
    made: list[Survey] = []

    async def work() -> None:
        made.append(await (await visit.api()).call(DUPLICATE_SURVEY, survey_id=survey.survey_id))
        await visit.resources.desk.note(visit.user, "made_survey", made[0].name)

    if await attempt(work(), ""):
        ui.navigate.to(survey_address(made[0].survey_id))


def _draw_texts(survey: Survey) -> None:
    """Draw all texts for people who may not change them."""
    document = survey.draft.model_dump(mode="json")
    languages = texts.languages(document)
    for group in texts.groups(document):
        Text("h3", group.title)
        rows: list[list[Cell]] = []
        for line in group.lines:
            rows.append([line.label, *(texts.text_at(document, ("texts", name, *line.path)) for name in languages)])
        table(("", *map(texts.language_name, languages)), rows, group.title)


def _draw_versions(versions: list[SurveyVersion]) -> None:
    if not versions:
        empty("It was never published.", "Nobody can be asked before that.")
        return
    rows: list[list[Cell]] = [
        [str(version.version), partial(when, version.published_at, "time"), _changes_of(version)]
        for version in versions
    ]
    table(("Version", "Published", "Other wordings than before"), rows, "Versions")


def _changes_of(version: SurveyVersion) -> str:
    if version.version == 1:
        return "as it began"
    return wording.count(len(version.changed_wordings), "text")
