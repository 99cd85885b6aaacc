"""Which wordings differ between two versions of a survey."""

from dataclasses import replace
from typing import Any

from hypothesis import given

from services.outreach.domain.documents import survey_from
from services.outreach.domain.surveys import Question, QuestionTexts, Survey, Texts
from services.outreach.domain.wordings import ChangedWording, changed_wordings
from tests.support.surveys import survey_documents

TEXTS = Texts(
    score=QuestionTexts("How likely?", "Never", "Surely"),
    reasons={"promoter": "What do you value?"},
    questions={"rivals": QuestionTexts("Beside others?", options={"better": "Better", "worse": "Worse"})},
    thanks={"promoter": "Thank you."},
)
SURVEY = Survey(
    "Survey", "nps", "relationship", questions=(Question("rivals", "choice"),), texts={"en": TEXTS, "de": TEXTS}
)


def changed(**texts: Any) -> list[ChangedWording]:
    return changed_wordings(SURVEY, replace(SURVEY, texts={"en": replace(TEXTS, **texts), "de": TEXTS}))


def test_every_text_of_a_question_counts_in_its_language() -> None:
    assert changed(score=QuestionTexts("How likely now?", "Never", "Certainly")) == [
        ChangedWording("en", "score.text", "How likely?", "How likely now?"),
        ChangedWording("en", "score.high", "Surely", "Certainly"),
    ]
    assert changed(reasons={"promoter": "Why?"}) == [
        ChangedWording("en", "reasons.promoter", "What do you value?", "Why?")
    ]
    rivals = QuestionTexts("Beside others?", options={"better": "Ahead", "worse": "Worse"})
    assert changed(questions={"rivals": rivals}) == [
        ChangedWording("en", "questions.rivals.options.better", "Better", "Ahead")
    ]


def test_thanks_and_mails_are_no_questions() -> None:
    assert changed(thanks={"promoter": "Thanks a lot."}, who_reads="Clara reads it.") == []


def test_what_is_new_or_gone_changes_no_wording() -> None:
    assert changed(questions={"fresh": QuestionTexts("Anything else?")}) == []
    assert changed_wordings(SURVEY, replace(SURVEY, texts={"en": TEXTS, "fr": Texts()})) == []


@given(document=survey_documents())
def test_a_version_differs_in_nothing_from_itself(document: dict[str, Any]) -> None:
    survey = survey_from(document)
    assert changed_wordings(survey, survey) == []
