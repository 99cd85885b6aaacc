"""From what somebody chose on the page to the bodies of the collector's `POST` and `PATCH /v1/responses`.

The score goes at once; whatever follows is an amendment with the whole state. The reason, in any of its wordings, is
the comment; several choices of one question are one answer each.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.outreach.domain.surveys import Question, Survey

Value = int | str | tuple[str, ...]
"""Of a further question: a number on its scale, a text, an option's slug, or several of them."""
Step = Literal["score", "reason", "details", "thanks"]


@dataclass(frozen=True, slots=True)
class Answers:
    """All that one person has answered so far. `reason_question`: the category whose wording of the reason was shown.
    `follow_up_requested`, `quote_allowed` and `referral_offered` are None until the person has said so or not.
    `finished`: the last step or "that is all" was sent."""

    score: int
    language: str
    comment: str | None = None
    reason_question: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    follow_up_requested: bool | None = None
    quote_allowed: bool | None = None
    referral_offered: bool | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, by which survey, for what. `touchpoint` and `product` of the occasion win over the survey's.
    `channel` is one of the collector's: email, link or review."""

    response_id: str
    invitation_id: str
    account_id: str
    stakeholder_id: str
    survey_id: str
    survey_version: int
    channel: str
    email: str | None = None
    touchpoint: str | None = None
    product: str | None = None
    programme_id: str | None = None
    wave: str | None = None
    test: bool = False


def further_questions(survey: Survey, knowledge: Mapping[str, int]) -> tuple[Question, ...]:
    """The questions to show after the reason: the ratings of which the least is known at this account, as many as the
    survey asks of one person, and all others; in the survey's order. `knowledge`: attribute -> ratings so far."""
    ratings = [question for question in survey.questions if question.type == "rating"]
    ratings.sort(key=lambda question: knowledge.get(question.attribute or question.question_id, 0))
    chosen = ratings[: survey.ratings_asked]
    return tuple(question for question in survey.questions if question.type != "rating" or question in chosen)


def step_after(step: Step, answers: Answers) -> Step:
    """What to show once a step was sent. The reason may have been sent together with the score."""
    if answers.finished or step in ("details", "thanks"):
        return "thanks"
    if step == "score" and answers.comment is None:
        return "reason"
    return "details"


def open_questions(survey: Survey, answers: Answers, shown: tuple[Question, ...]) -> tuple[str, ...]:
    """What is not answered yet, for somebody who comes back: `reason`, ids of the `shown` further questions, `call`."""
    missing = []
    if answers.comment is None:
        missing.append("reason")
    for question in shown:
        if question.question_id not in answers.values:
            missing.append(question.question_id)
    if answers.follow_up_requested is None:
        missing.append("call")
    return tuple(missing)


def response_body(asked: Asked, survey: Survey, answers: Answers, answered_at: datetime) -> dict[str, Any]:
    """The body of `POST /v1/responses`; to be frozen, since a second one with another score would be a conflict.
    `answered_at` is the moment of the page's POST, with an offset."""
    body: dict[str, Any] = {
        "response_id": asked.response_id,
        "invitation_id": asked.invitation_id,
        "account_id": asked.account_id,
        "stakeholder_id": asked.stakeholder_id,
        "email": asked.email,
        "survey_type": survey.metric,
        "nps_kind": survey.nps_kind,
        "touchpoint": asked.touchpoint or survey.touchpoint,
        "product": asked.product or survey.product,
        "channel": asked.channel,
        "survey_id": asked.survey_id,
        "answered_at": answered_at.isoformat(),
        "test": asked.test,
        **_state(asked, survey, answers),
    }
    return {name: value for name, value in body.items() if value is not None}


def amendment_body(asked: Asked, survey: Survey, answers: Answers) -> dict[str, Any]:
    """The body of `PATCH /v1/responses/{response_id}`: the whole state, so that only the newest need arrive."""
    return {
        "account_id": asked.account_id,
        "stakeholder_id": asked.stakeholder_id,
        "survey_type": survey.metric,
        **_state(asked, survey, answers),
    }


def answers_document(answers: Answers) -> dict[str, Any]:
    """The answers as JSON, for a table."""
    return asdict(answers)


def answers_from(document: Mapping[str, Any]) -> Answers:
    """The inverse of `answers_document`."""
    values: dict[str, Value] = {}
    for question_id, value in document["values"].items():
        values[question_id] = value
        if isinstance(value, list):
            values[question_id] = tuple(value)
    return Answers(**{**document, "values": values})


def _state(asked: Asked, survey: Survey, answers: Answers) -> dict[str, Any]:
    """What a person may change: score, comment, further answers and what goes with them."""
    return {
        "score": answers.score,
        "comment": answers.comment,
        "answers": _further_answers(survey, answers),
        "attributes": _attributes(asked, answers),
        "language": answers.language,
        "follow_up_requested": bool(answers.follow_up_requested),
    }


def _further_answers(survey: Survey, answers: Answers) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for question in survey.questions:
        value = answers.values.get(question.question_id)
        if value is None:
            continue
        entry: dict[str, Any] = {"question_id": question.question_id, "type": question.type}
        if question.attribute is not None:
            entry["attribute"] = question.attribute
        if isinstance(value, tuple):
            for option in value:
                found.append(entry | {"question_id": f"{question.question_id}.{option}", "value": option})
        else:
            found.append(entry | {"value": value})
    return found


def _attributes(asked: Asked, answers: Answers) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "survey_version": asked.survey_version,
        "programme_id": asked.programme_id,
        "wave": asked.wave,
        "reason_question": answers.reason_question,
        "quote_allowed": answers.quote_allowed,
        "referral_offered": answers.referral_offered,
    }
    return {name: value for name, value in attributes.items() if value is not None}
