"""The self-assessment as the API takes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.benchmark.domain.maturity import BEST
from services.benchmark.domain.maturity_questions import QUESTIONS

ANSWERS: dict[str, Any] = {"answers": {"cadence": 2, "own_look": 2, "loop": 1}, "prefill": True}


class Answers(BaseModel):
    """What somebody answered: question → number of the option, 0 to 3."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ANSWERS]})

    answers: dict[str, Annotated[int, Field(strict=True, ge=0, le=BEST)]] = Field(default_factory=dict)
    prefill: bool = Field(
        default=True, strict=True, description="Answer from what the system knows where no answer is given."
    )

    @field_validator("answers")
    @classmethod
    def _known(cls, answers: dict[str, int]) -> dict[str, int]:
        if answers.keys() - QUESTIONS.keys():
            raise ValueError("an answer is to a question that there is not")
        return answers
