"""What the routes of outreach work with, put together by app.py."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Header

from services.outreach.domain.audience import Deployment
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.reviews import Reviews
from services.outreach.handlers.sending_domain import Ask
from services.outreach.handlers.versions import Versions
from services.outreach.settings import OutreachSettings
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.http.client import Api
from shared.http.deps import service


@dataclass(frozen=True, slots=True)
class Outreach:
    """The service's own resources, as `app.state.service`. Days are those of `zone`. `api`: the other services, asked
    with outreach's own key; None without one."""

    database: Database
    clock: Clock
    settings: OutreachSettings
    tokens: Tokens
    journal: Journal
    reviews: Reviews
    zone: ZoneInfo
    deployment: Deployment
    dns: Ask
    versions: Versions
    api: Api | None = None


TheService = Annotated[Outreach, Depends(service)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="Send the same key with every try of the same request: the same links are answered.",
    ),
]
