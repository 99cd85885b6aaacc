"""A programme that has paused itself asks nobody until somebody has looked: leaders are told, once for each pause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.asks import SYSTEM
from services.outreach.gateways.notes import Note, Words
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.notices import Later, Never
from services.outreach.store import notices, programmes
from services.outreach.store.notices import NewNotice, Notice
from shared.clock import Clock, rfc3339
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.mail import Mailbox

LATEST: Final = timedelta(days=7)
"""Who becomes a leader is not told of what has rested longer."""


@dataclass(frozen=True, slots=True)
class PauseNotices:
    """Writes these mails, and says what they say. `pages`: where the dashboard is."""

    database: Database
    clock: Clock
    contents: MailContents
    pages: str

    async def plan(self) -> bool:
        """Write the mails about programmes that rest since they have paused themselves; False, since there is nothing
        more to do now."""
        leaders, now = self.contents.settings.leaders, self.clock.now()
        if not leaders:
            return False
        async with self.database.read() as tx:
            paused = await programmes.paused_by(tx, SYSTEM, now - LATEST)
        new = []
        for programme_id, paused_at in paused:
            for leader in leaders:
                key = f"paused {programme_id} {rfc3339(paused_at)} {leader}"
                new.append(NewNotice(key, "paused", now, recipient=leader, programme_id=programme_id))
        if new:
            await self.database.retrying(lambda tx: notices.add(tx, new, now))
        return False

    async def note(self, tx: WriteTx, notice: Notice, now: datetime) -> Note | Later | Never:
        """The mail to one leader; none where somebody was faster."""
        if notice.programme_id is None or notice.recipient is None:
            return Never("incomplete")
        stored = await programmes.find(tx, notice.programme_id)
        if stored is None or stored.state != "paused":
            return Never("not_paused")
        sender = self.contents.colleague(notice.recipient, stored.programme.sender)
        if sender is None:
            return Never("no_sender")
        words = Words(
            subject=f"“{stored.programme.name}” has paused itself",
            paragraphs=[
                f"The programme “{stored.programme.name}” sends no mail any more: {stored.reason}.",
                "Nobody who waits is lost: they are asked when it is started again, as long as it is their time.",
            ],
            link=("The programme", f"{self.pages}/surveys/programmes/{stored.programme_id}"),
            small=["You get this mail from Tellback because TELLBACK_OUTREACH_LEADERS names you."],
        )
        message_id = self.contents.message_id(notice.notice_id, notice.kind, 1)
        return Note(sender=sender, to=Mailbox(notice.recipient), words=words, message_id=message_id, at=now)

    async def refused(self, tx: WriteTx, notice: Notice, now: datetime) -> None:
        """The page says it all the same."""
