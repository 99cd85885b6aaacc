"""The respondents' page of a survey that nobody is asked by yet, as one document without anything beside it."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from services.outreach.domain.answering import further_questions
from services.outreach.domain.page_words import page_words
from services.outreach.domain.surveys import Category, Survey
from services.outreach.domain.voice import Draft, Voice
from services.outreach.web.assets import STYLE
from services.outreach.web.languages import name_of
from services.outreach.web.rendering import rendered

HEADERS: Final = {
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
"""Of the answer, should somebody open it by itself: no script, no form, no link works in it."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A made-up person, so that placeholders can be seen in their places."""

    name: str = "Alex Morgan"
    account_name: str = "Example Ltd"
    sender_name: str = "Robin Hale"


def preview(survey: Survey, language: str | None, category: Category | None) -> str:
    """The question in a language, or what follows a score of a category: the reason, further questions, the thanks. As
    HTML that holds its style."""
    shown = survey.language_for([language])
    return rendered(
        "preview.html",
        voice=Voice(survey, Somebody(), shown),
        words=page_words(shown),
        survey=survey,
        legal=survey.legal,
        languages=sorted(survey.texts),
        name_of=name_of,
        draft=Draft(),
        problems={},
        test=False,
        further=further_questions(survey, {}),
        best=survey.categories[0],
        category=category or "",
        step="score",
        stop_token="",
        stylesheet=Markup(STYLE.decode()),  # noqa: S704 - a file of ours
    )
