"""`/r/{token}`: the page of a business review. It shows the copy and ends with the question, whose form goes to the
page of the survey. A GET writes nothing; a small script says once that somebody has moved, scrolled or typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from services.outreach.domain.page_words import PageWords, page_words
from services.outreach.domain.reviews import trend_of
from services.outreach.domain.surveys import Question, Survey
from services.outreach.domain.tokens import Purpose
from services.outreach.domain.voice import Draft, Voice
from services.outreach.handlers.answers import opening, standing_of
from services.outreach.handlers.opened_reviews import note_opened
from services.outreach.store import answers, reviews
from services.outreach.store.answers import OpenAsk
from services.outreach.store.reviews import Row, content_of
from services.outreach.web import edge, plain
from services.outreach.web.edge import Visit, value_of
from services.outreach.web.headers import POLICY
from services.outreach.web.languages import name_of
from services.outreach.web.rendering import page, rendered
from services.outreach.web.review_assets import SCRIPT_NAME, STYLE_NAME
from shared.db.transaction import ReadTx

OPENED: Final = "opened"
"""The field that the script posts."""
HEADERS: Final = {"content-security-policy": f"{POLICY}; connect-src 'self'"}
TURNED: Final = ("became_promoters", "became_detractors")


@dataclass(frozen=True, slots=True)
class Shown:
    """A review as one person sees it. `ratings`: asked beside the score; None where no answer is taken any more, or one
    was given."""

    row: Row
    excerpts: Sequence[Row]
    ask: OpenAsk
    survey: Survey
    ratings: tuple[Question, ...] | None
    changeable: bool


async def show(visit: Visit) -> Response:
    """The copy until the review closes, and the question until it is answered."""
    ask_id = UUID(bytes=visit.opened.subject)
    async with visit.pages.database.read() as tx:
        row = await reviews.page_of(tx, ask_id)
        ask = await answers.find_ask(tx, ask_id)
        if row is None or ask is None:
            return plain.ended(visit.request, "closed")
        if row["withdrawn_at"] is not None or ask.withdrawn_at is not None:
            return plain.ended(visit.request, "withdrawn")
        if row["closes_at"] <= visit.pages.clock.now():
            return plain.ended(visit.request, "expired")
        shown = await _shown(tx, visit, row, ask)
    return page(_html(visit, shown), headers=HEADERS)


async def take(visit: Visit) -> Response:
    """What the script says; whatever else is posted changes nothing."""
    if not value_of(visit.fields, OPENED):
        return await show(visit)
    ask_id, now = UUID(bytes=visit.opened.subject), visit.pages.clock.now()
    if await visit.pages.database.retrying(lambda tx: note_opened(tx, ask_id, now)):
        visit.pages.wake()
    return Response(status_code=204, headers={"cache-control": "no-store"})


ROUTE: Final = edge.page("/r/{token}", Purpose.REVIEW, show, take)


async def _shown(tx: ReadTx, visit: Visit, row: Row, ask: OpenAsk) -> Shown:
    excerpts = await reviews.excerpts_of(tx, row["review_id"])
    survey = await visit.pages.versions.get(tx, ask.survey_id, ask.survey_version)
    now = visit.pages.clock.now()
    if standing_of(ask, now) != "open":
        return Shown(row, excerpts, ask, survey, None, changeable=False)
    if ask.answered_at is not None:
        return Shown(row, excerpts, ask, survey, None, changeable=True)
    found = await opening(tx, visit.pages.versions, ask.ask_id, now)
    ratings = tuple(question for question in found.further if question.type == "rating")
    return Shown(row, excerpts, ask, survey, ratings, changeable=True)


def _html(visit: Visit, shown: Shown) -> str:
    survey, ask = shown.survey, shown.ask
    language = survey.language_for([visit.asked("lang") or None, ask.language, ask.person_language])
    words = page_words(language)
    copy = content_of(shown.row, shown.excerpts)
    answered_on = ""
    if ask.answered_at is not None:
        answered_on = _moment(visit, words, ask.answered_at)
    return rendered(
        "review.html",
        voice=Voice(survey, ask, language),
        words=words,
        survey=survey,
        legal=survey.legal,
        languages=sorted(survey.texts),
        name_of=name_of,
        draft=Draft(),
        problems={},
        test=ask.test,
        stop_token=_stop_token(visit, ask),
        survey_page=f"../s/{visit.pages.tokens.made(Purpose.ASK, ask.ask_id.bytes)}",
        review_style=f"../r/{STYLE_NAME}",
        review_script=f"../r/{SCRIPT_NAME}",
        account_name=copy["account_name"],
        intro=shown.row["intro"],
        period=_period(visit, words, copy),
        scores=[_score(words, score) for score in copy["scores"]],
        trend=_trend(words, copy["scores"][0]),
        counts=_counts(words, _categories(copy["scores"][0])),
        turned=_counts(words, {name: copy[name] for name in TURNED}),
        said=[_said(words, comment) for comment in copy["said"]],
        done=[_deed(words, deed) for deed in copy["done"]],
        open_points=copy["open_points"],
        ratings=shown.ratings,
        changeable=shown.changeable,
        answered_on=answered_on,
    )


def _period(visit: Visit, words: PageWords, copy: dict[str, Any]) -> str:
    ends = {}
    for end in ("from", "to"):
        ends[end] = _moment(visit, words, datetime.fromisoformat(copy[end]))
    return words.say("review_period", **ends)


def _trend(words: PageWords, everybody: dict[str, Any]) -> str:
    """How the score of everybody went, in words."""
    values = {}
    for name in ("then", "now"):
        values[name] = _number(everybody[f"nps_{name}"])
    if everybody["nps_then"] is not None and everybody["nps_now"] is not None:
        values["points"] = str(abs(everybody["nps_now"] - everybody["nps_then"]))
    return words.say(f"review_{trend_of(everybody)}", **values)


def _score(words: PageWords, score: dict[str, Any]) -> dict[str, str]:
    """A line of the table of scores."""
    return {
        "who": words.say(f"review_{score['stakeholder_type'] or 'everybody'}"),
        "then": _number(score["nps_then"]),
        "now": _number(score["nps_now"]),
        "people": str(score["people_now"]),
    }


def _categories(everybody: dict[str, Any]) -> dict[str, int | None]:
    """How many people are of each category now."""
    return {
        "promoters": everybody["promoter_count"],
        "passives": everybody["passive_count"],
        "detractors": everybody["detractor_count"],
    }


def _counts(words: PageWords, counts: Mapping[str, int | None]) -> list[str]:
    """Counts in words, without those of few people."""
    said = []
    for name, count in counts.items():
        if count is not None:
            said.append(words.say(f"review_{name}", count=str(count)))
    return said


def _said(words: PageWords, comment: dict[str, Any]) -> dict[str, str]:
    return {"comment": comment["comment"], "on": words.day(date.fromisoformat(comment["on"]))}


def _deed(words: PageWords, deed: dict[str, Any]) -> dict[str, str]:
    """What was done and promised, with their days in words; empty where there is none."""
    shown = {"what": deed["what_was_done"] or "", "on": "", "promised": deed["promised"] or "", "by": ""}
    if deed["closed_on"] is not None:
        shown["on"] = words.say("review_done_on", date=words.day(date.fromisoformat(deed["closed_on"])))
    if deed["promised_by"] is not None:
        shown["by"] = words.say("review_promised", date=words.day(date.fromisoformat(deed["promised_by"])))
    return shown


def _moment(visit: Visit, words: PageWords, moment: datetime) -> str:
    """The day of a moment by the supplier's clocks."""
    return words.day(moment.astimezone(visit.pages.zone).date())


def _number(figure: int | None) -> str:
    """A score with a real minus; a dash where there is none."""
    if figure is None:
        return "–"
    return str(figure).replace("-", "−")


def _stop_token(visit: Visit, ask: OpenAsk) -> str:
    if ask.address_hash is None:
        return ""
    return visit.pages.tokens.made(Purpose.UNSUBSCRIBE, ask.address_hash)
