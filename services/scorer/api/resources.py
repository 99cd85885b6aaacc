"""What the routes of the scorer work with, put together by app.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends

from services.scorer.settings import ScorerSettings
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.http.deps import service
from shared.kafka.tail import Tail


@dataclass(frozen=True, slots=True)
class Scorer:
    """The scorer's resources, as `app.state.service`."""

    clock: Clock
    database: Database
    settings: ScorerSettings
    tail: Tail
    journal: Journal

    def moment(self, as_of: datetime | None) -> datetime:
        """The moment asked for, else now."""
        return as_of or self.clock.now()


Resources = Annotated[Scorer, Depends(service)]
