"""Accounts and people as a client sends them. One model serves PUT, PATCH and rows of a batch: absent members are
unchanged by a merge and null clears them; a PUT merges into an empty record."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.collector.handlers.inputs.fields import (
    Attributes,
    Email,
    Id,
    Input,
    Label,
    Language,
    Moment,
    StakeholderId,
    TimeZone,
)
from services.collector.handlers.inputs.responses import somebody
from shared.api.directory import ACCOUNT_EXAMPLE, STAKEHOLDER_EXAMPLE
from shared.events.directory import MailPermission, StakeholderType, Tier
from shared.http.params import Day
from shared.industries import canonical_industry

_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")


def _amount(value: Any) -> Decimal:
    """An amount from a JSON number or from text; binary fractions are taken by their shortest decimal form."""
    if isinstance(value, float):
        value = f"{value:f}".rstrip("0").rstrip(".")
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise PydanticCustomError("invalid_amount", "must be a sum from 0, with at most 15 digits and 4 decimals")
    return Decimal(value)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise PydanticCustomError("invalid_currency", "must be a code of three letters such as EUR")
    return value.upper()


class MoneyInput(Input):
    """A sum of money; a merge may bring one of the two."""

    amount: Annotated[Decimal, BeforeValidator(_amount), Field(examples=[120000])] | None = None
    currency: Annotated[str, BeforeValidator(_currency), Field(examples=["EUR"])] | None = None


class ContactInput(Input):
    """A colleague of ours."""

    name: Label | None = None
    email: Email | None = None


class DoNotAskInput(Input):
    """That an account is not asked for answers; a merge may bring one of the two."""

    until: Annotated[Day | None, Field(description="The last day; without one until it is taken back.")] = None
    reason: Label | None = None


Industry = Annotated[Label, AfterValidator(canonical_industry), Field(examples=["logistics"])]
Labels = Annotated[list[Label], Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class Seen:
    """The record that the sender has seen: its `recorded_at`, None where there was none."""

    recorded_at: datetime | None


class RecordInput(Input):
    """What a record of any kind may be sent with."""

    recorded_at: Annotated[
        Moment | None,
        Field(
            description="`recorded_at` of the record that you saw, null where there was none: the change is refused"
            " (409) where another one stands by now. Not sent: whatever stands."
        ),
    ] = None

    def seen(self) -> Seen | None:
        """The record that was seen; None where that was not said."""
        if "recorded_at" in self.model_fields_set:
            return Seen(self.recorded_at)
        return None


class AccountInput(RecordInput):
    """Members of an account's record. `account_id` may be repeated here, but must be the one of the address."""

    model_config = ConfigDict(json_schema_extra={"examples": [ACCOUNT_EXAMPLE]})

    account_id: Id | None = None
    name: Label | None = None
    industry: Industry | None = None
    tier: Tier | None = None
    region: Label | None = None
    annual_revenue: MoneyInput | None = None
    renewal_on: Day | None = None
    closed_on: Annotated[
        Day | None, Field(description="From then on it is a client no more; set with a lost contract.")
    ] = None
    products: Labels | None = None
    owner: ContactInput | None = None
    sponsor: ContactInput | None = None
    parent_account_id: Id | None = None
    domains: Labels | None = None
    time_zone: TimeZone | None = None
    language: Language | None = None
    customer_since: Day | None = None
    do_not_ask: Annotated[
        DoNotAskInput | None, Field(description="Nobody of the account is asked for an answer; needs a reason.")
    ] = None
    attributes: Attributes | None = None

    def members(self) -> dict[str, Any]:
        """The members that were sent, as JSON values and without the ids."""
        return self.model_dump(mode="json", exclude={"account_id", "recorded_at"}, exclude_unset=True)


class AccountItem(AccountInput):
    """An account in a batch or a file."""

    account_id: Id


class PreviousInput(Input):
    """Where a person was before."""

    account_id: Id
    stakeholder_id: StakeholderId


class StakeholderInput(RecordInput):
    """Members of a person's record. The ids may be repeated here, but must be those of the address."""

    model_config = ConfigDict(json_schema_extra={"examples": [STAKEHOLDER_EXAMPLE]})

    account_id: Id | None = None
    name: Label | None = None
    email: Email | None = None
    stakeholder_id: StakeholderId | None = None
    type: StakeholderType | None = None
    job_title: Label | None = None
    job_level: Label | None = None
    job_function: Label | None = None
    location: Label | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None
    mail_permission: Annotated[
        MailPermission | None, Field(description="Whether they may be asked by mail; `unknown` if it is not said.")
    ] = None
    attributes: Attributes | None = None
    previous: Annotated[
        PreviousInput | None,
        Field(description="Where they were before: their record at that account is removed, and their answers stay."),
    ] = None

    def members(self) -> dict[str, Any]:
        """The members that were sent, as JSON values and without the ids."""
        return self.model_dump(mode="json", exclude={"account_id", "stakeholder_id", "recorded_at"}, exclude_unset=True)


class StakeholderItem(StakeholderInput):
    """A person in a batch or a file; `email` alone names the person by the address."""

    account_id: Id
    stakeholder_id: Annotated[StakeholderId | None, Field(validate_default=True, description="or email")] = None

    @field_validator("stakeholder_id")
    @classmethod
    def _somebody(cls, value: str | None, info: ValidationInfo) -> str | None:
        return somebody(value, info)
