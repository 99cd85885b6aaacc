"""The page of a business review before it is made: exactly what each recipient will see, as one document."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from markupsafe import Markup

from services.outreach.domain.answering import further_questions
from services.outreach.domain.logos import Logo
from services.outreach.domain.page_words import page_words
from services.outreach.domain.surveys import Survey
from services.outreach.domain.voice import FormShown, Voice
from services.outreach.web.assets import STYLE
from services.outreach.web.languages import name_of
from services.outreach.web.preview import Somebody, look_of
from services.outreach.web.rendering import rendered
from services.outreach.web.review_assets import STYLE as REVIEW_STYLE
from services.outreach.web.review_copy import copy_shown


def review_preview(
    survey: Survey, copy: Mapping[str, Any], intro: str | None, logo: Logo | None, language: str | None, zone: tzinfo
) -> str:
    """HTML that holds its style and its logo; no script, no form and no link in it works."""
    shown = survey.language_for([language])
    voice = Voice(survey, Somebody(account_name=copy["account_name"] or ""), shown)
    words = page_words(shown)
    ratings = [question for question in further_questions(survey, {}) if question.type == "rating"]
    return rendered(
        "review_preview.html",
        voice=voice,
        words=words,
        form=FormShown(voice, words),
        survey=survey,
        legal=survey.legal,
        languages=[shown],
        name_of=name_of,
        test=False,
        stop_token="",
        survey_page="",
        stylesheet=Markup((STYLE + REVIEW_STYLE).decode()),  # noqa: S704 - files of ours
        intro=intro,
        ratings=ratings,
        changeable=True,
        answered_on="",
        **look_of(survey, logo),
        **copy_shown(copy, words, zone),
    )
