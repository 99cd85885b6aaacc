"""What the calls about links take."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.outreach.domain.languages import is_language
from services.outreach.handlers.candidates import MOST, Named
from services.outreach.store.people import Chosen
from shared.events.directory import StakeholderType, Tier
from shared.ids import Identifier, StakeholderIdentifier, stakeholder_of
from shared.industries import canonical_industry

ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=ONE_LINE)]
"""Why somebody does something, in words."""


def _email(value: str) -> str:
    try:
        return stakeholder_of(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_email", "{reason}", {"reason": str(error)}) from None


def _language(value: str) -> str:
    if not is_language(value):
        raise PydanticCustomError("invalid_language", "must be a language such as de or pt-BR")
    return value


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$"),
    AfterValidator(_email),
]
Language = Annotated[str, StringConstraints(max_length=20), AfterValidator(_language)]


class Input(BaseModel):
    """Base of all bodies: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonOfAccount(Input):
    """A person of an account, by one of the two."""

    stakeholder_id: StakeholderIdentifier | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _by_one(self) -> Self:
        if (self.stakeholder_id is None) == (self.email is None):
            raise PydanticCustomError("invalid_person", "give either stakeholder_id or email")
        return self


class NamedPerson(PersonOfAccount):
    """A person of the directory."""

    account_id: Identifier


class PeopleFilter(Input):
    """People of the directory for whom all that is given holds; `{}` is everybody."""

    account_id: Identifier | None = None
    type: StakeholderType | None = None
    tier: Tier | None = None
    industry: Annotated[Line, AfterValidator(canonical_industry)] | None = None
    region: Line | None = None
    owner: Email | None = Field(default=None, description="The address of the accounts' owner.")
    job_level: Line | None = None
    job_function: Line | None = None
    location: Line | None = None


class LinksWanted(Input):
    """Whom to make links for: `people` or a `filter`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"people": [{"account_id": "acme", "email": "ada@acme.example"}]}]}
    )

    people: Annotated[tuple[NamedPerson, ...], Field(min_length=1, max_length=MOST)] | None = None
    filter: PeopleFilter | None = None
    handed_over: bool = Field(
        default=True,
        description="True: you hand the links over now, so they count as sent. False: a mailer does, and posts"
        " `invitation.sent` with the `invitation_id`.",
    )
    override_quarantine: Reason | None = Field(
        default=None,
        description="Why these people are asked although somebody asked them, or they answered, only lately. Nothing"
        " passes over an objection.",
    )
    language: Language | None = Field(default=None, description="Of the page; the default is the person's.")

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.people is None) == (self.filter is None):
            raise PydanticCustomError("invalid_people", "give either people or a filter")
        return self

    def named(self) -> tuple[Named, ...] | None:
        """The people as the handler has them."""
        if self.people is None:
            return None
        return tuple(Named(person.account_id, person.stakeholder_id, person.email) for person in self.people)

    def chosen(self) -> Chosen | None:
        """The filter as the handler has it."""
        if self.filter is None:
            return None
        return Chosen(**self.filter.model_dump())
