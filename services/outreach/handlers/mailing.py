"""Mails go: each is decided on, offered to the relay, decided on once more and noted as begun, and given to the relay.

The second decision and the note are one transaction, which holds the account: whoever objects, answers or is asked by a
link before it is not mailed, and a process that dies after it has sent the mail for all that anybody knows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.asks import SYSTEM, AskChange, kind_of
from services.outreach.domain.audience import Deployment
from services.outreach.domain.planning import (
    Decision,
    Go,
    Hold,
    Planned,
    Skip,
    Terms,
    decide,
    is_reminded,
    planned_of,
    reminders_of,
    terms_of,
)
from services.outreach.domain.surveys import Survey
from services.outreach.gateways.relay import Trouble, again_after
from services.outreach.handlers.breaker import came_back, pause_if_refused
from services.outreach.handlers.candidates import known_people
from services.outreach.handlers.caps import DailyCaps
from services.outreach.handlers.facts import invitation_call
from services.outreach.handlers.mail_contents import MailContents, Readied
from services.outreach.handlers.versions import Versions
from services.outreach.store import contacts, loop_backs, planning, programmes, readings, reinvitations, sends
from services.outreach.store.asks import lock_asking
from services.outreach.store.outgoing import queue
from services.outreach.store.programmes import StoredProgramme
from services.outreach.store.sends import DueMail
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.set_aside import must_apply_at
from shared.db.transaction import ReadTx, WriteTx

BETWEEN_REMINDERS: Final = timedelta(days=5)
"""The second reminder never follows the first more closely, also where that one came late."""
SHARED: Final = Skip("shared_address", "somebody else of the account has the same address and is asked")


@dataclass(frozen=True, slots=True)
class Mailing:
    """Decides on mails, and writes down what became of them."""

    database: Database
    clock: Clock
    deployment: Deployment
    contents: MailContents
    versions: Versions
    caps: DailyCaps

    async def due(self, most: int) -> list[DueMail]:
        """Mails to be looked at now, one of each person: the others follow when it is known what became of it."""
        now = self.clock.now()
        async with self.database.read() as tx:
            found = await sends.due(tx, now, most)
        first: dict[tuple[str, str], DueMail] = {}
        for mail in found:
            first.setdefault(mail.person, mail)
        return list(first.values())

    async def look_at(self, mail: DueMail, circumstances: Terms) -> Readied | None:
        """Decide whether a mail goes now; what waits, or never goes, is written down, and None. `circumstances`: what
        holds for all mails now."""
        return await self.database.retrying(lambda tx: self._look_at(tx, mail, circumstances))

    async def begin(self, readied: Readied, circumstances: Terms) -> bool:
        """Decide once more, and note that the relay is given the mail now; False where it does not go any more."""

        hashed = self.contents.tokens.address_hash(readied.invitation.to.email)

        async def work(tx: WriteTx) -> bool:
            await lock_asking(tx)
            await tx.lock_accounts({readied.mail.account_id})
            now = await self._look_at(tx, readied.mail, circumstances)
            if now is None or now.invitation.to.email != readied.invitation.to.email:
                return False
            return await sends.begin(tx, readied.mail, hashed, readied.invitation.language, self.clock.now())

        return await self.database.retrying(work)

    async def taken(self, mail: DueMail, at: datetime, *, confirmed: bool) -> None:
        """The relay has taken the mail, or may have, if it is not `confirmed`: nobody gets one twice."""
        await self.database.retrying(lambda tx: self._taken(tx, mail, at, confirmed=confirmed))

    async def settle_interrupted(self) -> int:
        """Mails that were being sent when a process ended count as sent; returns how many."""
        async with self.database.read() as tx:
            found = await sends.interrupted(tx, self.clock.now())
        for mail, started in found:
            await self.taken(mail, started, confirmed=False)
        return len(found)

    async def invite_corrected(self) -> None:
        """Whose invitation came back gets it once more where the address was corrected since."""
        now = self.clock.now()
        await self.database.retrying(lambda tx: reinvitations.note_corrected(tx, now))

    async def troubled(self, mail: DueMail, trouble: Trouble) -> None:
        """The relay has not taken the mail, and said why."""
        await self.database.retrying(lambda tx: self._troubled(tx, mail, trouble))

    async def put_off(self, mail: DueMail, reason: str, pause: timedelta) -> None:
        """Look at a mail again after a while."""
        now = self.clock.now()

        async def work(tx: WriteTx) -> None:
            if await sends.find_due(tx, mail, now) is not None:
                await self._later(tx, mail, reason, now + pause)

        await self.database.retrying(work)

    async def _look_at(self, tx: WriteTx, seen: DueMail, circumstances: Terms) -> Readied | None:
        now = self.clock.now()
        mail = await sends.find_due(tx, seen, now)
        stored = await programmes.find(tx, seen.programme_id)
        if mail is None or stored is None:
            return None
        survey = await self.versions.get(tx, mail.survey_id, mail.survey_version)
        known = await known_people(tx, [mail.person], self.contents.tokens, now, stored.programme_id)
        candidate = known[mail.person].candidate
        planned = planned_of(candidate, mail.member, stored.programme, self.deployment, mail.latest_at)
        terms = await self._terms(tx, stored, mail, survey, circumstances)
        goes = False
        if mail.is_again:
            goes = await self._invites_again(tx, stored, mail, planned, terms)
        elif mail.kind == "reminder":
            goes = await self._reminds(tx, stored, mail, planned, terms)
        else:
            goes = await self._invites(tx, stored, mail, planned, terms)
        if not goes:
            return None
        heard = None
        if mail.kind == "invite":
            heard = await loop_backs.heard(tx, mail.person, survey.language_for((candidate.language,)))
        readied = self.contents.readied(mail, stored.programme, survey, candidate, now, heard)
        if readied is None:
            reason = "nobody may write its mails: name a sender of a domain in TELLBACK_OUTREACH_SENDER_DOMAINS"
            await programmes.pause_running(tx, mail.programme_id, reason, now, SYSTEM)
        return readied

    async def _terms(
        self, tx: ReadTx, stored: StoredProgramme, mail: DueMail, survey: Survey, circumstances: Terms
    ) -> Terms:
        """What holds for a mail. Where an objection or an erasure of the account could not be applied yet, it is not
        known who may be asked there."""
        is_read = await readings.is_done(tx) and not await must_apply_at(tx, mail.account_id)
        return replace(
            terms_of(stored.programme, kind_of(survey.nps_kind), circumstances),
            paused=circumstances.paused or stored.state != "running",
            reading_behind=circumstances.reading_behind or not is_read,
        )

    async def _invites(
        self, tx: WriteTx, stored: StoredProgramme, mail: DueMail, planned: Planned, terms: Terms
    ) -> bool:
        """Whether the invitation goes now; else why not is written down."""
        now = self.clock.now()
        decision = decide(planned, terms, now)
        if isinstance(decision, Go):  # only now, since all mails of the day are counted for it
            decision = decide(planned, terms, now, await self._cap_until(tx, stored, planned))
        if await self._shares(tx, mail, planned, terms, decision):
            decision = SHARED
        match decision:
            case Skip(reason, detail):
                await sends.end(tx, mail, AskChange(now, "skipped", reason, detail, SYSTEM))
            case Hold(reason, until):
                await sends.hold(tx, mail, now, reason, until)
        return isinstance(decision, Go)

    async def _shares(self, tx: ReadTx, mail: DueMail, planned: Planned, terms: Terms, decision: Decision) -> bool:
        """Whether somebody else with the same address is asked instead; what forbids asking for good comes first."""
        if terms.paused or terms.reading_behind or planned.candidate.email is None:
            return False
        if isinstance(decision, Skip) and decision.reason != "too_late":
            return False
        return await planning.is_shared(tx, mail.ask_id, planned.candidate)

    async def _invites_again(
        self, tx: WriteTx, stored: StoredProgramme, mail: DueMail, planned: Planned, terms: Terms
    ) -> bool:
        """Whether an invitation that came back goes now to the corrected address; else it waits, or does not go."""
        decision = await self._follows(tx, stored, mail, planned, terms)
        if isinstance(decision, Go) and await planning.is_shared(tx, mail.ask_id, planned.candidate):
            decision = SHARED
        match decision:
            case Skip(reason):
                await reinvitations.end(tx, mail, self.clock.now(), reason)
            case Hold(_, until):
                await reinvitations.put_off(tx, mail, until)
        return isinstance(decision, Go)

    async def _follows(
        self, tx: WriteTx, stored: StoredProgramme, mail: DueMail, planned: Planned, terms: Terms
    ) -> Decision:
        """Whether a further mail goes to somebody who was asked. That they were is why it goes, so only what forbids
        mails for good counts, and hours and caps."""
        now, terms = self.clock.now(), replace(terms, reminder=True)
        planned = replace(planned, latest_at=mail.closes_at or mail.latest_at)
        decision = decide(planned, terms, now)
        if isinstance(decision, Go):
            return decide(planned, terms, now, await self._cap_until(tx, stored, planned))
        return decision

    async def _reminds(
        self, tx: WriteTx, stored: StoredProgramme, mail: DueMail, planned: Planned, terms: Terms
    ) -> bool:
        """Whether the reminder goes now; else it waits for an hour in which mails go, or there is none any more."""
        answered, finished = mail.answered_at is not None, mail.finished_at is not None
        decision = await self._follows(tx, stored, mail, planned, terms)
        if not is_reminded(mail.number, answered=answered, finished=finished) or isinstance(decision, Skip):
            await sends.remind_at(tx, mail, None)
            return False
        if isinstance(decision, Hold):
            await sends.remind_at(tx, mail, decision.until)
            return False
        return True

    async def _cap_until(self, tx: ReadTx, stored: StoredProgramme, planned: Planned) -> datetime | None:
        return await self.caps.until(tx, planned.candidate.account_id, planned.calendar, stored)

    async def _later(self, tx: WriteTx, mail: DueMail, reason: str, until: datetime) -> None:
        """Look at a mail again then."""
        if mail.is_again:
            await reinvitations.put_off(tx, mail, until)
        elif mail.kind == "reminder":
            await sends.remind_at(tx, mail, until)
        else:
            await sends.hold(tx, mail, self.clock.now(), reason, until)

    async def _taken(self, tx: WriteTx, mail: DueMail, at: datetime, *, confirmed: bool) -> None:
        await tx.lock_accounts([mail.account_id])
        stored = await programmes.find(tx, mail.programme_id)
        survey = await self.versions.get(tx, mail.survey_id, mail.survey_version)
        if not await sends.taken(tx, mail, at, self._next_reminder(stored, mail, at), confirmed=confirmed):
            return
        person = {"account_id": mail.account_id, "stakeholder_id": mail.stakeholder_id}
        if mail.kind == "reminder":
            await queue(tx, at, invitation_call(mail.ask_id, person, "reminded", at))
            return
        moments = {"last_asked_at": at, f"{kind_of(survey.nps_kind)}_asked_at": at}
        await contacts.note(tx, [{**person, **moments}])
        further = {"survey_id": mail.survey_id, "channel": "email"}
        await queue(tx, at, invitation_call(mail.ask_id, person, "sent", at, **further))

    def _next_reminder(self, stored: StoredProgramme | None, mail: DueMail, at: datetime) -> datetime | None:
        """When the next reminder is due, counted from the invitation."""
        if stored is None:
            return None
        days = reminders_of(stored.programme.reminders, mail.member.type, mail.member.tier)
        sent, invited_at = 0, at
        if mail.kind == "reminder":
            sent, invited_at = mail.number, mail.sent_at or at
        if sent >= len(days):
            return None
        due_at = invited_at + timedelta(days=days[sent])
        if mail.kind == "reminder":
            return max(due_at, at + BETWEEN_REMINDERS)
        return due_at

    async def _troubled(self, tx: WriteTx, mail: DueMail, trouble: Trouble) -> None:
        now = self.clock.now()
        await tx.lock_accounts([mail.account_id])
        ended = trouble.kind == "recipient"
        attempts = await sends.refused(tx, mail, now, trouble.reply, ended=ended, counts=trouble.counts)
        if attempts is None:
            return
        if trouble.kind == "recipient":
            await self._recipient_refused(tx, mail, trouble, now)
            return
        if trouble.kind == "policy":
            reason = f"the relay refuses our mails: {trouble.reply}"
            await programmes.pause_running(tx, mail.programme_id, reason, now, SYSTEM)
        until = now + again_after(attempts, trouble) * _jitter(mail)
        await self._later(tx, mail, "relay_away", until)

    async def _recipient_refused(self, tx: WriteTx, mail: DueMail, trouble: Trouble, now: datetime) -> None:
        """The recipient's server refuses the address: nobody writes to it until it is corrected."""
        person = {"account_id": mail.account_id, "stakeholder_id": mail.stakeholder_id}
        await came_back(tx, mail.name, person, now, now)
        if mail.is_again:
            await reinvitations.end(tx, mail, now, trouble.reply)
        elif mail.kind == "reminder":
            await sends.remind_at(tx, mail, None)
        else:
            await sends.end(tx, mail, AskChange(now, "failed", "recipient_refused", trouble.reply, SYSTEM))
        await pause_if_refused(tx, mail.programme_id, now)


def _jitter(mail: DueMail) -> float:
    """0.8 to 1.2, by the ask: mails that were put off together do not come back together."""
    return 0.8 + mail.ask_id.int % 401 / 1000
