"""Five working days before the week of a wave each owner gets a mail: these of your people are asked, correct the list
if it is wrong. Who says nothing lets it go."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.outreach.domain.asks import UNSENT
from services.outreach.domain.audience import Deployment
from services.outreach.domain.waves import first_shown, latest_of, monday_until, office, shown_from
from services.outreach.gateways.notes import Note, Words
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.notices import Later, Never
from services.outreach.store import notices, programmes, response_targets, waves
from services.outreach.store.notices import NewNotice, Notice
from services.outreach.store.programmes import StoredProgramme
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.mail import Mailbox

RESTS: Final = timedelta(hours=6)
"""When the list of a programme that rests is looked at again."""
MOST_NAMED: Final = 20
PEOPLE: Final = ("person", "people")
SILENCE: Final = "If the list is right, do nothing: they are asked."


@dataclass(frozen=True, slots=True)
class OwnerLists:
    """Writes these mails, when it is time, and says what they say. `pages`: where the dashboard is."""

    database: Database
    clock: Clock
    deployment: Deployment
    contents: MailContents
    pages: str

    async def plan(self) -> bool:
        """Write the mails for which it is time, each once; False, since there is nothing more to do now."""
        now = self.clock.now()
        calendar = office(self.deployment.zones.supplier, self.deployment.holidays.everywhere)
        async with self.database.read() as tx:
            found = await waves.owners(tx, first_shown(now))
            running = {stored.programme_id: stored for stored in await programmes.running(tx)}
        new = []
        for programme_id, latest_at, owner in found:
            monday, stored = monday_until(latest_at), running.get(programme_id)
            if stored is None or not stored.programme.owners_look or shown_from(monday, calendar) > now:
                continue
            key = f"owner_list {programme_id} {monday.isoformat()} {owner}"
            new.append(
                NewNotice(key, "owner_list", calendar.next_open(now), owner, programme_id=programme_id, wave=monday)
            )
        if new:
            await self.database.retrying(lambda tx: notices.add(tx, new, now))
        return False

    async def note(self, tx: WriteTx, notice: Notice, now: datetime) -> Note | Later | Never:
        """The mail to one owner about one wave; none where nobody waits any more."""
        if notice.programme_id is None or notice.wave is None or notice.recipient is None:
            return Never("incomplete")
        stored = await programmes.find(tx, notice.programme_id)
        if stored is None or stored.state == "ended":
            return Never("programme_ended")
        names = await self._who_waits(tx, notice.programme_id, notice.wave, notice.recipient)
        if not names:
            return Never("nobody_waits")
        if stored.state != "running":
            return Later(now + RESTS)
        sender = self.contents.colleague(notice.recipient, stored.programme.sender)
        if sender is None:
            return Never("no_sender")
        targets = {row["owner"]: row["target"] for row in await response_targets.listed(tx, notice.recipient)}
        return Note(
            sender=sender,
            to=Mailbox(notice.recipient),
            words=self._words(stored, notice.wave, names, targets.get(notice.recipient)),
            message_id=self.contents.message_id(notice.notice_id, notice.kind, 1),
            at=now,
        )

    async def refused(self, tx: WriteTx, notice: Notice, now: datetime) -> None:
        """The page has the list all the same."""

    async def _who_waits(self, tx: WriteTx, programme_id: str, monday: date, owner: str) -> Counter[str]:
        """Account -> how many of its people wait to be asked."""
        names: Counter[str] = Counter()
        for row in await waves.people(tx, programme_id, latest_of(monday), owner, None):
            if row["state"] in UNSENT:
                names[row["account_name"] or row["account_id"]] += 1
        return names

    def _words(self, stored: StoredProgramme, monday: date, names: Counter[str], target: float | None) -> Words:
        count, accounts = _counted(names.total(), *PEOPLE), _counted(len(names), "account", "accounts")
        lines = []
        for name, people in list(names.items())[:MOST_NAMED]:
            lines.append(f"{name}: {_counted(people, *PEOPLE)}")
        if len(names) > MOST_NAMED:
            lines.append(f"and {len(names) - MOST_NAMED} more")
        paragraphs = [
            f"In the week of {monday:%-d %B %Y} “{stored.programme.name}” asks {count} at {accounts} of yours.",
            "You know them best: correct an address, add somebody who is missing, or leave somebody out and say"
            f" why. {SILENCE}",
        ]
        if target is not None:
            paragraphs.append(f"Your target is that {100 * target:g} % of those who are asked answer.")
        return Words(
            subject=f"Please check whom we ask in the week of {monday:%-d %B}",
            paragraphs=paragraphs,
            lines=lines,
            link=("The list", f"{self.pages}/surveys/waves/{stored.programme_id}/{monday.isoformat()}"),
            small=["You get this mail from Tellback because you own these accounts."],
        )


def _counted(number: int, one: str, several: str) -> str:
    if number == 1:
        return f"1 {one}"
    return f"{number} {several}"
