"""Query parameters: each call has one model that knows all of them, and refuses what it does not know by name."""

import unicodedata
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from starlette.requests import Request

from shared.errors import Invalid
from shared.http.problem import printable_name


class Parameters(BaseModel):
    """Base of query models: an unknown parameter is refused by name, an empty value counts as not given, as forms send
    it."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value != ""}


def plain_text(value: str) -> str:
    """Text as it is compared: NFC, without blanks around it."""
    return unicodedata.normalize("NFC", value).strip()


async def no_repeats(request: Request) -> None:
    """A parameter given twice is refused: nobody can say which of the two was meant. Raises `Invalid`."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise refused(printable_name(name), "repeated_parameter", "is given more than once")


def refused(field: str, code: str, detail: str) -> Invalid:
    """One parameter at fault."""
    return Invalid(code, detail, errors=[{"field": field, "code": code, "detail": detail}])
