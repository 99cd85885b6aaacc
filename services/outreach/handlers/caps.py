"""The most mails of a day: of a programme, to an account and altogether. Reminders and loop-backs count as well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.outreach.domain.audience import Deployment
from services.outreach.domain.hours import start_of
from services.outreach.store.mail_counts import counts_since
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import Caps
from shared.calendar import BusinessCalendar
from shared.clock import Clock
from shared.db.transaction import ReadTx


@dataclass(frozen=True, slots=True)
class DailyCaps:
    """Counts the mails of today; a day is the supplier's. `altogether`: the most of the deployment."""

    clock: Clock
    deployment: Deployment
    altogether: int

    async def until(
        self, tx: ReadTx, account_id: str, calendar: BusinessCalendar, stored: StoredProgramme | None = None
    ) -> datetime | None:
        """When a person of the account may get mails again, in the hours of `calendar`, if today's are used up; without
        a programme the account's usual cap counts."""
        zone = self.deployment.zones.supplier
        today = self.clock.now().astimezone(zone).date()
        counts = await counts_since(tx, start_of(today, zone))
        caps, of_programme = Caps(), 0
        if stored is not None:
            caps = stored.programme.caps
            of_programme = sum(count for (found, _), count in counts.items() if found == stored.programme_id)
        of_account = sum(count for (_, found), count in counts.items() if found == account_id)
        if sum(counts.values()) < self.altogether and of_programme < caps.programme and of_account < caps.account:
            return None
        return calendar.next_open(start_of(today + timedelta(days=1), zone))
