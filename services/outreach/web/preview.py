"""The respondents' page of a survey that nobody is asked by yet, as one document without anything beside it; and the
same as plain text, as it is read out."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from services.outreach.domain.answering import further_questions
from services.outreach.domain.asks import kind_of
from services.outreach.domain.eligibility import quarantine_of
from services.outreach.domain.logos import Logo
from services.outreach.domain.page_words import page_words
from services.outreach.domain.surveys import Category, QuestionTexts, Survey, booking_url
from services.outreach.domain.voice import FormShown, Voice
from services.outreach.web.assets import STYLE
from services.outreach.web.branding import brand_css
from services.outreach.web.languages import name_of
from services.outreach.web.rendering import rendered

HEADERS: Final = {
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
"""Of the answer, should somebody open it by itself: no script, no form, no link works in it."""
USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A made-up person, so that placeholders can be seen in their places."""

    name: str = "Alex Morgan"
    account_name: str = "Example Ltd"
    sender_name: str = "Robin Hale"


def preview(survey: Survey, language: str | None, category: Category | None, logo: Logo | None, now: datetime) -> str:
    """The question in a language, or what follows a score of a category: the reason, further questions, the thanks. As
    HTML that holds its style and its logo; the days are those of a user who answers at `now`."""
    shown = survey.language_for([language])
    voice, words = Voice(survey, Somebody(), shown), page_words(shown)
    return rendered(
        "preview.html",
        voice=voice,
        words=words,
        form=FormShown(voice, words),
        survey=survey,
        legal=survey.legal,
        languages=sorted(survey.texts),
        name_of=name_of,
        test=False,
        further=further_questions(survey, {}),
        best=survey.categories[0],
        category=category or "",
        step="score",
        stop_token="",
        stylesheet=Markup(STYLE.decode()),  # noqa: S704 - a file of ours
        **look_of(survey, logo),
        **_after(survey, shown, category or "", now),
    )


def look_of(survey: Survey, logo: Logo | None) -> dict[str, Any]:
    """`brand` and `logo` within the document itself."""
    brand, picture = Markup(""), ""
    if survey.colour is not None:
        brand = Markup(brand_css(survey.colour))  # noqa: S704 - made of digits
    if logo is not None:
        picture = f"data:{logo.kind};base64,{base64.b64encode(logo.content).decode()}"
    return {"brand": brand, "logo": picture}


def preview_text(survey: Survey, language: str | None, category: Category | None, now: datetime) -> str:
    """What the page says as plain text, line by line, without its looks."""
    shown = survey.language_for([language])
    voice, words = Voice(survey, Somebody(), shown), page_words(shown)
    lines = [voice.us, ""]
    if category is None:
        lines += _of_scale(voice.score, survey.scale)
        lines += [f"[{voice.next}]"]
    else:
        lines += [voice.reason(category), ""]
        for question in further_questions(survey, {}):
            wording = voice.question(question.question_id)
            lines += _of_scale(wording, question.scale)
            for option in question.options:
                lines.insert(len(lines) - 1, f"- {wording.options.get(option) or option}")
        lines += filter(None, [voice.call])
        if category == survey.categories[0]:
            lines += filter(None, [voice.consent, voice.referral])
        lines += [f"[{voice.finish}]", "", voice.thanks(category)]
        after = _after(survey, shown, category, now)
        if after["booking_url"]:
            lines.append(f"{words.say('book_call')}: {after['booking_url']}")
        lines.append(words.say("asked_again", date=after["asked_again"]))
        if survey.public_review_url:
            lines.append(f"{words.say('public_review')}: {survey.public_review_url}")
    legal = survey.legal
    lines += ["", voice.who_reads, f"{legal.legal_name}, {legal.postal_address}".strip(", ")]
    for name, url in (("imprint", legal.imprint_url), ("privacy", legal.privacy_url)):
        lines.append(f"{words.say(name)}: {url}")
    return "\n".join(lines) + "\n"


def _of_scale(wording: QuestionTexts, scale: tuple[int, int] | None) -> list[str]:
    """A question and the ends of its scale, ended by an empty line."""
    lines = [wording.text]
    if scale is not None:
        lines += [f"{scale[0]} = {wording.low}", f"{scale[1]} = {wording.high}"]
    return [*lines, ""]


def _after(survey: Survey, language: str, category: str, now: datetime) -> dict[str, str]:
    """What the last page says below the thanks."""
    again = now + quarantine_of(kind_of(survey.nps_kind), USER)
    return {
        "booking_url": booking_url(survey, category, None),
        "asked_again": page_words(language).day(again.date()),
        "until": "",
    }
