"""What the pages work with, put together by app.py."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.versions import Versions
from services.outreach.web.strangers import Strangers
from shared.clock import Clock
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class Pages:
    """The resources of the pages, as `app.state.pages`. `wake` starts the sender of queued calls; days are those
    of `zone`."""

    database: Database
    clock: Clock
    tokens: Tokens
    versions: Versions
    strangers: Strangers
    wake: Callable[[], None]
    zone: ZoneInfo
