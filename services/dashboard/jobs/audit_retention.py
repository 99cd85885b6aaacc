"""Deletes lines of the audit that were kept long enough."""

from datetime import timedelta

from services.dashboard.store import audit
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.pieces import in_pieces

SECONDS = 3_600.0


class AuditRetention:
    """Deletes lines older than so many days; with 0 days none."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        self._database = database
        self._clock = clock
        self._days = days

    def periodic(self) -> Periodic:
        """The look once an hour."""
        return Periodic("audit-retention", SECONDS, self.look_once)

    async def look_once(self) -> None:
        """Delete what is too old by now. Raises `Unavailable`."""
        if self._days:
            before = self._clock.now() - timedelta(days=self._days)
            await in_pieces(self._database, lambda tx: audit.forget(tx, before))
