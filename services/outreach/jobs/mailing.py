"""Sends the mails that are due, one after another, in one process at a time: caps and rates hold for all replicas."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import uuid4

from services.outreach.domain.planning import Terms
from services.outreach.domain.relay import DkimKey
from services.outreach.gateways.letters import letter_of
from services.outreach.gateways.relay import Relay, Trouble
from services.outreach.gateways.signing import signed
from services.outreach.handlers.mail_contents import Readied
from services.outreach.handlers.mailing import Mailing
from services.outreach.store import sends
from services.outreach.store.sends import DueMail
from shared.background import Periodic
from shared.isolation import of_the_items, pause_after
from shared.mail import message_of, wire_address
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
SECONDS: Final = 5.0
AT_ONCE: Final = 50
TURN: Final = "mails"
TURN_SECONDS: Final = 60.0
WINDOW: Final = timedelta(minutes=1)
LONGEST_PAUSE_SECONDS: Final = 900.0
BROKEN: Final = timedelta(hours=1)
"""After how long a mail that could not be made is tried again."""


class MailSender:
    """The sender of one process. `is_behind`: whether what others have recorded is not read yet."""

    def __init__(
        self, mailing: Mailing, relay: Relay, dkim: DkimKey | None, per_minute: int, is_behind: Callable[[], bool]
    ) -> None:
        self._mailing = mailing
        self._relay = relay
        self._dkim = dkim
        self._is_behind = is_behind
        self._rates = DomainRates(per_minute)
        self._holder = uuid4()
        self._away_until = 0.0
        self._away_times = 0
        self.remark: str | None = None
        self.sending = Periodic("mails", SECONDS, self.round)

    async def round(self) -> bool:
        """Send what is due; returns whether there may be more now."""
        database = self._mailing.database
        if not await database.retrying(lambda tx: sends.take_turn(tx, TURN, self._holder, TURN_SECONDS)):
            return False
        await self._mailing.settle_interrupted()
        mails = await self._mailing.due(AT_ONCE)
        supports_smtputf8 = True
        if mails and not self._is_away:
            supports_smtputf8 = await self._relay.supports_smtputf8()
        sent = 0
        for mail in mails:
            if not await database.retrying(lambda tx: sends.take_turn(tx, TURN, self._holder, TURN_SECONDS)):
                break
            try:
                sent += await self._handle(mail, supports_smtputf8=supports_smtputf8)
            except Exception as error:
                if not of_the_items(error):
                    raise
                # One mail that cannot be made stops no other.
                log.error("mail_broke", ask_id=str(mail.ask_id), exc_info=error)
                await self._mailing.put_off(mail, "relay_away", BROKEN)
        return sent > 0

    async def _handle(self, mail: DueMail, *, supports_smtputf8: bool) -> bool:
        """Decide on one mail, and send it if it goes; returns whether the relay has taken it."""
        circumstances = Terms(
            "", reading_behind=self._is_behind(), relay_away=self._is_away, supports_smtputf8=supports_smtputf8
        )
        readied = await self._mailing.look_at(mail, circumstances)
        if readied is None:
            return False
        if not self._rates.allows(readied.invitation.to.email):
            await self._mailing.put_off(mail, "cap", WINDOW)
            return False
        return await self._send(readied, circumstances)

    async def close(self) -> None:
        """End the connection to the relay."""
        await self._relay.quit()

    @property
    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    async def _send(self, readied: Readied, circumstances: Terms) -> bool:
        """Send one mail; returns whether the relay has taken it."""
        mail = readied.mail
        try:
            recipient = wire_address(readied.invitation.to.email)
        except ValueError:
            await self._mailing.troubled(mail, Trouble("recipient", "the address is none"))
            return False
        try:
            content = signed(message_of(letter_of(readied.invitation)), self._dkim)
        except ValueError as error:  # a key that does not sign, an address to reply to that is none: nobody's fault
            await self._mailing.troubled(mail, Trouble("policy", f"no mail can be written: {error}"))
            return False
        trouble = await self._relay.offer(readied.envelope_sender, recipient)
        if trouble is None:
            if not await self._mailing.begin(readied, circumstances):
                await self._relay.forget()
                return False
            trouble = await self._relay.give(content)
        if trouble is None or trouble.kind == "unknown":
            self._rates.count(readied.invitation.to.email)
            await self._mailing.taken(mail, self._mailing.clock.now(), confirmed=trouble is None)
            self._reached()
            return True
        self._note(mail, trouble)
        await self._mailing.troubled(mail, trouble)
        return False

    def _note(self, mail: DueMail, trouble: Trouble) -> None:
        log.warning("mail_not_taken", ask_id=str(mail.ask_id), kind=trouble.kind, reply=trouble.reply[:3])
        if trouble.kind == "away":
            self._away_times += 1
            self._away_until = time.monotonic() + pause_after(self._away_times, LONGEST_PAUSE_SECONDS)
            self.remark = f"the mail relay is away: {trouble.reply}"

    def _reached(self) -> None:
        self._away_times, self._away_until, self.remark = 0, 0.0, None


class DomainRates:
    """How many mails a recipient domain got in the last minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._sent: dict[str, list[float]] = {}

    def allows(self, email: str) -> bool:
        """Whether one more may go to the domain of an address now."""
        domain, since = email.rpartition("@")[2].lower(), time.monotonic() - WINDOW.total_seconds()
        self._sent[domain] = [moment for moment in self._sent.get(domain, []) if moment > since]
        if not self._sent[domain]:
            del self._sent[domain]
            return True
        return len(self._sent[domain]) < self._per_minute

    def count(self, email: str) -> None:
        """One has gone there."""
        self._sent.setdefault(email.rpartition("@")[2].lower(), []).append(time.monotonic())
