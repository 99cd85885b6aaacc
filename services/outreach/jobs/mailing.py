"""Sends the mails that are due, one after another, in one process at a time: caps and rates hold for all replicas."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from services.outreach.domain.planning import Terms
from services.outreach.gateways.letters import letter_of
from services.outreach.gateways.relay import Trouble
from services.outreach.handlers.mail_contents import Readied
from services.outreach.handlers.mailing import Mailing
from services.outreach.handlers.notices import Noticing
from services.outreach.handlers.pauses import watch_origin
from services.outreach.jobs.carrier import WINDOW, Carrier
from services.outreach.jobs.notices import send_notices
from services.outreach.store import turns
from services.outreach.store.sends import DueMail
from shared.background import Periodic
from shared.isolation import of_the_items
from shared.mail import Letter
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
SECONDS: Final = 5.0
AT_ONCE: Final = 50
TURN: Final = "mails"
TURN_SECONDS: Final = 60.0
BROKEN: Final = timedelta(hours=1)
"""After how long a mail that could not be made is tried again."""


@dataclass(frozen=True, slots=True)
class MailOfAsk:
    """An invitation or a reminder on its way."""

    mailing: Mailing
    readied: Readied
    circumstances: Terms

    @property
    def mail_id(self) -> UUID:
        """The ask."""
        return self.readied.mail.ask_id

    @property
    def email(self) -> str:
        """The recipient's address."""
        return self.readied.invitation.to.email

    @property
    def envelope_sender(self) -> str:
        """Names the ask, where bounces come back to an address of their own."""
        return self.readied.envelope_sender

    def letter(self) -> Letter:
        """Its words. Raises ValueError for an address that is none."""
        return letter_of(self.readied.invitation)

    async def begin(self) -> bool:
        """Decide once more, and note that it is sent now."""
        return await self.mailing.begin(self.readied, self.circumstances)

    async def taken(self, *, confirmed: bool) -> None:
        """Note that it was sent."""
        await self.mailing.taken(self.readied.mail, self.mailing.clock.now(), confirmed=confirmed)

    async def troubled(self, trouble: Trouble) -> None:
        """Note why it was not."""
        await self.mailing.troubled(self.readied.mail, trouble)


class MailSender:
    """The sender of one process. `is_behind`: whether what others have recorded is not read yet."""

    def __init__(self, mailing: Mailing, noticing: Noticing, carrier: Carrier, is_behind: Callable[[], bool]) -> None:
        self._paused: str | None = None
        self._mailing = mailing
        self._noticing = noticing
        self._carrier = carrier
        self._is_behind = is_behind
        self._holder = uuid4()
        self.sending = Periodic("mails", SECONDS, self.round)

    @property
    def remark(self) -> str | None:
        """That no mail goes, or that the relay is away, in words."""
        if self._paused is not None:
            return f"no mail is sent: {self._paused}; `tellback resume-sending` lets them go"
        return self._carrier.remark

    async def round(self) -> bool:
        """Send what is due; returns whether there may be more now."""
        if not await self._has_turn():
            return False
        self._paused = await watch_origin(self._mailing.database, self._mailing.clock.now())
        await self._mailing.settle_interrupted()
        if self._paused is None:
            await self._mailing.invite_corrected()
        mails = await self._mailing.due(AT_ONCE)
        supports_smtputf8 = True
        if mails and not self._carrier.is_away:
            supports_smtputf8 = await self._carrier.relay.supports_smtputf8()
        sent = 0
        for mail in mails:
            if not await self._has_turn():
                break
            try:
                sent += await self._handle(mail, supports_smtputf8=supports_smtputf8)
            except Exception as error:
                if not of_the_items(error):
                    raise
                # One mail that cannot be made stops no other.
                log.error("mail_broke", ask_id=str(mail.ask_id), exc_info=error)
                await self._mailing.put_off(mail, "relay_away", BROKEN)
        if self._paused is None:
            sent += await send_notices(self._noticing, self._carrier, self._has_turn, behind=self._is_behind())
        return sent > 0

    async def close(self) -> None:
        """End the connection to the relay."""
        await self._carrier.relay.quit()

    async def _has_turn(self) -> bool:
        database = self._mailing.database
        return await database.retrying(lambda tx: turns.take_turn(tx, TURN, self._holder, TURN_SECONDS))

    async def _handle(self, mail: DueMail, *, supports_smtputf8: bool) -> bool:
        """Decide on one mail, and send it if it goes; returns whether the relay has taken it."""
        circumstances = Terms(
            "",
            paused=self._paused is not None,
            reading_behind=self._is_behind(),
            relay_away=self._carrier.is_away,
            supports_smtputf8=supports_smtputf8,
        )
        readied = await self._mailing.look_at(mail, circumstances)
        if readied is None:
            return False
        if not self._carrier.allows(readied.invitation.to.email):
            await self._mailing.put_off(mail, "cap", WINDOW)
            return False
        return await self._carrier.carry(MailOfAsk(self._mailing, readied, circumstances))
