"""Reads at the first start, and again after lost records, when everybody was asked last. Until then no link is made."""

from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.everybody import Everybody, PersonRead
from services.outreach.handlers.reading import keep_people
from services.outreach.store import readings
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx

SECONDS = 15.0


class Reading:
    """The reading, done until it has succeeded. Two replicas may both do it: of each moment the latest counts."""

    def __init__(
        self, database: Database, everybody: Everybody, journal: Journal, tokens: Tokens, clock: Clock
    ) -> None:
        self._database, self._everybody = database, everybody
        self._journal, self._tokens, self._clock = journal, tokens, clock

    def periodic(self) -> Periodic:
        """The task."""
        return Periodic("first-reading", SECONDS, self.read)

    async def read(self) -> None:
        """Read everybody, unless that has been done."""
        async with self._database.read() as tx:
            if await readings.is_done(tx):
                return
            gap = await readings.accepted_gap(tx)
        async for people in self._everybody.pages():
            await self._keep(people)
        await self._database.retrying(lambda tx: readings.done(tx, gap, self._clock.now()))

    async def _keep(self, people: list[PersonRead]) -> None:
        async def keep(tx: WriteTx) -> None:
            await keep_people(tx, people, self._journal, self._tokens, self._clock.now())

        await self._database.retrying(keep)
