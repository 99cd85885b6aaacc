"""Events of the topic `directory`: who the accounts and their people are. Each carries the whole record."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.envelope import EventData, Id, register
from shared.topics import ACCOUNT_REMOVED, ACCOUNT_UPSERTED, STAKEHOLDER_REMOVED, STAKEHOLDER_UPSERTED

Tier = Literal["small", "key", "premium"]
StakeholderType = Literal["decision_maker", "user", "influencer"]
MailPermission = Literal["granted", "refused", "unknown"]
"""Whether somebody may be asked by mail, as the directory knows it."""


class Money(EventData):
    """An amount in one currency (ISO 4217)."""

    amount: Decimal
    currency: str


class Contact(EventData):
    """A colleague of ours: the owner or the sponsor of an account."""

    name: str | None = None
    email: str | None = None


class DoNotAsk(EventData):
    """Nobody of the account is asked for an answer, up to and including the day `until`; null: until this is taken
    back."""

    until: date | None = None
    reason: str


class AccountRecord(EventData):
    """The whole directory record of a client account. `industry` is a known slug where there is one; from `closed_on`
    on the account is no client any more. `time_zone` (IANA) and `language` are those of its people who have none."""

    account_id: Id
    name: str | None = None
    industry: str | None = None
    tier: Tier | None = None
    region: str | None = None
    annual_revenue: Money | None = None
    renewal_on: date | None = None
    closed_on: date | None = None
    products: tuple[str, ...] = ()
    owner: Contact | None = None
    sponsor: Contact | None = None
    parent_account_id: Id | None = None
    domains: tuple[str, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)
    time_zone: str | None = None
    language: str | None = None
    customer_since: date | None = None
    do_not_ask: DoNotAsk | None = None


class AccountUpserted(AccountRecord):
    """An account was created or changed; greatest (recorded_at, event_id) wins."""

    event_id: UUID
    recorded_at: AwareDatetime


class AccountRemoved(AccountRecord):
    """An account left the directory; it carries the last record, since its scores keep their attributes. With
    `erased_at` it was erased: the record is empty, and what was known of the account and its people until then goes
    from every service."""

    erased_at: AwareDatetime | None = None
    event_id: UUID
    recorded_at: AwareDatetime


MAX_ALIASES = 20


class PreviousLine(EventData):
    """Where a person was before: their record at another account."""

    account_id: Id
    stakeholder_id: Id


class StakeholderRecord(EventData):
    """The whole directory record of a person at an account. `aliases` are the further ids that stand for the person:
    each belongs to one record. `email_changed_at` is when the address became another one. `time_zone` is a name of the
    IANA database."""

    account_id: Id
    stakeholder_id: Id
    name: str | None = None
    email: str | None = None
    type: StakeholderType | None = None
    job_title: str | None = None
    job_level: str | None = None
    job_function: str | None = None
    location: str | None = None
    language: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    previous: PreviousLine | None = None
    aliases: Annotated[tuple[Id, ...], Field(max_length=MAX_ALIASES)] = ()
    email_changed_at: AwareDatetime | None = None
    time_zone: str | None = None
    mail_permission: MailPermission = "unknown"


class StakeholderUpserted(StakeholderRecord):
    """A person was created or changed; greatest (recorded_at, event_id) wins."""

    event_id: UUID
    recorded_at: AwareDatetime


class StakeholderRemoved(EventData):
    """A person left the directory: ids and type only. Or the record was merged into that of `merged_into`, the same
    person, whose ids the aliases are from now on."""

    account_id: Id
    stakeholder_id: Id
    type: StakeholderType | None = None
    previous: PreviousLine | None = None
    aliases: Annotated[tuple[Id, ...], Field(max_length=MAX_ALIASES)] = ()
    merged_into: Id | None = None
    event_id: UUID
    recorded_at: AwareDatetime


register(ACCOUNT_UPSERTED, AccountUpserted)
register(ACCOUNT_REMOVED, AccountRemoved)
register(STAKEHOLDER_UPSERTED, StakeholderUpserted)
register(STAKEHOLDER_REMOVED, StakeholderRemoved)
