"""Sends the mails that ask nothing, in the turn of the sender of mails, after those that ask."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.outreach.gateways.notes import Note, letter_of_note
from services.outreach.gateways.relay import Trouble
from services.outreach.handlers.notices import Noticing
from services.outreach.jobs.carrier import WINDOW, Carrier
from services.outreach.store.notices import Notice
from shared.isolation import of_the_items
from shared.mail import Letter, wire_address
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class MailOfNotice:
    """Such a mail on its way."""

    noticing: Noticing
    notice: Notice
    note: Note

    @property
    def mail_id(self) -> UUID:
        """The notice."""
        return self.notice.notice_id

    @property
    def email(self) -> str:
        """The recipient's address."""
        return self.note.to.email

    @property
    def envelope_sender(self) -> str:
        """The sender's own address: what comes back names nothing that could be looked up."""
        return wire_address(self.note.sender.email)

    def letter(self) -> Letter:
        """Its words. Raises ValueError for an address that is none."""
        return letter_of_note(self.note)

    async def begin(self) -> bool:
        """Decide once more, and note that it is sent now."""
        return await self.noticing.begin(self.notice, self.note)

    async def taken(self, *, confirmed: bool) -> None:
        """Note that it was sent."""
        await self.noticing.taken(self.notice, self.noticing.clock.now(), confirmed=confirmed)

    async def troubled(self, trouble: Trouble) -> None:
        """Note why it was not."""
        await self.noticing.troubled(self.notice, trouble)


async def send_notices(
    noticing: Noticing, carrier: Carrier, has_turn: Callable[[], Awaitable[bool]], *, behind: bool
) -> int:
    """Send what is due, as long as this process has the turn; returns how many the relay has taken. None while the
    relay is away, or while it is not known what others have recorded."""
    if behind:
        return 0
    sent = 0
    for notice in await noticing.due(AT_ONCE):
        if carrier.is_away or not await has_turn():
            break
        try:
            sent += await _handle(noticing, carrier, notice)
        except Exception as error:
            if not of_the_items(error):
                raise
            # One mail that cannot be made stops no other.
            log.error("notice_broke", notice_id=str(notice.notice_id), exc_info=error)
            await noticing.put_off(notice, 60 * WINDOW)
    return sent


async def _handle(noticing: Noticing, carrier: Carrier, notice: Notice) -> bool:
    note = await noticing.look_at(notice)
    if note is None:
        return False
    if not carrier.allows(note.to.email):
        await noticing.put_off(notice, WINDOW)
        return False
    return await carrier.carry(MailOfNotice(noticing, notice, note))
