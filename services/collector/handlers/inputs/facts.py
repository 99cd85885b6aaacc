"""Facts about invitations and context events, as other systems report them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from services.collector.handlers.inputs.fields import Email, Id, Input, Label, Moment, StakeholderId
from services.collector.handlers.inputs.responses import somebody
from shared.events.context import ContextKind
from shared.events.invitations import InvitationKind


class InvitationInput(Input):
    """One thing that happened to an invitation. Without `event_id`, the same fact sent again is the same event."""

    event_id: UUID | None = None
    invitation_id: Id
    account_id: Id
    email: Email | None = None
    stakeholder_id: Annotated[StakeholderId | None, Field(validate_default=True, description="or email")] = None
    kind: InvitationKind
    at: Moment
    survey_id: Id | None = None
    channel: Label | None = None
    reason: Annotated[
        Literal["closed", "withdrawn"] | None,
        Field(description="Why it expired: the survey closed, or you withdrew it and wait for no answer."),
    ] = None

    @field_validator("stakeholder_id")
    @classmethod
    def _somebody(cls, value: str | None, info: ValidationInfo) -> str | None:
        return somebody(value, info)


class ContextInput(Input):
    """Something that happened at an account: a mark on its trend."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"account_id": "acme", "kind": "incident", "at": "2026-03-31T09:30:00Z", "label": "Outage in Lyon"}
            ]
        }
    )

    event_id: UUID | None = None
    account_id: Id
    email: Email | None = None
    stakeholder_id: Annotated[
        StakeholderId | None,
        Field(validate_default=True, description="Who it is about, or email; without either it is the account."),
    ] = None
    product: Label | None = None
    kind: ContextKind
    at: Moment
    label: Label

    @field_validator("stakeholder_id")
    @classmethod
    def _person(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("email") is None:
            return value
        return somebody(value, info)
