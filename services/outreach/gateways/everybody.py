"""Everybody whom the scorer knows, with when they were asked and answered last, whoever asked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.outreach.settings import OutreachSettings
from shared.errors import Unavailable
from shared.http.client import Api, Services

OUTDATED = "the scorer does not say yet when people were asked; it is of an older version"
NO_KEY = "TELLBACK_OUTREACH_API_KEY is not set"


@dataclass(frozen=True, slots=True)
class PersonRead:
    """What the scorer says of a person."""

    account_id: str
    stakeholder_id: str
    email: str | None
    last_asked_at: datetime | None
    relationship_answered_at: datetime | None
    transactional_answered_at: datetime | None
    bounced_at: datetime | None
    unsubscribed_at: datetime | None

    @property
    def last_at(self) -> datetime | None:
        """The latest moment that is known of them."""
        moments = (
            self.last_asked_at,
            self.relationship_answered_at,
            self.transactional_answered_at,
            self.bounced_at,
            self.unsubscribed_at,
        )
        return max(filter(None, moments), default=None)


class Everybody:
    """Asks the scorer with outreach's own key."""

    def __init__(self, settings: OutreachSettings, services: Services) -> None:
        self._key = settings.api_key
        self._services = services

    async def pages(self) -> AsyncIterator[list[PersonRead]]:
        """Everybody, page by page. Raises `Unavailable` where outreach has no key or the scorer does not say."""
        if self._key is None:
            raise Unavailable("no_api_key", NO_KEY)
        api = Api(self._services, self._key.get_secret_value())
        async for page in api.pages("scorer", "/v1/stakeholders", contacts=True):
            yield [_person(row) for row in page]


def _person(row: dict[str, Any]) -> PersonRead:
    contacts = row.get("contacts")
    if contacts is None:
        raise Unavailable("scorer_outdated", OUTDATED)
    answered = contacts["last_answered_at"]
    return PersonRead(
        row["account_id"],
        row["stakeholder_id"],
        row["email"],
        _moment(contacts["last_asked_at"]),
        _moment(answered["relationship"]),
        _moment(answered["transactional"]),
        _moment(contacts["bounced_at"]),
        _moment(contacts["unsubscribed_at"]),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.fromisoformat(text)
