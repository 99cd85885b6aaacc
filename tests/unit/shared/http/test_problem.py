"""Problems: every status has a text, and texts of validators pass only without any part of the input."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from shared.errors import Invalid, TellbackError, TooMany, Unauthorized
from shared.http.problem import Problem, invalid, of_status, problem_body, problem_headers


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 431, 503, 500, 502, 418, 406]
)
def test_every_status_makes_a_problem(status: int) -> None:
    body = problem_body(of_status(status))
    Problem.model_validate(body)
    assert body["status"] == (status if status != 502 else 500)


def test_headers_belong_to_their_errors() -> None:
    assert problem_headers(TooMany("rate_limited", retry_after=7))["retry-after"] == "7"
    assert "www-authenticate" in problem_headers(Unauthorized("unauthorized"))
    assert set(problem_headers(Invalid("x"))) == {"cache-control"}


def errors_of(kind: Any, value: object) -> list[dict[str, str]]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    found = invalid(caught.value)
    assert isinstance(found, TellbackError)
    return found.errors or []


def careless(value: str) -> str:
    int(value)
    return value


def careful(value: str) -> str:
    raise ValueError("must be a day of the week")


def own_kind(value: str) -> str:
    raise PydanticCustomError("not_a_day", "must be a day of the week")


@pytest.mark.parametrize(
    ("kind", "value", "code", "detail"),
    [
        pytest.param(
            Annotated[str, AfterValidator(careless)], "secret", "invalid_value", "is not valid", id="careless"
        ),
        pytest.param(Annotated[str, AfterValidator(careless)], "q", "invalid_value", "is not valid", id="one letter"),
        pytest.param(
            Annotated[str, AfterValidator(careful)],
            "secret",
            "invalid_value",
            "must be a day of the week",
            id="careful",
        ),
        pytest.param(Annotated[str, AfterValidator(own_kind)], "x", "not_a_day", "must be a day of the week", id="own"),
        pytest.param(UUID, "secret", "uuid_parsing", "must be a UUID", id="uuid"),
        pytest.param(datetime, "secret", "datetime_from_date_parsing", "is not valid", id="time"),
        pytest.param(dict[str, int], [], "object_type", "must be a JSON object", id="object"),
    ],
)
def test_the_words_hold_nothing_of_the_input(kind: Any, value: object, code: str, detail: str) -> None:
    assert errors_of(kind, value) == [{"field": "body", "code": code, "detail": detail}]


def test_the_place_of_an_error_is_told_with_dots() -> None:
    class Inner(BaseModel):
        value: int

    class Outer(BaseModel):
        answers: list[Inner]

    [error] = errors_of(Outer, {"answers": [{"value": 1}, {"value": "many"}]})
    assert error["field"] == "answers.1.value"
