"""What is made with a secret key, where it is stored: sealed with it, or hashed with it. What is only signed (links,
tokens of browsers, forms) is stored nowhere, and is known by its age."""

from collections.abc import Callable
from dataclasses import dataclass

from services.alerting.outbound.gateways.vault import WEBHOOKS, headers_of, notification_of, secret_of
from services.dashboard.gateways.vault import PEOPLE
from shared import erasure, vault
from shared.access.browser import SIGNING_PURPOSE


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed bytes. `key` is the table's primary key, `owner` the column that names what they belong to,
    `belongs_to` makes of it what the vault is told."""

    kind: str
    table: str
    key: str
    column: str
    purpose: str
    owner: str
    belongs_to: Callable[[str], str] = str

    @property
    def key_id(self) -> str:
        """SQL: the id of the key that sealed."""
        return vault.KEY_ID_SQL.format(column=self.column)

    @property
    def there(self) -> str:
        """SQL: whether the row has sealed bytes; those that were deleted are empty."""
        return f"octet_length({self.column}) > 0"


@dataclass(frozen=True, slots=True)
class Hashed:
    """A column of keyed hashes; `key_id` and `there` as above."""

    kind: str
    table: str
    key_id: str
    there: str = "true"


SEALED = (
    Sealed(
        "signing secrets of publishable keys", "access.api_keys", "id", "sealed_signing_secret", SIGNING_PURPOSE, "id"
    ),
    Sealed(
        "secrets of webhook endpoints",
        "alerting.webhook_secrets",
        "secret_id",
        "sealed",
        WEBHOOKS,
        "endpoint_id",
        secret_of,
    ),
    Sealed(
        "headers of webhook endpoints",
        "alerting.webhook_endpoints",
        "endpoint_id",
        "sealed_headers",
        WEBHOOKS,
        "endpoint_id",
        headers_of,
    ),
    Sealed(
        "addresses of rooms",
        "alerting.notifications",
        "notification_id",
        "sealed_url",
        WEBHOOKS,
        "notification_id",
        notification_of,
    ),
    Sealed("API keys of the dashboard's people", "dashboard.keys", "key_id", "sealed", PEOPLE, "user_id"),
)
_PERSON = "subject like 'erased-%'"


def _journal(service: str) -> Hashed:
    key_id = erasure.KEY_ID_SQL.format(column="subject")
    return Hashed(f"erased people, {service}", f"{service}.erasures", key_id, _PERSON)


HASHED = (
    _journal("collector"),
    _journal("scorer"),
    _journal("alerting"),
    _journal("outreach"),
    Hashed("objections", "outreach.suppressions", "key_id"),
    Hashed("objections to one programme", "outreach.programme_objections", "key_id"),
    Hashed("addresses that were asked", "outreach.asks", "address_key_id", "address_hash is not null"),
    Hashed("addresses that mails went to", "outreach.sends", "address_key_id", "address_hash is not null"),
)
