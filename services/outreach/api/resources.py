"""What the routes of outreach work with, put together by app.py."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from services.outreach.domain.audience import Deployment
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.reviews import Reviews
from services.outreach.settings import OutreachSettings
from shared.clock import Clock
from shared.db.engine import Database
from shared.http.deps import service


@dataclass(frozen=True, slots=True)
class Outreach:
    """The service's own resources, as `app.state.service`."""

    database: Database
    clock: Clock
    settings: OutreachSettings
    tokens: Tokens
    reviews: Reviews
    deployment: Deployment


TheService = Annotated[Outreach, Depends(service)]
