"""What the routes of alerting ask of their service."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path

from services.alerting.courier.interface import Courier
from services.alerting.handlers.resources import Resources
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Vault
from shared.errors import Invalid, NotFound
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


def _if_match(
    if_match: Annotated[str | None, Header(max_length=50, description="The version you saw.")] = None,
) -> int | None:
    """The version in If-Match: `"3"`, `W/"3"`, `3`; `*` is any."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?([1-9][0-9]{0,8})"?', if_match.strip())
    if match is None:
        raise Invalid("invalid_version", "If-Match holds the version of the follow-up")
    return int(match[1])


IfMatch = Annotated[int | None, Depends(_if_match)]


def version_seen(in_body: int | None, if_match: int | None) -> int | None:
    """The version that the caller has seen: that of the body before that of If-Match."""
    if in_body is not None:
        return in_body
    return if_match
