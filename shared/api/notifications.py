"""Notices to people, as the API tells of them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from shared.api.follow_ups import SeverityName

ChannelName = Literal["mail", "slack", "teams"]
TopicName = Literal["follow_ups", "escalations", "praise", "webhooks"]


class NotificationItem(BaseModel):
    """Somebody who is told. The address of a room is a secret and shown without its path."""

    id: str = Field(examples=["ntf_019a3f6c"])
    channel: ChannelName
    address: str | None
    url: str | None = Field(examples=["https://hooks.slack.com/…"])
    topics: list[TopicName]
    min_severity: SeverityName
    quiet_hours: bool
    description: str | None
    created_at: datetime
