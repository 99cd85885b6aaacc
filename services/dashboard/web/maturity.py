"""The maturity of the programme: a self-assessment with measured answers filled in, its result, and the next steps."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, empty, figure, table, when
from services.dashboard.web.form_fields import Fields, attempt, button
from services.dashboard.web.page import page
from services.dashboard.web.score_view import steps
from services.dashboard.web.section import Section, Visit
from shared.api.calls import ANSWER_MATURITY
from shared.api.maturity import ListedResult, Prefill, QuestionModel, Questionnaire, Result
from shared.api.questions import MATURITY, MATURITY_QUESTIONS, MATURITY_RESULTS
from shared.errors import NotFound
from shared.http.client import Api

UNANSWERED = "-"
LEVELS = {
    "starting": "○ starting",
    "developing": "◔ developing",
    "established": "◑ established",
    "leading": "● leading",
}
"""Each level with a sign that is fuller the higher the level."""


@page("/maturity", "Maturity")
async def maturity(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Maturity")
    Text("p", "How well the programme does what good programmes do, and what to do next", "lead")
    with box("div", "grid"):
        Section(visit, "Where you stand", _load_result, _draw_result, classes="two-thirds")
        Section(visit, "All results", _load_before, _draw_before, classes="third")
        Section(visit, "Next steps", _load_result, _draw_steps, classes="wide")
        lead = "What the system has measured is answered already; correct what is wrong"
        Section(visit, "The questions", _load_questions, partial(_draw_questions, visit), classes="wide", lead=lead)


@dataclass(frozen=True)
class _Latest:
    """The latest result, None before the first one, and the texts of the questions by their ids."""

    result: Result | None
    texts: dict[str, str] = field(default_factory=dict)


async def _load_result(api: Api) -> _Latest:
    try:
        result, found = await asyncio.gather(api.ask(MATURITY), _load_questions(api))
    except NotFound:
        return _Latest(None)
    texts: dict[str, str] = {}
    for area in found.areas:
        texts |= {question.question_id: question.text for question in area.questions}
    return _Latest(result, texts)


async def _load_before(api: Api) -> list[ListedResult]:
    return await api.ask_all(MATURITY_RESULTS, most=20)


async def _load_questions(api: Api) -> Questionnaire:
    return await api.ask(MATURITY_QUESTIONS)


def _draw_result(latest: _Latest) -> None:
    result = latest.result
    if result is None:
        empty("Nobody has answered the questions yet.", "They are below; some are answered by what was measured.")
        return
    change = result.change
    with box("div", "figures"):
        note = "the first time"
        if change is not None:
            note = f"{wording.points(change)} against the time before"
        figure("Score", f"{_points(result.score)} of 100", note=note, classes="big")
        figure("Level", LEVELS.get(result.level or "", wording.NOTHING))
    rows = []
    for area in result.areas:
        level = LEVELS.get(area.level or "", "")
        rows.append((area.title, area.score or 0.0, f"{_points(area.score)} {level}".strip()))
    with box("div", "areas"):
        steps(rows, 100)
    for text in filter(None, (_warning(code, latest.texts) for code in result.warnings)):
        Text("p", text, "muted")


def _points(score: float | None) -> str:
    if score is None:
        return wording.NOTHING
    return f"{score:.0f}"


def _warning(code: str, texts: dict[str, str]) -> str:
    kind, _, about = code.partition(":")
    if kind == "not_measured":
        return f"The {about} could not be asked for its figures."
    if kind == "better_than_measured":
        return f"“{texts.get(about, about)}” was answered better than what was measured."
    return wording.plain(code)


def _draw_steps(latest: _Latest) -> None:
    result = latest.result
    if result is None:
        empty("They come with the first answers.")
        return
    if not result.recommendations:
        empty("None: every question has its best answer.")
        return
    with box("ol", "advice"):
        for step in result.recommendations:
            with box("li"):
                Text("strong", step.text)
                Text("p", step.because, "muted")


def _draw_before(found: list[ListedResult]) -> None:
    if not found:
        empty("No results yet.")
        return
    rows: list[list[Cell]] = [
        [
            partial(when, result.created_at),
            _points(result.score),
            LEVELS.get(result.level or "", wording.NOTHING),
        ]
        for result in found
    ]
    table(("When", "Score", "Level"), rows, "All results")


def _draw_questions(visit: Visit, found: Questionnaire) -> None:
    fields = Fields()
    may = visit.user.may("act")
    for area in found.areas:
        with box("fieldset", "area"):
            Text("legend", area.title)
            for question in area.questions:
                _draw_question(fields, question, may=may)
    if not may:
        Text("p", "Your role reads the result; leaders and account managers answer.", "muted")
        return

    async def send() -> None:
        async def work() -> None:
            answers = {name: int(value) for name, value in fields.values.items() if value != UNANSWERED}
            await (await visit.api()).call(ANSWER_MATURITY, {"answers": answers})

        await attempt(work(), "Saved; the result is above")
        await visit.refresh()

    with box("div", "buttons"):
        button("See the result", send, "main")


def _draw_question(fields: Fields, question: QuestionModel, *, may: bool) -> None:
    measured = question.prefill
    hint = ""
    if measured:
        hint = _measured(measured)
    if not may:
        Text("p", question.text)
    else:
        unanswered = "Not answered"
        if measured:
            unanswered = f"As measured: {question.options[measured.option]}"
        options = {UNANSWERED: unanswered} | {str(number): words for number, words in enumerate(question.options)}
        fields.choice(question.question_id, question.text, options)
    if hint:
        Text("p", hint, "muted")


def _measured(measured: Prefill) -> str:
    value = f"{measured.value:g} {measured.unit}"
    if measured.unit == "share":
        value = wording.share(measured.value)
    elif measured.unit == "hours":
        value = told.hours(measured.value)
    return f"Measured: {value} ({measured.meaning})"
