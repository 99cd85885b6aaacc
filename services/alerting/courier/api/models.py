"""Bodies of the calls about webhooks."""

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    model_validator,
)

from services.alerting.courier.domain.chat import Format
from services.alerting.courier.domain.custom_headers import check_headers
from services.alerting.courier.domain.messages import MESSAGE_TYPES
from services.alerting.courier.domain.signing import DEFAULT_GRACE, MAX_GRACE, checked_secret
from shared.http.params import Instant


def _known_types(types: list[str]) -> list[str]:
    if not types or any(name not in MESSAGE_TYPES for name in types):
        raise ValueError(f"must be some of {', '.join(MESSAGE_TYPES)}")
    return list(dict.fromkeys(types))


def _good_secret(secret: SecretStr) -> SecretStr:
    return SecretStr(checked_secret(secret.get_secret_value()))


def _good_headers(headers: dict[str, str]) -> dict[str, str]:
    check_headers(headers)
    return headers


Url = Annotated[
    str,
    Field(
        strict=True,
        description="Where messages go: http or https, at most 2,048 characters, no user, password or fragment.",
        examples=["https://crm.example.com/hooks/tellback"],
    ),
]
EventTypes = Annotated[
    list[str],
    AfterValidator(_known_types),
    Field(max_length=50, description="The types wanted; null for all.", examples=[["follow_up.opened"]]),
]
Description = Annotated[str, Field(strict=True, max_length=500)]
SigningSecret = Annotated[
    SecretStr,
    AfterValidator(_good_secret),
    Field(description="Your own: `whsec_` and the base64 of 24 to 64 bytes. Left out, one is made."),
]
Headers = Annotated[
    dict[str, str],
    AfterValidator(_good_headers),
    Field(description="Added to every request, such as an Authorization; values are never shown again."),
]
InFlight = Annotated[StrictInt, Field(ge=1, le=32, description="Requests at the same time.")]
Ordered = Annotated[
    StrictBool,
    Field(description="Whether messages of one account wait for each other, so that they arrive in order."),
]


WantedFormat = Annotated[
    Format,
    Field(description="json: the message; slack, teams: a chat message for an incoming webhook of theirs."),
]


class Input(BaseModel):
    """Base of the bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewEndpoint(Input):
    """A new endpoint."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://crm.acme.example/hooks/tellback", "event_types": ["follow_up.opened"]}]
        }
    )

    url: Url
    event_types: EventTypes | None = None
    description: Description | None = None
    secret: SigningSecret | None = None
    headers: Headers | None = None
    format: WantedFormat = "json"
    ordered: Ordered = False
    max_in_flight: InFlight = 4


class EndpointChanges(Input):
    """What is left out stays; null clears event_types (all types then), description and headers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    url: Url = ""
    event_types: EventTypes | None = None
    description: Description | None = None
    headers: Headers | None = None
    format: WantedFormat = "json"
    ordered: Ordered = False
    max_in_flight: InFlight = 4
    enabled: StrictBool | None = Field(
        default=None, description="False holds messages; true lets new ones through, see `recover` for those held."
    )

    def given(self) -> dict[str, Any]:
        """The changes without `enabled`."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "enabled"}


class Rotation(Input):
    """How to rotate."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grace_s": 86400}]})

    secret: SigningSecret | None = None
    grace_s: StrictInt = Field(
        default=int(DEFAULT_GRACE.total_seconds()),
        ge=0,
        le=int(MAX_GRACE.total_seconds()),
        description="Seconds for which the secret before it goes on signing; 0 ends it at once.",
    )


class Recovery(Input):
    """Which messages to send that never met a 2xx."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"since": "2026-03-31T00:00:00Z", "until": "2026-04-01T00:00:00Z"}]}
    )

    since: Instant = Field(description="At most 14 days ago.")
    until: Instant | None = Field(default=None, description="Default now.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be after since")
        return self
