"""A new survey: from a template, or for one of the touchpoints of an industry."""

from functools import partial

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, table
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, filters, refuse
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.listing import survey_address
from services.dashboard.web.surveys.tabs import tabs
from shared.api.calls import BEGIN_SURVEY
from shared.api.questions import SURVEY_TEMPLATES
from shared.api.surveys import Preset, Survey, SurveyDocument, SurveyTemplates, Template
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES

LEAD = "Begin with a survey that is ready in English, German, French and Spanish; everything in it can be changed"
TOUCHPOINTS = "When others of an industry ask, whom, and why. The survey begins with the questions that fit."


@page("/surveys/new", "New survey", scope="manage")
async def new_survey(visit: Visit) -> None:
    """Draw the page; the industry is in the address."""
    tabs(visit, "/surveys", LEAD)

    async def load(api: Api) -> SurveyTemplates:
        return await api.ask(SURVEY_TEMPLATES)

    Section(visit, "Ready surveys", load, partial(_draw_templates, visit), classes="wide")
    Section(visit, "Touchpoints by industry", load, partial(_draw_presets, visit), classes="wide", lead=TOUCHPOINTS)


def _draw_templates(visit: Visit, found: SurveyTemplates) -> None:
    with box("div", "tiles"):
        for template in found.templates:
            _tile(visit, found, template)


def _tile(visit: Visit, found: SurveyTemplates, template: Template) -> None:
    survey = template.survey
    with box("div", "tile"):
        Text("h3", survey.name)
        Text("p", _question(survey), "quote")
        Text("p", _asks(survey), "muted")
        begin = button(
            "Begin with this", partial(_begin, visit, found, template.template, {"template": template.template})
        )
        begin.props["aria-label"] = f"Begin with {survey.name}"


def _question(survey: SurveyDocument) -> str:
    """The question with the score, with what stands for its placeholders where a survey has no value."""
    texts_of = survey.texts[survey.default_language]
    question = texts_of.score.text
    for name, instead in texts_of.fallbacks.items():
        question = question.replace(f"{{{name}}}", instead)
    return question


def _asks(survey: SurveyDocument) -> str:
    metric = wording.SURVEYS[survey.metric]
    if not survey.questions:
        return f"{metric} and why"
    return f"{metric}, why, and {wording.count(len(survey.questions), 'further question')}"


def _draw_presets(visit: Visit, found: SurveyTemplates) -> None:
    industries = {preset.industry: INDUSTRIES.get(preset.industry, preset.industry) for preset in found.presets}
    filters("/surveys/new", [("industry", "Industry", industries)], visit.query)
    wanted = visit.query.get("industry")
    shown = [preset for preset in found.presets if wanted in (None, "", preset.industry)]
    heads = ("Survey", "Industry", "Score", "When", "Whom", "Why", "")
    rows = [_preset(visit, found, preset, industries[preset.industry]) for preset in shown]
    table(heads, rows, "Touchpoints")


def _preset(visit: Visit, found: SurveyTemplates, preset: Preset, industry: str) -> list[Cell]:
    return [
        preset.name,
        industry,
        wording.SURVEYS[preset.metric],
        preset.moment,
        preset.audience,
        preset.why,
        partial(_begin_button, visit, found, preset),
    ]


def _begin_button(visit: Visit, found: SurveyTemplates, preset: Preset) -> None:
    made = button("Begin", partial(_begin, visit, found, preset.template, {"preset": preset.preset_id}))
    made.props["aria-label"] = f"Begin with {preset.name}: {preset.moment}"


def _begin(visit: Visit, ready: SurveyTemplates, name: str, source: dict[str, str]) -> None:
    """Ask for the languages, and begin the survey. `name`: of the template; `source` is what the call begins with."""
    offered: dict[str, str] = {}
    for template in ready.templates:
        if template.template == name:
            offered = texts.language_names(texts.languages(template.survey.model_dump(mode="json")))

    async def send(values: Values) -> bool:
        languages = values.get("languages")
        if not languages:
            return await attempt(refuse("Choose a language."), "")
        return await _begun(visit, source | {"languages": languages})

    def fill(fields: Fields) -> None:
        fields.several("languages", "In which languages; the first is what others fall back to", offered, ["en"])

    ask("Begin a survey", fill, send, "Begin")


async def _begun(visit: Visit, body: Values) -> bool:
    made: list[Survey] = []

    async def work() -> None:
        made.append(await (await visit.api()).call(BEGIN_SURVEY, body))
        await visit.resources.desk.note(visit.user, "made_survey", made[0].name)

    if not await attempt(work(), ""):
        return False
    ui.navigate.to(survey_address(made[0].survey_id))
    return True
