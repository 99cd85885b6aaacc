"""`/r/{token}`: the page of a business review. It shows the copy and ends with the question, whose form goes to the
page of the survey. A GET writes nothing; a small script says once that somebody has moved, scrolled or typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.responses import Response

from services.outreach.domain.page_words import page_words
from services.outreach.domain.surveys import Question, Survey
from services.outreach.domain.tokens import Purpose
from services.outreach.domain.voice import FormShown, Voice
from services.outreach.handlers.answers import opening, standing_of
from services.outreach.handlers.opened_reviews import note_opened
from services.outreach.store import answers, reviews
from services.outreach.store.answers import OpenAsk
from services.outreach.store.reviews import Row, content_of
from services.outreach.web import edge, plain
from services.outreach.web.branding import addresses_of
from services.outreach.web.edge import Visit, value_of
from services.outreach.web.headers import POLICY
from services.outreach.web.languages import name_of
from services.outreach.web.rendering import page, rendered
from services.outreach.web.review_assets import SCRIPT_NAME, STYLE_NAME
from services.outreach.web.review_copy import copy_shown
from shared.db.transaction import ReadTx

OPENED: Final = "opened"
"""The field that the script posts."""
HEADERS: Final = {"content-security-policy": f"{POLICY}; connect-src 'self'"}


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
    voice, words = Voice(survey, ask, language), page_words(language)
    answered_on = ""
    if ask.answered_at is not None:
        answered_on = words.day(ask.answered_at.astimezone(visit.pages.zone).date())
    return rendered(
        "review.html",
        voice=voice,
        words=words,
        form=FormShown(voice, words),
        survey=survey,
        legal=survey.legal,
        languages=sorted(survey.texts),
        name_of=name_of,
        test=ask.test,
        stop_token=_stop_token(visit, ask),
        **addresses_of(survey, visit.pages.tokens),
        survey_page=f"../s/{visit.pages.tokens.made(Purpose.ASK, ask.ask_id.bytes)}",
        review_style=f"../r/{STYLE_NAME}",
        review_script=f"../r/{SCRIPT_NAME}",
        intro=shown.row["intro"],
        **copy_shown(content_of(shown.row, shown.excerpts), words, visit.pages.zone),
        ratings=shown.ratings,
        changeable=shown.changeable,
        answered_on=answered_on,
    )


def _stop_token(visit: Visit, ask: OpenAsk) -> str:
    if ask.address_hash is None:
        return ""
    return visit.pages.tokens.made(Purpose.UNSUBSCRIBE, ask.address_hash, ask.address_key_id)
