"""A survey response as a client sends it, its amendment, and the rules of scales and further answers."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.collector.handlers.inputs.fields import (
    Attributes,
    Comment,
    Email,
    Id,
    Input,
    Label,
    Language,
    Moment,
    StakeholderId,
    StrictBool,
    StrictInt,
    long_text,
)
from shared.events.responses import SCALES, AnswerType, Channel, NpsKind, SurveyType
from shared.ids import stakeholder_of

MAX_ANSWERS = 100
_RATING = (0, 10)


def _exact(value: Any) -> int | str:
    if isinstance(value, str):
        return long_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("invalid_type", "must be an integer or text")


class NewAnswer(Input):
    """One further answer of a submission."""

    question_id: Id
    type: AnswerType
    attribute: Label | None = None
    value: Annotated[int | str, BeforeValidator(_exact)]

    @field_validator("type")
    @classmethod
    def _not_nps(cls, value: str) -> str:
        if value == "nps":
            raise PydanticCustomError("use_score", "an NPS answer is the response's own score")
        return value

    @field_validator("value")
    @classmethod
    def _fits_type(cls, value: int | str, info: ValidationInfo) -> int | str:
        kind = info.data.get("type")
        if kind in ("choice", "text"):
            if not isinstance(value, str):
                raise PydanticCustomError("invalid_type", "must be text")
        elif kind is not None:
            low, high = SCALES.get(kind, _RATING)
            if not isinstance(value, int):
                raise PydanticCustomError("invalid_type", "must be an integer")
            if not low <= value <= high:
                raise PydanticCustomError("out_of_range", "must be from {low} to {high}", {"low": low, "high": high})
        return value


def on_scale(score: int, info: ValidationInfo) -> int:
    """A field validator for `score`, declared after `survey_type`: the score is on the scale of the survey type, if
    that is valid."""
    scale = SCALES.get(info.data.get("survey_type") or "")
    if scale is not None and not scale[0] <= score <= scale[1]:
        low, high = scale
        raise PydanticCustomError("out_of_range", "must be from {low} to {high}", {"low": low, "high": high})
    return score


def other_metrics(answers: list[NewAnswer] | None, info: ValidationInfo) -> list[NewAnswer] | None:
    """A field validator for `answers`, declared after `survey_type`: no answer is a second score, and none is given
    twice."""
    own = info.data.get("survey_type")
    if any(answer.type == own for answer in answers or ()):
        raise PydanticCustomError("use_score", "an answer of the response's own survey_type is its score")
    if answers and len({answer.question_id for answer in answers}) != len(answers):
        raise PydanticCustomError("duplicate_question", "each question_id may appear once")
    return answers


Answers = Annotated[list[NewAnswer], Field(max_length=MAX_ANSWERS)]


EXAMPLE: dict[str, Any] = {
    "account_id": "acme",
    "email": "ann.lee@acme.example",
    "survey_type": "nps",
    "score": 9,
    "comment": "Always on time.",
    "touchpoint": "delivery",
}


class NewResponse(Input):
    """One answer of one person at one account."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    response_id: Id | None = None
    account_id: Id
    email: Email | None = None
    stakeholder_id: Annotated[StakeholderId | None, Field(validate_default=True, description="or email")] = None
    survey_type: SurveyType
    score: Annotated[StrictInt, Field(description="nps 0-10, csat 1-5, ces 1-7 (7 = very easy)", examples=[9])]
    comment: Comment | None = None
    answered_at: Moment | None = None
    nps_kind: NpsKind | None = None
    touchpoint: Label | None = None
    product: Label | None = None
    channel: Channel | None = None
    survey_id: Id | None = None
    invitation_id: Id | None = None
    language: Language | None = None
    follow_up_requested: StrictBool | None = None
    answers: Answers | None = None
    attributes: Attributes | None = None
    test: StrictBool | None = None

    @field_validator("stakeholder_id")
    @classmethod
    def _somebody(cls, value: str | None, info: ValidationInfo) -> str | None:
        return somebody(value, info)

    @field_validator("score")
    @classmethod
    def _on_scale(cls, value: int, info: ValidationInfo) -> int:
        return on_scale(value, info)

    @field_validator("answers")
    @classmethod
    def _other_metrics(cls, value: list[NewAnswer] | None, info: ValidationInfo) -> list[NewAnswer] | None:
        return other_metrics(value, info)


class Amendment(Input):
    """Changed fields of a response: absent = unchanged, null = cleared (not the score)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account_id": "acme", "score": 6, "comment": "Late twice this month."}]}
    )

    account_id: Id
    stakeholder_id: StakeholderId | None = None
    survey_type: SurveyType | None = Field(
        default=None, description="Of the response: score and answers are then held against it."
    )
    score: Annotated[StrictInt, Field(ge=0, le=10)] | None = None
    comment: Comment | None = None
    answers: Answers | None = None
    attributes: Attributes | None = None
    touchpoint: Label | None = None
    product: Label | None = None
    language: Language | None = None
    follow_up_requested: StrictBool | None = None
    test: StrictBool | None = None
    amend_token: Annotated[str, Field(max_length=4000)] | None = Field(
        default=None, description="Of the answer to the post, where the key is publishable."
    )

    @field_validator("score")
    @classmethod
    def _not_cleared(cls, value: int | None, info: ValidationInfo) -> int:
        if value is None:
            raise PydanticCustomError("int_type", "a score can be changed and not cleared")
        return on_scale(value, info)

    @field_validator("answers")
    @classmethod
    def _other_metrics(cls, value: list[NewAnswer] | None, info: ValidationInfo) -> list[NewAnswer] | None:
        return other_metrics(value, info)

    def changes(self) -> dict[str, Any]:
        """The amended fields as JSON values; only those that were sent."""
        about = {"account_id", "stakeholder_id", "survey_type", "amend_token"}
        return self.model_dump(mode="json", exclude=about, exclude_unset=True)


def somebody(stakeholder_id: str | None, info: ValidationInfo) -> str | None:
    """A field validator for `stakeholder_id`, declared after `email`: one of the two is required, and an address that
    stands for the person must be one that can be an id."""
    if stakeholder_id is not None or "email" not in info.data:
        return stakeholder_id
    email = info.data["email"]
    if email is None:
        raise PydanticCustomError("missing_person", "is required, or an email")
    try:
        stakeholder_of(email)
    except ValueError as error:
        raise PydanticCustomError("invalid_id", "{reason}", {"reason": str(error)}) from None
    return stakeholder_id
