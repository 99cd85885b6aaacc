"""What a survey says on the page, in one language, to one person; and what somebody has sent that is shown again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from markupsafe import Markup

from services.outreach.domain.forms import Fields
from services.outreach.domain.languages import direction
from services.outreach.domain.page_words import PageWords, page_words
from services.outreach.domain.placeholders import SCORE, filled
from services.outreach.domain.surveys import QuestionTexts, Survey, Texts


class Addressee(Protocol):
    """To whom the page speaks, as far as placeholders say it."""

    @property
    def name(self) -> str | None:
        """Of the person."""

    @property
    def account_name(self) -> str | None:
        """Of the account."""

    @property
    def sender_name(self) -> str | None:
        """Of who asks."""


class Voice:
    """The texts of a survey with their values. A text that is missing in this language is that of the survey's own."""

    def __init__(self, survey: Survey, ask: Addressee, language: str) -> None:
        self.language = language
        self.direction = direction(language)
        self._texts = survey.texts.get(language, Texts())
        self._own = survey.texts.get(survey.default_language, self._texts)
        self._values = {
            "us": survey.us or survey.legal.legal_name,
            "name": ask.name,
            "account": ask.account_name,
            "sender": ask.sender_name,
            "product": survey.product,
        }

    @cached_property
    def fixed(self) -> Markup:
        """The attributes of what holds the page's own words, where these are in another language."""
        words = page_words(self.language)
        if words.language == self.language.partition("-")[0]:
            return Markup("")
        return Markup(' lang="{}" dir="{}"').format(words.language, words.direction)

    @property
    def us(self) -> str:
        """Who asks."""
        return self._values["us"] or ""

    @property
    def title(self) -> str:
        """The scored question, as the title of the page."""
        return self.score.text

    @cached_property
    def score(self) -> QuestionTexts:
        """The scored question."""
        return self._spoken(self._texts.score, self._own.score)

    def question(self, question_id: str) -> QuestionTexts:
        """A further question."""
        nothing = QuestionTexts()
        own = self._own.questions.get(question_id, nothing)
        return self._spoken(self._texts.questions.get(question_id, own), own)

    def reason(self, category: str) -> str:
        """The question for the reason."""
        return self._say(self._texts.reasons.get(category), self._own.reasons.get(category))

    def thanks(self, category: str) -> str:
        """What the last page says."""
        return self._say(self._texts.thanks.get(category), self._own.thanks.get(category))

    def send(self, score: int) -> str:
        """The button that sends a score which was chosen in the mail."""
        text = self._texts.buttons.get("send") or self._own.buttons.get("send") or f"{{{SCORE}}}"
        return filled(text, {**self._values, SCORE: str(score)}, self._texts.fallbacks)

    @property
    def next(self) -> str:
        """The button that goes on."""
        return self._say(self._texts.buttons.get("next"), self._own.buttons.get("next"))

    @property
    def finish(self) -> str:
        """The button that ends."""
        return self._say(self._texts.buttons.get("finish"), self._own.buttons.get("finish"))

    @property
    def call(self) -> str:
        """May a leader call? Empty where the survey does not ask."""
        return self._say(self._texts.call, self._own.call)

    @property
    def consent(self) -> str:
        """May praise be quoted? Empty where the survey does not ask."""
        return self._say(self._texts.consent, self._own.consent)

    @property
    def referral(self) -> str:
        """Would they introduce us to somebody? Empty where the survey does not ask."""
        return self._say(self._texts.referral, self._own.referral)

    @property
    def who_reads(self) -> str:
        """Who reads the answer."""
        return self._say(self._texts.who_reads, self._own.who_reads)

    @property
    def subject(self) -> str:
        """Of the invitation; the question where the survey has no words for mails."""
        return self._say(self._texts.mail.subject, self._own.mail.subject) or self.title

    def reminder_subject(self, number: int) -> str:
        """Of the reminder of a number, from 1."""
        for texts in (self._texts, self._own):
            subjects = texts.mail.reminder_subjects
            if subjects:
                return self._say(subjects[min(number, len(subjects)) - 1], None)
        return self.subject

    @property
    def preheader(self) -> str:
        """What lists of mails show beside the subject."""
        return self._say(self._texts.mail.preheader, self._own.mail.preheader)

    @property
    def intro(self) -> str:
        """Before the question; paragraphs are parted by an empty line."""
        return self._say(self._texts.mail.intro, self._own.mail.intro)

    @property
    def sign_off(self) -> str:
        """After it."""
        return self._say(self._texts.mail.sign_off, self._own.mail.sign_off)

    def _spoken(self, texts: QuestionTexts, own: QuestionTexts) -> QuestionTexts:
        options: dict[str, str] = {}
        for slug, label in own.options.items():
            options[slug] = self._say(texts.options.get(slug), label)
        return QuestionTexts(
            text=self._say(texts.text, own.text),
            low=self._say(texts.low, own.low),
            high=self._say(texts.high, own.high),
            options=options,
        )

    def _say(self, text: str | None, own: str | None) -> str:
        return filled(text or own or "", self._values, {**self._own.fallbacks, **self._texts.fallbacks})


class Draft:
    """What was sent and not stored, to be shown again in the form; never what was answered before."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name, []).append(value)

    def has(self, name: str, value: object) -> bool:
        """Whether this value of a field was chosen."""
        return str(value) in self._values.get(name, ())

    def text(self, name: str) -> str:
        """What was written in a field."""
        return self._values.get(name, [""])[-1]


@dataclass(frozen=True, slots=True)
class FormShown:
    """What the fields of a form are shown with: texts, words of the page, what was sent before, and field -> code of
    what is wrong with it."""

    voice: Voice
    words: PageWords
    draft: Draft = field(default_factory=Draft)
    problems: Mapping[str, str] = field(default_factory=dict)


def problems_of(errors: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Field -> code of what is wrong with it."""
    return {error["field"]: error["code"] for error in errors}


def draft_of(fields: Fields) -> Draft:
    """What a form held."""
    return Draft(fields)
