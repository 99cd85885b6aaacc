"""Notices to people: who is told of follow-ups, escalations and praise, by mail or in a room of Slack or Teams."""

from typing import Annotated, Self

from fastapi import Path
from pydantic import ConfigDict, Field, SecretStr, model_validator

from services.alerting.api.models import Email, Input, Line
from services.alerting.api.resources import Alerting, TheService
from services.alerting.domain.notices import Notification
from services.alerting.handlers.follow_ups import actor_of
from services.alerting.handlers.notifications import (
    create_notification,
    delete_notification,
    found_notification,
    host_of,
    new_notification_id,
)
from services.alerting.outbound.gateways.egress import require_allowed
from services.alerting.store.notices import notifications
from shared.access.caller import Caller
from shared.api.follow_ups import SeverityName
from shared.api.notifications import ChannelName, NotificationItem, TopicName
from shared.errors import Conflict
from shared.http.auth import Manager, Reader
from shared.http.deps import TheDatabase
from shared.http.paging import Page
from shared.http.routing import Router

router = Router(prefix="/v1/notifications", tags=["notifications"])
NotificationId = Annotated[str, Path(max_length=200)]
MAX_NOTIFICATIONS = 200


class NewNotification(Input):
    """Whom to tell of what."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"channel": "mail", "topics": ["follow_ups", "escalations"]},
                {"channel": "slack", "url": "https://hooks.slack.com/services/T0/B0/secret", "topics": ["praise"]},
            ]
        },
    )

    channel: ChannelName
    address: Email | None = Field(
        default=None, description="Of mail: one address; by default whoever each follow-up concerns."
    )
    url: SecretStr | None = Field(
        default=None, max_length=2048, description="Of Slack and Teams: the incoming webhook of the room."
    )
    topics: list[TopicName] = Field(
        default=["follow_ups", "escalations", "webhooks"],
        min_length=1,
        max_length=4,
        description="`follow_ups`: new ones; `escalations`; `praise`: what promoters write; `webhooks`: endpoints that "
        "were disabled because their receiver is gone or only fails.",
    )
    min_severity: SeverityName = Field(default="low", description="Milder follow-ups are not told.")
    quiet_hours: bool = Field(default=True, strict=True, description="Whether to wait for business hours.")
    description: Line | None = None

    @model_validator(mode="after")
    def _has_an_address_of_its_kind(self) -> Self:
        if self.channel == "mail" and self.url is not None:
            raise ValueError("mail takes an address, not a url")
        if self.channel != "mail" and (self.url is None or self.address is not None):
            raise ValueError("Slack and Teams take the url of a room, and no address")
        return self


@router.post("", status_code=201, summary="Tell somebody")
async def create(
    body: NewNotification, caller: Manager, database: TheDatabase, service: TheService
) -> NotificationItem:
    """Notices wait for the comment and the rest of a burst, and go as one message for an account. A key limited to an
    owner is told of that owner's accounts.
    """
    url = None
    if body.url is not None:
        url = body.url.get_secret_value()
    await _require_reachable(service, body.channel, url)
    notification = _notification(body, caller, url)
    async with database.write() as tx:
        if len(await notifications(tx)) >= MAX_NOTIFICATIONS:
            raise Conflict("too_many_notifications", f"there are {MAX_NOTIFICATIONS} notifications")
        await create_notification(tx, service.resources.clock, service.vault, notification, url, actor_of(caller))
        return _shown(await found_notification(tx, notification.notification_id, caller))


@router.get("", summary="Who is told of what")
async def list_all(caller: Reader, database: TheDatabase) -> Page[NotificationItem]:
    """Oldest first, all on one page."""
    async with database.read() as tx:
        rows = await notifications(tx, caller.owner_email)
    return Page(items=[_shown(row) for row in rows])


@router.get("/{notification_id}", summary="One of them")
async def get(notification_id: NotificationId, caller: Reader, database: TheDatabase) -> NotificationItem:
    """404 also for another owner's."""
    async with database.read() as tx:
        return _shown(await found_notification(tx, notification_id, caller))


@router.delete("/{notification_id}", status_code=204, summary="Tell them no more")
async def delete(notification_id: NotificationId, caller: Manager, database: TheDatabase, service: TheService) -> None:
    """What waits for them is dropped."""
    async with database.write() as tx:
        await delete_notification(tx, service.resources.clock, notification_id, caller)


async def _require_reachable(service: Alerting, channel: str, url: str | None) -> None:
    if channel == "mail" and not service.mails:
        raise Conflict("mail_not_configured", "no mail server is set: TELLBACK_ALERTING_SMTP_HOST")
    if url is not None:
        await require_allowed(service.egress, url)


def _notification(body: NewNotification, caller: Caller, url: str | None) -> Notification:
    host = None
    if url:
        host = host_of(url)
    return Notification(
        notification_id=new_notification_id(),
        channel=body.channel,
        topics=tuple(dict.fromkeys(body.topics)),
        address=body.address,
        host=host,
        min_severity=body.min_severity,
        quiet_hours=body.quiet_hours,
        description=body.description,
        owner_email=caller.owner_email,
    )


def _shown(notification: Notification) -> NotificationItem:
    return NotificationItem.model_validate(
        {
            "id": notification.notification_id,
            "channel": notification.channel,
            "address": notification.address,
            "url": notification.host,
            "topics": list(notification.topics),
            "min_severity": notification.min_severity,
            "quiet_hours": notification.quiet_hours,
            "description": notification.description,
            "created_at": notification.created_at,
        }
    )
