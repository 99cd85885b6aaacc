"""What an ask is: its states, its outcome, and the ids that follow from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

UNSENT: Final = ("waiting", "held")
"""States of an ask that may still be called off before anybody has seen it."""
SYSTEM: Final = "tellback"
"""Who changes an ask where no caller does."""
OPEN_DAYS: Final = 30
WAITS: Final = timedelta(days=14)
"""How long a link waits for the mailer that is to hand it over."""


@dataclass(frozen=True, slots=True)
class NewAsk:
    """An ask as it is planned. `state` is waiting, skipped or sent; a skipped one has a `reason`, and
    `again_at`, from when on the person may be asked, if time changes that. `address_key_id`: the key of the address's
    hash. `latest_at`: after it, one that waits is not sent any more."""

    ask_id: UUID
    survey_id: str
    survey_version: int
    account_id: str
    stakeholder_id: str
    state: str
    origin: str
    channel: str
    handed_over: bool
    created_at: datetime
    created_by: str
    due_at: datetime
    open_days: int = OPEN_DAYS
    address_hash: bytes | None = None
    address_key_id: str | None = None
    reason: str | None = None
    note: str | None = None
    again_at: datetime | None = None
    language: str | None = None
    review_id: UUID | None = None
    programme_id: str | None = None
    occasion: str | None = None
    latest_at: datetime | None = None

    @property
    def sent_at(self) -> datetime | None:
        """When it was sent: a link that is handed over is sent as it is made."""
        if self.state == "sent":
            return self.created_at
        return None

    @property
    def closes_at(self) -> datetime | None:
        """When its link takes no answer any more; None before it is sent."""
        if self.sent_at is None:
            return None
        return self.sent_at + timedelta(days=self.open_days)


@dataclass(frozen=True, slots=True)
class PublishedSurvey:
    """The published survey of an ask: `kind` is relationship or transactional. By one that is `archived` nobody is
    asked."""

    survey_id: str
    version: int
    kind: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class AskChange:
    """One change of an ask: the state that it comes to, when, why, and by whom."""

    at: datetime
    state: str
    reason: str | None
    note: str | None
    actor: str


def response_id_of(ask_id: UUID) -> str:
    """The id of the one answer to an ask: a second answer amends it."""
    return str(uuid5(ask_id, "response"))


def kind_of(nps_kind: str | None) -> str:
    """The kind that a quarantine counts by: relationship, or transactional for all that asks about an occasion."""
    if nps_kind == "relationship":
        return "relationship"
    return "transactional"


def ask_id_in(invitation_id: str | None) -> UUID | None:
    """The ask that an invitation's id may name; None where it has another form, as those of other mailers."""
    if invitation_id is None or len(invitation_id) != len(str(UUID(int=0))):
        return None
    try:
        return UUID(invitation_id)
    except ValueError:
        return None
