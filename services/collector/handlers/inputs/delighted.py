"""A survey response in Delighted's shape (https://delighted.com/docs/api/adding-survey-responses).

`person` is there the id of a person; here it may also be an address, or an object with id, email and name. The account
is `person_properties.account_id`, else `company`, else the domain of the address.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.collector.handlers.inputs.fields import Comment, Email, Id, StrictInt
from services.collector.handlers.refusals import refused
from shared.events.responses import SurveyType

EXAMPLE: dict[str, Any] = {
    "person": "ann.lee@acme.example",
    "score": 9,
    "comment": "Always on time.",
    "person_properties": {"account_id": "acme", "location": "Leeds"},
    "created_at": 1_713_497_396,
}
ACCOUNT_PROPERTIES = ("account_id", "company", "Company")
_LAST_SECOND = 253_402_300_799


class DelightedPerson(BaseModel):
    """A person as an object."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Id | None = None
    email: Email | None = None
    name: str | None = Field(default=None, max_length=200)


def _person(value: Any) -> Any:
    """An address stands for the person who has it; any other text is an id."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        if "@" in value:
            return {"email": value}
        return {"id": value}
    return value


def _epoch(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LAST_SECOND:
        raise PydanticCustomError("invalid_time", "must be a Unix timestamp in seconds")
    return datetime.fromtimestamp(value, UTC)


Epoch = Annotated[datetime, BeforeValidator(_epoch, json_schema_input_type=int)]
Person = Annotated[DelightedPerson, BeforeValidator(_person, json_schema_input_type=str | int | DelightedPerson)]
Property = str | int | float | bool | None


class DelightedResponse(BaseModel):
    """What Delighted takes; fields that it knows and we do not are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    person: Person
    score: Annotated[StrictInt, Field(description="nps 0-10, csat 1-5, ces 1-7", examples=[9])]
    survey_type: SurveyType = "nps"
    comment: Comment | None = None
    person_properties: Annotated[dict[str, Property], Field(max_length=100)] | None = None
    created_at: Epoch | None = Field(default=None, description="Unix timestamp; default now.")

    def as_response(self) -> dict[str, Any]:
        """The equivalent body for `POST /v1/responses`. Raises `Invalid` where nothing names the person or account."""
        properties = self.person_properties or {}
        account_id = _account(self.person, properties)
        attributes = {
            name: value for name, value in properties.items() if name not in ACCOUNT_PROPERTIES and value is not None
        }
        values: dict[str, Any] = {
            "account_id": account_id,
            "stakeholder_id": self.person.id,
            "email": self.person.email,
            "survey_type": self.survey_type,
            "score": self.score,
            "comment": self.comment,
            "answered_at": self.created_at,
            "attributes": attributes or None,
        }
        return {name: value for name, value in values.items() if value is not None}


def _account(person: DelightedPerson, properties: Mapping[str, Property]) -> str:
    for name in ACCOUNT_PROPERTIES:
        if properties.get(name) not in (None, ""):
            return str(properties[name])
    if person.email:
        return person.email.rpartition("@")[2].lower()
    raise refused("person_properties.account_id", "missing_account", "is required unless the person is an address")
