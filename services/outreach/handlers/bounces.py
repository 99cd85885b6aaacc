"""Mails come back, or somebody complains: the ask, the person and the programme know it from then on.

A mail is named by the envelope sender that we gave it (VERP), or by its Message-ID together with the address it went
to; whatever names none is kept without effect, and listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from services.outreach.domain.addresses import canonical_address
from services.outreach.domain.bounces import NAMED_FOR, SOFT_PROGRAMMES, SOFT_TOGETHER, Report
from services.outreach.domain.tokens import Opened, Tokens
from services.outreach.handlers.breaker import came_back, pause_if_refused
from services.outreach.handlers.objections import stop
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.store import bounces, contacts
from services.outreach.store.bounces import AskMail, NewBounce
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import uuid7

Source = Literal["api", "mail", "postmark", "sendgrid"]
MOST_NAMED: Final = 20
"""How many names of a report are looked at."""


@dataclass(frozen=True, slots=True)
class Bounces:
    """Takes reports in a transaction, at a moment."""

    tokens: Tokens
    now: datetime

    async def take(self, tx: WriteTx, report: Report, source: Source) -> Mapping[str, Any]:
        """Write a report down, and let it have its effect; one that came before changes nothing. Returns its row."""
        mail = await self._mail(tx, report)
        if mail is not None:
            await tx.lock_accounts({mail.account_id})
            mail = await bounces.find_mail(tx, mail.name)
        bounce = self._new(report, source, mail)
        if await bounces.add(tx, bounce) and mail is not None:
            await self._act(tx, mail, bounce)
        return await bounces.by_key(tx, report.key)

    async def _act(self, tx: WriteTx, mail: AskMail, bounce: NewBounce) -> None:
        report, effect = bounce.report, "none"
        person = {"account_id": mail.account_id, "stakeholder_id": mail.stakeholder_id}
        if report.kind in ("hard", "soft") and bounce.at > mail.mailed_at + NAMED_FOR:
            effect = "too_old"
        elif report.kind == "hard":
            await came_back(tx, mail.name, person, mail.mailed_at, self.now)
            effect = "bounced"
        elif report.kind == "soft":
            effect = await self._came_back_for_a_while(tx, mail, person)
        elif report.kind == "complaint":
            await stop(tx, self.tokens, Opened(mail.address_hash, mail.address_key_id), "complaint", self.now)
            effect = "objected"
        await bounces.set_effect(tx, bounce.bounce_id, effect)
        if effect == "bounced" and mail.programme_id is not None:
            await pause_if_refused(tx, mail.programme_id, self.now)

    async def _mail(self, tx: ReadTx, report: Report) -> AskMail | None:
        """The mail that a report is about. What we have made ourselves is known before anything is looked up."""
        for local_part in report.local_parts[:MOST_NAMED]:
            name = self.tokens.bounced(local_part)
            if name is not None:
                return await bounces.find_mail(tx, name)
        hashes = set()
        for recipient in report.recipients[:MOST_NAMED]:
            hashes |= {address_hash.digest for address_hash in hashes_of(self.tokens, recipient)}
        for name in report.mails[:MOST_NAMED]:
            mail = await bounces.find_mail(tx, name)
            if mail is not None and mail.address_hash in hashes:
                return mail
        return None

    def _new(self, report: Report, source: Source, mail: AskMail | None) -> NewBounce:
        at = self.now
        if report.at is not None:
            at = min(report.at, self.now)
        if mail is not None:
            return NewBounce(uuid7(), report, source, at, self.now, mail)
        return NewBounce(uuid7(), report, source, at, self.now, recipient_domain=_domain_of(report))

    async def _came_back_for_a_while(self, tx: WriteTx, mail: AskMail, person: Mapping[str, str]) -> str:
        """One alone says little; mails of different programmes let the person rest, from when the last of them went."""
        if await bounces.soft_programmes(tx, mail, mail.mailed_at - SOFT_TOGETHER) < SOFT_PROGRAMMES:
            return "counted"
        await contacts.note(tx, [{**person, "soft_bounced_at": mail.mailed_at}])
        return "held"


def _domain_of(report: Report) -> str | None:
    """The domain to which a mail of others went; the address itself is nobody's business here."""
    for recipient in report.recipients[:MOST_NAMED]:
        try:
            return canonical_address(recipient).rpartition("@")[2]
        except ValueError:
            continue
    return None
