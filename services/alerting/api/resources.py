"""What the routes of alerting ask of their service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from services.alerting.courier.interface import Courier
from services.alerting.handlers.resources import Resources
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Vault
from shared.errors import NotFound
from shared.http.deps import service


@dataclass(frozen=True, slots=True)
class Alerting:
    """The service's own resources; `committed` is called after a change, so that what it told leaves at once. `mails`
    says whether there is a mail server.
    """

    resources: Resources
    committed: Callable[[], None]
    courier: Courier
    egress: Egress
    vault: Vault
    mails: bool = False


TheService = Annotated[Alerting, Depends(service)]


def _follow_up_id(follow_up_id: Annotated[str, Path(max_length=200)]) -> UUID:
    """What is not an id names no follow-up: 404, like one that is not there."""
    try:
        return UUID(follow_up_id)
    except ValueError:
        raise NotFound("follow_up_not_found", "there is no such follow-up") from None


FollowUpId = Annotated[UUID, Depends(_follow_up_id)]
