"""The self-assessment of the programme as the API tells it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

PREFILL: dict[str, Any] = {
    "measure": "closed_loop_rate",
    "value": 0.42,
    "unit": "share",
    "meaning": "follow-ups of 365 days that were closed with an answer",
    "option": 1,
}
QUESTION: dict[str, Any] = {
    "question_id": "loop",
    "text": "How many low scores end with an answer to the customer?",
    "options": ["few, or we do not know", "about a third", "most", "nearly all"],
    "prefill": PREFILL,
}
AREA: dict[str, Any] = {"area": "close_the_loop", "title": "Close the loop", "questions": [QUESTION]}
QUESTIONNAIRE: dict[str, Any] = {"areas": [AREA], "warnings": []}
RESULT: dict[str, Any] = {
    "assessment_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "created_at": "2026-11-20T12:00:00Z",
    "score": 44.44,
    "level": "developing",
    "previous_score": 33.33,
    "change": 11.11,
    "areas": [
        {
            "area": "close_the_loop",
            "title": "Close the loop",
            "score": 33.33,
            "level": "developing",
            "answers": [{"question_id": "loop", "option": 1, "source": "given", "measured": 0.42}],
        }
    ],
    "recommendations": [
        {
            "priority": 1,
            "area": "close_the_loop",
            "question_id": "loop",
            "text": "Give every detractor an owner and a due time, and let the customer hear back.",
            "because": "How many low scores end with an answer to the customer? about a third (follow-ups of 365 days"
            " that were closed with an answer: 42 %)",
        }
    ],
    "unanswered": ["fatigue"],
    "warnings": [],
}
LISTED: dict[str, Any] = {
    "assessment_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "created_at": "2026-11-20T12:00:00Z",
    "score": 44.44,
    "level": "developing",
}
Level = Literal["starting", "developing", "established", "leading"]


class Prefill(BaseModel):
    """What the system knows, and the option it speaks for."""

    measure: str
    value: float
    unit: str
    meaning: str
    option: int


class QuestionModel(BaseModel):
    """A question."""

    question_id: str
    text: str
    options: list[str] = Field(description="From the least to the most mature; an answer is the number, from 0.")
    prefill: Prefill | None = Field(description="Null where the system does not know.")


class AreaModel(BaseModel):
    """One of the recommendations of the field, or speed."""

    area: str
    title: str
    questions: list[QuestionModel]


class Questionnaire(BaseModel):
    """All questions."""

    model_config = ConfigDict(json_schema_extra={"example": QUESTIONNAIRE})

    areas: list[AreaModel]
    warnings: list[str] = Field(description="`not_measured:<service>` where a service did not tell.")


class AnswerModel(BaseModel):
    """How a question was answered."""

    question_id: str
    option: int | None
    source: Literal["given", "measured"] | None = Field(description="Null where there is no answer.")
    measured: float | None


class AreaScore(BaseModel):
    """The score of an area."""

    area: str
    title: str
    score: float | None = Field(description="0 to 100: the mean of its answers; null without any.")
    level: Level | None
    answers: list[AnswerModel]


class Recommendation(BaseModel):
    """A next step."""

    priority: int = Field(description="1 comes first.")
    area: str
    question_id: str
    text: str
    because: str


class Result(BaseModel):
    """What an assessment came to."""

    model_config = ConfigDict(json_schema_extra={"example": RESULT})

    assessment_id: UUID
    created_at: datetime
    score: float | None = Field(description="0 to 100: the mean of the areas that have a score.")
    level: Level | None
    previous_score: float | None = Field(None, description="Of the assessment before.")
    change: float | None = Field(None, description="score minus the previous one.")
    areas: list[AreaScore]
    recommendations: list[Recommendation]
    unanswered: list[str]
    warnings: list[str] = Field(
        description="`better_than_measured:<question>` where the answer is better than the figure; `not_measured:…`."
    )


class ListedResult(BaseModel):
    """An assessment in a list."""

    model_config = ConfigDict(json_schema_extra={"example": LISTED})

    assessment_id: UUID
    created_at: datetime
    score: float | None
    level: Level | None
