"""Carries mails to the relay, one at a time: so many a minute to each recipient domain, none while it is away."""

import time
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from services.outreach.domain.addresses import domain_of
from services.outreach.domain.relay import DkimKey
from services.outreach.gateways.relay import Relay, Trouble
from services.outreach.gateways.signing import signed
from shared.isolation import pause_after
from shared.mail import Letter, message_of, wire_address
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
WINDOW: Final = timedelta(minutes=1)
LONGEST_PAUSE_SECONDS: Final = 900.0


class Carried(Protocol):
    """A mail that may go."""

    @property
    def mail_id(self) -> UUID:
        """Names it in the log."""

    @property
    def email(self) -> str:
        """Whose it is."""

    @property
    def envelope_sender(self) -> str:
        """Where it comes back to."""

    def letter(self) -> Letter:
        """Its words. Raises ValueError for an address that is none."""

    async def begin(self) -> bool:
        """Decide once more, and note that the relay is given it now; False where it does not go any more."""

    async def taken(self, *, confirmed: bool) -> None:
        """The relay has it, or may have, if it is not `confirmed`."""

    async def troubled(self, trouble: Trouble) -> None:
        """The relay has not taken it, and said why."""


class Carrier:
    """The way to the relay. `remark`: that it is away, in words."""

    def __init__(self, relay: Relay, dkim: DkimKey | None, per_minute: int) -> None:
        self.relay = relay
        self.dkim = dkim
        self.remark: str | None = None
        self._rates = DomainRates(per_minute)
        self._away_until = 0.0
        self._away_times = 0

    @property
    def is_away(self) -> bool:
        """Whether the relay is left alone for a while."""
        return time.monotonic() < self._away_until

    def allows(self, email: str) -> bool:
        """Whether one more mail may go to the domain of an address now."""
        return self._rates.allows(email)

    async def carry(self, mail: Carried) -> bool:
        """Hand one mail over; returns whether the relay has taken it."""
        try:
            recipient = wire_address(mail.email)
        except ValueError:
            await mail.troubled(Trouble("recipient", "the address is none"))
            return False
        try:
            content = signed(message_of(mail.letter()), self.dkim)
        except ValueError as error:  # a key that does not sign, an address to reply to that is none: nobody's fault
            await mail.troubled(Trouble("policy", f"no mail can be written: {error}"))
            return False
        trouble = await self.relay.offer(mail.envelope_sender, recipient)
        if trouble is None:
            if not await self._begins(mail):
                return False
            trouble = await self.relay.give(content)
        if trouble is None or trouble.kind == "unknown":
            self._rates.count(mail.email)
            await mail.taken(confirmed=trouble is None)
            self._away_times, self._away_until, self.remark = 0, 0.0, None
            return True
        self._note(mail, trouble)
        await mail.troubled(trouble)
        return False

    async def _begins(self, mail: Carried) -> bool:
        """Whether a mail that the relay takes goes; one that does not, also because PostgreSQL is away, is not left at
        the relay: it would refuse the next one as out of order."""
        begun = False
        try:
            begun = await mail.begin()
        finally:
            if not begun:
                await self.relay.forget()
        return begun

    def _note(self, mail: Carried, trouble: Trouble) -> None:
        log.warning("mail_not_taken", mail_id=str(mail.mail_id), kind=trouble.kind, reply=trouble.reply[:3])
        if trouble.kind == "away":
            self._away_times += 1
            self._away_until = time.monotonic() + pause_after(self._away_times, LONGEST_PAUSE_SECONDS)
            self.remark = f"the mail relay is away: {trouble.reply}"


class DomainRates:
    """How many mails a recipient domain got in the last minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._sent: dict[str, list[float]] = {}

    def allows(self, email: str) -> bool:
        """Whether one more may go to the domain of an address now."""
        domain, since = domain_of(email), time.monotonic() - WINDOW.total_seconds()
        self._sent[domain] = [moment for moment in self._sent.get(domain, []) if moment > since]
        if not self._sent[domain]:
            del self._sent[domain]
            return True
        return len(self._sent[domain]) < self._per_minute

    def count(self, email: str) -> None:
        """One has gone there."""
        self._sent.setdefault(domain_of(email), []).append(time.monotonic())
