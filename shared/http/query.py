"""Query parameters: each call has one model of all its parameters, and refuses unknown ones by name."""

import unicodedata
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from starlette.requests import Request

from shared.errors import Invalid
from shared.http.problem import printable_name


class Parameters(BaseModel):
    """Base of query models: an unknown parameter is refused by name; an empty value, as forms send it, counts as not
    given."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value != ""}


def plain_text(value: str) -> str:
    """Text in the form in which it is compared: NFC, without surrounding blanks."""
    return unicodedata.normalize("NFC", value).strip()


async def no_repeats(request: Request) -> None:
    """Raises `Invalid` for a parameter given twice, since it is unclear which of the values is meant."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise refused(printable_name(name), "repeated_parameter", "is given more than once")


def refused(field: str, code: str, detail: str) -> Invalid:
    """The error for one parameter."""
    return Invalid(code, detail, errors=[{"field": field, "code": code, "detail": detail}])
