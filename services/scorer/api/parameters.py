"""Query parameters: each call has one model that knows all of them, so that an unknown one is refused by
name.

An empty value counts as not given, as forms send it. What breaks a rule is a 422 whose `errors` name the
parameter, with a code of its own: invalid_window, invalid_time, invalid_group, invalid_method, from_after_to.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Annotated, Literal, cast

from fastapi import Path
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.scorer.domain.answers import PORTFOLIO_METHODS, Method
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.questions import GROUPS, MAX_GROUPS, Filters
from services.scorer.domain.windows import parse_window
from shared.events.directory import StakeholderType, Tier
from shared.events.responses import Channel, NpsKind
from shared.http.paging import DEFAULT_LIMIT, MAX_CURSOR_LENGTH, MAX_LIMIT
from shared.http.params import Instant, PathId, StakeholderPathId
from shared.http.query import Parameters, plain_text
from shared.industries import canonical_industry


def _window(text: str) -> str:
    try:
        return parse_window(text).name
    except ValueError as error:
        raise PydanticCustomError("invalid_window", "{reason}", {"reason": str(error)}) from None


def checked(check: Callable[[str], object]) -> AfterValidator:
    """Refuse what `check` refuses, and keep the text."""

    def kept(text: str) -> str:
        check(text)
        return text

    return AfterValidator(kept)


def methods_of(text: str) -> tuple[Method, ...]:
    """A comma list of methods, each once."""
    names = tuple(name.strip() for name in text.split(","))
    if not set(names).issubset(PORTFOLIO_METHODS) or len(set(names)) != len(names):
        raise PydanticCustomError(
            "invalid_method", f"must be a comma list of {', '.join(PORTFOLIO_METHODS)}, each at most once"
        )
    return cast("tuple[Method, ...]", names)


def groups_of(text: str | None, known: Sequence[str] = GROUPS) -> tuple[str, ...]:
    """A comma list of at most two of the known attributes; none where nothing is given."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not set(names).issubset(known) or len(set(names)) != len(names) or len(names) > MAX_GROUPS:
        raise PydanticCustomError("invalid_group", f"must be one or two of {', '.join(known)}, by a comma")
    return names


AsOf = Annotated[
    Instant | None,
    Field(description="The moment to look from (RFC 3339, also past or ahead); default now. Echoed when sent."),
]
UpdatedSince = Annotated[
    Instant | None,
    Field(description="Only what was stored or changed here after this moment, for those who read along."),
]
WindowName = Annotated[
    str,
    AfterValidator(_window),
    Field(
        description="`7d`, `30d`, `90d`, `180d`, `365d`, `all`, or any number of days up to `1100d`:"
        " (as_of − N days, as_of] by when people answered.",
        examples=["90d"],
    ),
]
Methods = Annotated[
    str,
    checked(methods_of),
    Field(
        description="A comma list of `latest`, `all`, `mean_of_accounts`, `revenue_weighted`.", examples=["latest,all"]
    ),
]
Groups = Annotated[str, checked(groups_of)]
Currency = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Z]{3}$",
        description="Currency of revenue (ISO 4217); default the one that most accounts have.",
        examples=["EUR"],
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain_text)]
AccountId = Annotated[PathId, Path(description="The account.")]
StakeholderId = Annotated[
    StakeholderPathId, Path(description="The person within the account.", examples=["ada@acme.example"])
]


class AccountFilters(Parameters):
    """Filters on accounts, by the directory as it is now."""

    industry: Text | None = Field(default=None, description="Only accounts of this industry: slug, name or synonym.")
    tier: Tier | None = Field(default=None, description="Only accounts of this tier.")
    region: Text | None = Field(default=None, description="Only accounts of this region.")
    owner: Text | None = Field(default=None, description="Only accounts of this owner (e-mail address).")

    def filters(self) -> Filters:
        """The filters as the domain takes them: each parameter that has the name of one."""
        given = {}
        for field in fields(Filters):
            value = getattr(self, field.name, None)
            if value is not None:
                given[field.name] = value
        if self.industry is not None:
            given["industry"] = canonical_industry(self.industry)
        if self.owner is not None:
            given["owner"] = self.owner.lower()
        return Filters(**given)


class DirectoryFilters(AccountFilters):
    """Filters on accounts and people, by the directory as it is now."""

    stakeholder_type: StakeholderType | None = Field(
        default=None,
        description="Only people who are of this type today, whatever `as_of`; also those who were removed.",
    )


class ChosenAnswers(DirectoryFilters):
    """Filters that choose answers of one survey type, before `latest` picks."""

    nps_kind: NpsKind | None = Field(default=None, description="Only answers of this kind.")
    touchpoint: Text | None = Field(default=None, description="Only answers at this touchpoint.")
    product: Text | None = Field(default=None, description="Only answers about this product.")
    channel: Channel | None = Field(default=None, description="Only answers by this channel.")
    survey_id: Text | None = Field(default=None, description="Only answers to this survey.")


class AnswerFilters(ChosenAnswers):
    """All filters that choose answers, before `latest` picks."""

    survey_type: SurveyType = Field(default="nps", description="Which kind of answers count.")


class Paged(Parameters):
    """A page of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many items at most.")
    cursor: str | None = Field(
        default=None, max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before; opaque."
    )


class ScoreQuery(AnswerFilters):
    """Window, method, moment and filters of one account's figures."""

    window: WindowName = "90d"
    method: Literal["latest", "all"] = Field(
        default="latest", description="`latest`: the latest answer of each person in the window; `all`: every answer."
    )
    as_of: AsOf = None


class Between(Parameters):
    """A stretch of time, both ends included."""

    from_: Instant | None = Field(default=None, alias="from", description="Not before this moment.")
    to: Instant | None = Field(default=None, description="Not after this moment.")

    @model_validator(mode="after")
    def _in_order(self) -> "Between":
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise PydanticCustomError("from_after_to", "from must not be later than to")
        return self
