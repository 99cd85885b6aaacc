"""Records of the directory, as they stand: accounts and their people."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainSerializer, WithJsonSchema

from shared.events.directory import AccountRecord, StakeholderRecord
from shared.events.envelope import EventData

Json = dict[str, Any]
RECORDED_AT = "2026-03-31T09:30:00.123456Z"
ACCOUNT_EXAMPLE: Json = {
    "name": "Acme Ltd",
    "industry": "logistics",
    "tier": "key",
    "region": "EMEA",
    "annual_revenue": {"amount": 120000, "currency": "EUR"},
    "renewal_on": "2027-01-31",
    "owner": {"name": "Ana Silva", "email": "ana.silva@supplier.example"},
}
STAKEHOLDER_EXAMPLE: Json = {
    "name": "Ann Lee",
    "email": "ann.lee@acme.example",
    "type": "decision_maker",
    "job_title": "Chief Operating Officer",
}
ACCOUNT: Json = {
    "account_id": "acme",
    "products": ["fleet"],
    "sponsor": None,
    "parent_account_id": None,
    "domains": ["acme.example"],
    "closed_on": None,
    "time_zone": "Europe/London",
    "language": "en",
    "customer_since": "2019-04-01",
    "do_not_ask": None,
    "attributes": {"plan": "pro"},
    "recorded_at": RECORDED_AT,
    **ACCOUNT_EXAMPLE,
}
STAKEHOLDER: Json = {
    "account_id": "acme",
    "stakeholder_id": "ann.lee@acme.example",
    "job_level": None,
    "job_function": "Operations",
    "location": "Leeds",
    "language": "en",
    "time_zone": "Europe/London",
    "mail_permission": "granted",
    "attributes": {},
    "previous": None,
    "aliases": ["C-17"],
    "email_changed_at": None,
    "recorded_at": RECORDED_AT,
    "warnings": [],
    **STAKEHOLDER_EXAMPLE,
}
DirectoryWarning = Annotated[
    Literal["address_in_use"],
    Field(description="Another person of the account has this e-mail address, and answers under it stay theirs."),
]


def _number(amount: Decimal) -> int | float:
    if amount == amount.to_integral_value():
        return int(amount)
    return float(amount)


class MoneyView(EventData):
    """A sum of money; the amount is a JSON number."""

    amount: Annotated[Decimal, PlainSerializer(_number), WithJsonSchema({"type": "number"})]
    currency: str


class AccountView(AccountRecord):
    """An account of the directory."""

    model_config = ConfigDict(json_schema_extra={"examples": [ACCOUNT]})

    annual_revenue: MoneyView | None = None  # type: ignore[assignment]  # the same members, other JSON
    recorded_at: datetime


class StakeholderView(StakeholderRecord):
    """A person of the directory."""

    model_config = ConfigDict(json_schema_extra={"examples": [STAKEHOLDER]})

    recorded_at: datetime
    warnings: tuple[DirectoryWarning, ...] = ()
