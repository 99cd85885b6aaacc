"""How mature the programme is: a self-assessment that begins with what the system knows, and the next steps."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, empty, figure, table, when
from services.dashboard.web.form_fields import Fields, attempt, button
from services.dashboard.web.page import page
from services.dashboard.web.score_view import steps
from services.dashboard.web.section import Section, Visit
from shared.errors import NotFound
from shared.http.client import Api

Json = dict[str, Any]
UNANSWERED = "-"
LEVELS = {
    "starting": "○ starting",
    "developing": "◔ developing",
    "established": "◑ established",
    "leading": "● leading",
}
"""A sign beside each level, fuller the further one is."""


@page("/maturity", "Maturity")
async def maturity(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Maturity")
    Text("p", "How well the programme does what good programmes do, and what to do next", "lead")
    with box("div", "grid"):
        Section(visit, "Where you stand", _load_result, _draw_result, classes="two-thirds")
        Section(visit, "All results", _load_before, _draw_before, classes="third")
        Section(visit, "Next steps", _load_result, _draw_steps, classes="wide")
        lead = "What the system has measured is answered already; correct what is not so"
        Section(visit, "The questions", _load_questions, partial(_draw_questions, visit), classes="wide", lead=lead)


async def _load_result(api: Api) -> Json:
    """The latest result with the texts of the questions under `asked`; nothing before the first one."""
    try:
        result, questions = await asyncio.gather(api.get("benchmark", "/v1/maturity"), _load_questions(api))
        asked: Json = {}
        for area in questions["areas"]:
            asked |= {question["question_id"]: question["text"] for question in area["questions"]}
        return result | {"asked": asked}
    except NotFound:
        return {}


async def _load_before(api: Api) -> list[Json]:
    return await api.items("benchmark", "/v1/maturity/assessments", most=20)


async def _load_questions(api: Api) -> Json:
    return await api.get("benchmark", "/v1/maturity/questions")


def _draw_result(result: Json) -> None:
    if not result:
        empty("Nobody has answered the questions yet.", "They are below; some are answered by what was measured.")
        return
    change = result["change"]
    with box("div", "figures"):
        note = "the first time" if change is None else f"{wording.points(change)} against the time before"
        figure("Score", f"{_points(result['score'])} of 100", note=note, classes="big")
        figure("Level", LEVELS.get(result["level"] or "", wording.NOTHING))
    rows = []
    for area in result["areas"]:
        level = LEVELS.get(area["level"] or "", "")
        rows.append((area["title"], area["score"] or 0.0, f"{_points(area['score'])} {level}".strip()))
    with box("div", "areas"):
        steps(rows, 100)
    for text in filter(None, (_warning(code, result["asked"]) for code in result["warnings"])):
        Text("p", text, "muted")


def _points(score: float | None) -> str:
    if score is None:
        return wording.NOTHING
    return f"{score:.0f}"


def _warning(code: str, asked: Json) -> str:
    kind, _, about = code.partition(":")
    if kind == "not_measured":
        return f"The {about} could not be asked for its figures."
    if kind == "better_than_measured":
        return f"“{asked.get(about, about)}” was answered better than what was measured."
    return wording.plain(code)


def _draw_steps(result: Json) -> None:
    if not result:
        empty("They come with the first answers.")
        return
    if not result["recommendations"]:
        empty("None: every question has its best answer.")
        return
    with box("ol", "advice"):
        for step in result["recommendations"]:
            with box("li"):
                Text("strong", step["text"])
                Text("p", step["because"], "muted")


def _draw_before(found: list[Json]) -> None:
    if not found:
        empty("Nothing yet.")
        return
    rows: list[list[Cell]] = [
        [
            partial(when, result["created_at"]),
            _points(result["score"]),
            LEVELS.get(result["level"] or "", wording.NOTHING),
        ]
        for result in found
    ]
    table(("When", "Score", "Level"), rows, "All results")


def _draw_questions(visit: Visit, found: Json) -> None:
    fields = Fields()
    may = visit.user.may("act")
    for area in found["areas"]:
        with box("fieldset", "area"):
            Text("legend", area["title"])
            for question in area["questions"]:
                _draw_question(fields, question, may=may)
    if not may:
        Text("p", "Your role reads the result; leaders and account managers answer.", "muted")
        return

    async def send() -> None:
        async def work() -> None:
            answers = {name: int(value) for name, value in fields.values.items() if value != UNANSWERED}
            await (await visit.api()).post("benchmark", "/v1/maturity", {"answers": answers})

        await attempt(work(), "Kept; the result is above")
        await visit.refresh()

    with box("div", "buttons"):
        button("See the result", send, "main")


def _draw_question(fields: Fields, one: Json, *, may: bool) -> None:
    measured = one["prefill"]
    hint = _measured(measured) if measured else ""
    if not may:
        Text("p", one["text"])
    else:
        unanswered = f"As measured: {one['options'][measured['option']]}" if measured else "Not answered"
        options = {UNANSWERED: unanswered} | {str(number): words for number, words in enumerate(one["options"])}
        fields.choice(one["question_id"], one["text"], options)
    if hint:
        Text("p", hint, "muted")


def _measured(one: Json) -> str:
    value = wording.share(one["value"]) if one["unit"] == "share" else f"{one['value']:g} {one['unit']}"
    return f"Measured: {value} ({one['meaning']})"
