"""`/s/{token}`: the page on which one person answers. A GET shows and writes nothing, each POST is one step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from services.outreach.domain.answering import Step, open_questions, step_after
from services.outreach.domain.asks import kind_of
from services.outreach.domain.eligibility import quarantine_of
from services.outreach.domain.forms import SCORE, score_in
from services.outreach.domain.page_words import page_words
from services.outreach.domain.problems import Faulty
from services.outreach.domain.surveys import Question, booking_url, category_of
from services.outreach.domain.tokens import Purpose
from services.outreach.domain.voice import Draft, FormShown, Voice, problems_of
from services.outreach.handlers.answers import NotOpen, Opening, Taken, opening, take
from services.outreach.web import edge, plain
from services.outreach.web.branding import addresses_of
from services.outreach.web.edge import Visit, value_of
from services.outreach.web.languages import name_of
from services.outreach.web.rendering import onward, page, rendered
from shared.errors import TooMany

STEPS: Final[tuple[Step, ...]] = ("reason", "details", "thanks")
SHOW: Final = "show"
"""The field of the buttons that show the form in another language, with all that it holds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which step is shown, in which language, to somebody of which category, who has sent what."""

    step: str
    language: str
    category: str
    draft: Draft
    problems: dict[str, str]


async def show(visit: Visit) -> Response:
    """The page as the address asks for it; `?s=` chooses a score beforehand."""
    try:
        found = await _opening(visit)
    except NotOpen as refusal:
        return _ended(visit, refusal)
    shown = Shown(
        step=visit.asked("step"),
        language=_language(found, visit.asked("lang")),
        category=visit.asked("for"),
        draft=_chosen(found, visit.asked("s")),
        problems={},
    )
    return page(_html(visit, found, shown))


async def answer(visit: Visit) -> Response:
    """One step: stored, then shown on by GET. A language button stores nothing."""
    if value_of(visit.fields, SHOW):
        return await _form_again(visit, value_of(visit.fields, SHOW), {})
    now = visit.pages.clock.now()
    try:
        taken = await visit.pages.database.retrying(
            lambda tx: take(tx, visit.pages.versions, ask_id_of(visit), visit.fields, now)
        )
    except NotOpen as refusal:
        return _ended(visit, refusal)
    except Faulty as faulty:
        return await _form_again(visit, value_of(visit.fields, "lang"), problems_of(faulty.errors))
    except TooMany:
        return plain.too_many(visit.request)
    visit.pages.wake()
    return onward(_next_query(visit, taken))


def ask_id_of(visit: Visit) -> UUID:
    """The ask that the token is of."""
    return UUID(bytes=visit.opened.subject)


ROUTE: Final = edge.page("/s/{token}", Purpose.ASK, show, answer)


async def _opening(visit: Visit) -> Opening:
    async with visit.pages.database.read_once() as tx:
        return await opening(tx, visit.pages.versions, ask_id_of(visit), visit.pages.clock.now())


async def _form_again(visit: Visit, language: str, problems: dict[str, str]) -> Response:
    """The form with all that it held: in another language, or with what is wrong."""
    try:
        found = await _opening(visit)
    except NotOpen as refusal:
        return _ended(visit, refusal)
    shown = Shown(
        step=value_of(visit.fields, "step"),
        language=_language(found, language),
        category=value_of(visit.fields, "reason"),
        draft=Draft(visit.fields),
        problems=problems,
    )
    status = 200
    if problems:
        status = 422
    return page(_html(visit, found, shown), status)


def _ended(visit: Visit, refusal: NotOpen) -> Response:
    if refusal.standing == "open":
        raise AssertionError("an open link is not refused")
    return plain.ended(visit.request, refusal.standing)


def _next_query(visit: Visit, taken: Taken) -> str:
    """The address of the next step. The category travels along, so that a later visit does not show it."""
    sent: Step = "score"
    for step in STEPS:
        if value_of(visit.fields, "step") == step:
            sent = step
    category = category_of(taken.survey.metric, taken.answers.score)
    query = {"step": step_after(sent, taken.answers), "for": category, "lang": taken.answers.language}
    return urlencode(query)


def _language(found: Opening, wanted: str) -> str:
    return found.survey.language_for([wanted or None, found.ask.language, found.ask.person_language])


def _chosen(found: Opening, text: str) -> Draft:
    """The score that was chosen in the mail; nothing for what is no score."""
    score = score_in(found.survey.metric, text)
    if score is None:
        return Draft()
    return Draft([(SCORE, str(score))])


def _html(visit: Visit, found: Opening, shown: Shown) -> str:
    """The page of the step; without a step, the question, or what is still open of an answer."""
    survey = found.survey
    voice, words = Voice(survey, found.ask, shown.language), page_words(shown.language)
    context: dict[str, Any] = {
        "voice": voice,
        "words": words,
        "form": FormShown(voice, words, shown.draft, shown.problems),
        "survey": survey,
        "legal": survey.legal,
        "languages": sorted(survey.texts),
        "name_of": name_of,
        "test": found.ask.test,
        "further": _unanswered(found),
        "best": survey.categories[0],
        "category": "",
        "step": "score",
        "stop_token": _stop_token(visit, found),
        **addresses_of(survey, visit.pages.tokens),
    }
    if shown.category in survey.categories:
        context["category"] = shown.category
    if found.answers is None:
        return _first(context, found, shown)
    context["until"] = _day(visit, context, found.changeable_until)
    if context["category"] and shown.step in STEPS:
        context |= {"step": shown.step, "booking_url": booking_url(survey, context["category"], found.ask.booking_url)}
        context["asked_again"] = _day(visit, context, _asked_again_at(found))
        return rendered(f"{shown.step}.html", **context)
    return _again(visit, context, found)


def _unanswered(found: Opening) -> list[Question]:
    """The further questions to show: nothing is asked twice, such as what was rated on the page of a review."""
    if found.answers is None:
        return list(found.further)
    return [question for question in found.further if question.question_id not in found.answers.values]


def _first(context: dict[str, Any], found: Opening, shown: Shown) -> str:
    """The scored question; where a score was chosen in the mail, the question for its reason as well."""
    score = score_in(found.survey.metric, shown.draft.text(SCORE))
    opened = ""
    if score is not None:
        opened = category_of(found.survey.metric, score)
        context["send"] = context["voice"].send(score)
    return rendered("score.html", **context | {"category": "", "opened": opened})


def _again(visit: Visit, context: dict[str, Any], found: Opening) -> str:
    """For somebody who comes back: that they answered, and what is still open; never what they answered."""
    if found.answers is None or found.ask.answered_at is None:
        raise AssertionError("only an answer can be come back to")
    missing = open_questions(found.survey, found.answers, found.further)
    open_further, answered_further = [], []
    for question in found.further:
        if question.question_id in missing:
            open_further.append(question)
        else:
            answered_further.append(question)
    return rendered(
        "again.html",
        **context
        | {
            "category": "",
            "step": "details",
            "answered_on": _day(visit, context, found.ask.answered_at),
            "finished": found.answers.finished,
            "open": missing,
            "something_open": bool(missing),
            "open_further": open_further,
            "answered_further": answered_further,
        },
    )


def _asked_again_at(found: Opening) -> datetime | None:
    """Until when this survey leaves the person alone; None where nobody promises it: reviews know no quarantine."""
    ask = found.ask
    if ask.answered_at is None or ask.origin not in ("link", "programme"):
        return None
    return ask.answered_at + quarantine_of(kind_of(found.survey.nps_kind), ask.person_type)


def _day(visit: Visit, context: dict[str, Any], moment: datetime | None) -> str:
    """A day by the supplier's clocks."""
    if moment is None:
        return ""
    day: str = context["words"].day(moment.astimezone(visit.pages.zone).date())
    return day


def _stop_token(visit: Visit, found: Opening) -> str:
    if found.ask.address_hash is None:
        return ""
    return visit.pages.tokens.made(Purpose.UNSUBSCRIBE, found.ask.address_hash, found.ask.address_key_id)
