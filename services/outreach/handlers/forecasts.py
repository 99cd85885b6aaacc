"""What programmes that ask now would do next, looked at anew once a day: the calendar of waves is made of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.outreach.domain.audience import Deployment
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.dry_runs import dry_run
from services.outreach.store import programmes
from services.outreach.store.programmes import StoredProgramme
from shared.access.caller import Caller
from shared.api.programmes import Calendar, CalendarEntry, DryRun
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import Conflict

AGAIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Keeps what programmes would do up to date."""

    database: Database
    clock: Clock
    tokens: Tokens
    deployment: Deployment

    async def look(self, stored: StoredProgramme) -> DryRun:
        """See what a programme would do, and keep it. Raises `Conflict` as `dry_run`."""
        found = await dry_run(self.database, stored, self.tokens, self.deployment, self.clock.now())
        await self.database.retrying(lambda tx: programmes.keep_forecast(tx, stored.programme_id, found))
        return found

    async def round(self) -> bool:
        """Look at the next programme that asks now and was not looked at for a day; returns whether there was one. One
        that cannot ask, since its survey is archived, is passed over."""
        async with self.database.read() as tx:
            running = await programmes.running(tx)
            kept = await programmes.forecasts(tx)
        for stored in running:
            found = kept.get(stored.programme_id)
            if found is not None and found.from_ > self.clock.now() - AGAIN:
                continue
            try:
                await self.look(stored)
            except Conflict:
                continue
            return True
        return False


async def calendar(tx: ReadTx, caller: Caller) -> Calendar:
    """The coming waves of the programmes that ask now; those of the caller's accounts, where it is limited to an
    owner."""
    kept = await programmes.forecasts(tx)
    items = []
    for stored in await programmes.running(tx):
        found = kept.get(stored.programme_id)
        if found is None:
            continue
        for wave in found.waves:
            if caller.owner_email in (None, wave.owner):
                items.append(
                    CalendarEntry(
                        programme_id=stored.programme_id,
                        programme_name=stored.programme.name,
                        week=wave.week,
                        owner=wave.owner,
                        count=wave.count,
                    )
                )
    items.sort(key=lambda entry: (entry.week, entry.programme_name, entry.programme_id, entry.owner or ""))
    return Calendar(items=items)
