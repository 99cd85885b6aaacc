"""The leaders' weekly mail: on Monday morning, once to each of them. What it says is asked of the other services before
the mails are written, and forgotten when they have gone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from services.outreach.domain.audience import Deployment
from services.outreach.domain.occasions import monday_of
from services.outreach.domain.waves import office
from services.outreach.domain.weekly import Week
from services.outreach.gateways.notes import Note, Part, Words
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.notices import Later, Never
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.store import notices, suppressions
from services.outreach.store.notices import NewNotice, Notice
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx
from shared.mail import Mailbox

LATEST: Final = timedelta(days=2)
"""A mail about last week that could not go by then does not go."""


@dataclass(frozen=True, slots=True)
class WeeklyMails:
    """Writes these mails on Monday morning, and says what they say. `week`: finds out what the last one brought, None
    where nobody can be asked; `pages`: where the dashboard is."""

    database: Database
    clock: Clock
    deployment: Deployment
    contents: MailContents
    week: Callable[[datetime], Awaitable[Week]] | None
    pages: str

    async def plan(self) -> bool:
        """Write the mails of this week when it is time; False, since there is nothing more to do now. Raises what the
        other services answer; it is tried again."""
        now, zone = self.clock.now(), self.deployment.zones.supplier
        monday = monday_of(now.astimezone(zone).date())
        calendar = office(zone, self.deployment.holidays.everywhere)
        due_at = calendar.next_open(datetime.combine(monday, time(), zone))
        leaders = self.contents.settings.leaders
        if self.week is None or not leaders or not due_at <= now <= due_at + LATEST:
            return False
        keys = {f"weekly {monday.isoformat()} {leader}": leader for leader in leaders}
        async with self.database.read() as tx:
            there = await notices.known(tx, keys)
        missing = {key: leader for key, leader in keys.items() if key not in there}
        if not missing:
            return False
        content = content_of(await self.week(now))
        new = [
            NewNotice(key, "weekly", now, recipient=leader, content=content, wave=monday)
            for key, leader in missing.items()
        ]
        await self.database.retrying(lambda tx: notices.add(tx, new, now))
        return False

    async def note(self, tx: WriteTx, notice: Notice, now: datetime) -> Note | Later | Never:
        """The mail to one leader; none to who has stopped it, and none about a week that nobody looks at any more."""
        if notice.recipient is None or notice.content is None:
            return Never("incomplete")
        if now > notice.created_at + LATEST:
            return Never("too_late")
        if await self._is_stopped(tx, notice.recipient):
            return Never("objected")
        sender = self.contents.colleague(notice.recipient)
        if sender is None:
            return Never("no_sender")
        return Note(
            sender=sender,
            to=Mailbox(notice.recipient),
            words=self._words(notice.content, notice.recipient),
            message_id=self.contents.message_id(notice.notice_id, notice.kind, 1),
            at=now,
        )

    async def refused(self, tx: WriteTx, notice: Notice, now: datetime) -> None:
        """Nobody else is told: whoever set the address sees it in the log."""

    async def _is_stopped(self, tx: ReadTx, email: str) -> bool:
        digests = {address_hash.digest for address_hash in hashes_of(self.contents.tokens, email)}
        found = await suppressions.objections(tx, digests)
        return any(objection.objected for objection in found.values())

    def _words(self, content: dict[str, Any], recipient: str) -> Words:
        stop_url = self.contents.stop_url(recipient)
        parts = []
        for title, lines, label, path in content["sections"]:
            parts.append(Part(title, lines, (label, f"{self.pages}{path}")))
        return Words(
            subject=content["subject"],
            paragraphs=[content["headline"]],
            parts=parts,
            small=["You get this mail from Tellback each Monday because TELLBACK_OUTREACH_LEADERS names you."],
            small_links=[("Stop all mails of Tellback", stop_url)],
            stop_url=stop_url,
        )


def content_of(week: Week) -> dict[str, Any]:
    """What the mail says, as it is kept until it has gone."""
    sections = [[part.title, list(part.lines), *part.page] for part in week.sections()]
    moved = week.fell.total() + week.rose.total()
    subject = f"Customers last week: {moved} moved, {len(week.at_risk)} at risk, {week.overdue.total()} overdue"
    return {"subject": subject, "headline": week.headline(), "sections": sections}
