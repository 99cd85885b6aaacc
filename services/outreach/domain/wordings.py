"""What respondents read of a survey, text by text, and which texts differ between two versions."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.outreach.domain.surveys import QuestionTexts, Survey, Texts


@dataclass(frozen=True, slots=True)
class ChangedWording:
    """A text of a question that differs from the version before. `field`: where within its language, dots between
    levels."""

    language: str
    field: str
    before: str
    after: str


def changed_wordings(before: Survey, after: Survey) -> list[ChangedWording]:
    """The texts of questions that both versions have in a language and that differ: answers given before and after are
    not to the same question. A question or a language that is new or gone changes no wording."""
    changed: list[ChangedWording] = []
    for language, texts in after.texts.items():
        if language not in before.texts:
            continue
        earlier = dict(_wordings(before.texts[language]))
        for field, text in _wordings(texts):
            if field in earlier and earlier[field] != text:
                changed.append(ChangedWording(language, field, earlier[field], text))
    return changed


def _wordings(texts: Texts) -> Iterator[tuple[str, str]]:
    """Place and text of every question, with the labels that belong to it."""
    yield from _question("score", texts.score)
    for category, text in texts.reasons.items():
        yield f"reasons.{category}", text
    for question_id, wording in texts.questions.items():
        yield from _question(f"questions.{question_id}", wording)


def _question(field: str, wording: QuestionTexts) -> Iterator[tuple[str, str]]:
    yield f"{field}.text", wording.text
    yield f"{field}.low", wording.low
    yield f"{field}.high", wording.high
    for option, label in wording.options.items():
        yield f"{field}.options.{option}", label
