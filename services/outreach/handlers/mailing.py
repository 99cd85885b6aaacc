"""Mails go: each is decided on, offered to the relay, decided on once more and noted as begun, and given to the relay.

The second decision and the note are one transaction, which holds the account: whoever objects, answers or is asked by a
link before it is not mailed, and a process that dies after it has sent the mail for all that anybody knows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.asks import SYSTEM, AskChange, kind_of
from services.outreach.domain.audience import Deployment
from services.outreach.domain.eligibility import Candidate
from services.outreach.domain.hours import start_of
from services.outreach.domain.planning import (
    Go,
    Hold,
    Planned,
    Skip,
    Terms,
    decide,
    is_reminded,
    reminders_of,
)
from services.outreach.domain.surveys import Survey
from services.outreach.gateways.relay import Trouble
from services.outreach.handlers.breaker import pause_if_refused
from services.outreach.handlers.candidates import known_people
from services.outreach.handlers.links import invitation_call
from services.outreach.handlers.mail_contents import MailContents, Readied
from services.outreach.handlers.versions import Versions
from services.outreach.store import contacts, programmes, readings, sends
from services.outreach.store.asks import lock_asking
from services.outreach.store.outgoing import queue
from services.outreach.store.programmes import StoredProgramme
from services.outreach.store.sends import DueMail
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx

AGAIN: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""When a mail that the relay put off is offered again, by how often it did; then every hour until its latest time."""
BETWEEN_REMINDERS: Final = timedelta(days=5)
"""The second reminder never follows the first more closely, also where that one came late."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Decides on mails, and writes down what became of them."""

    database: Database
    clock: Clock
    deployment: Deployment
    contents: MailContents
    versions: Versions
    daily_cap: int

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

    async def troubled(self, mail: DueMail, trouble: Trouble) -> None:
        """The relay has not taken the mail, and said why."""
        await self.database.retrying(lambda tx: self._troubled(tx, mail, trouble))

    async def put_off(self, mail: DueMail, reason: str, pause: timedelta) -> None:
        """Look at a mail again after a while."""
        now = self.clock.now()

        async def work(tx: WriteTx) -> None:
            if mail.kind == "reminder":
                await sends.remind_at(tx, mail, now + pause)
            elif await sends.find_due(tx, mail, now) is not None:
                await sends.hold(tx, mail, now, reason, now + pause)

        await self.database.retrying(work)

    async def _look_at(self, tx: WriteTx, seen: DueMail, circumstances: Terms) -> Readied | None:
        now = self.clock.now()
        mail = await sends.find_due(tx, seen, now)
        stored = await programmes.find(tx, seen.programme_id)
        if mail is None or stored is None:
            return None
        survey = await self.versions.get(tx, mail.survey_id, mail.survey_version)
        candidate = (await known_people(tx, [mail.person], self.contents.tokens, now))[mail.person].candidate
        planned = self._planned(stored, mail, candidate)
        terms = await self._terms(tx, stored, survey, circumstances)
        goes = False
        if mail.kind == "reminder":
            goes = await self._reminds(tx, mail, planned, terms, now)
        else:
            goes = await self._invites(tx, stored, mail, planned, terms)
        if not goes:
            return None
        readied = self.contents.readied(mail, stored.programme, survey, candidate, now)
        if readied is None:
            reason = "nobody may write its mails: name a sender of a domain in TELLBACK_OUTREACH_SENDER_DOMAINS"
            await programmes.pause_running(tx, mail.programme_id, reason, now, SYSTEM)
        return readied

    async def _terms(self, tx: ReadTx, stored: StoredProgramme, survey: Survey, circumstances: Terms) -> Terms:
        return replace(
            circumstances,
            kind=kind_of(survey.nps_kind),
            only_with_permission=stored.programme.only_with_permission,
            not_before_days=stored.programme.who.not_before_days,
            paused=stored.state != "running",
            reading_behind=circumstances.reading_behind or not await readings.is_done(tx),
        )

    def _planned(self, stored: StoredProgramme, mail: DueMail, candidate: Candidate) -> Planned:
        since = None
        if mail.member.customer_since is not None:
            since = start_of(mail.member.customer_since, self.deployment.zones.supplier)
        calendar = self.deployment.calendar(stored.programme.hours, mail.member)
        return Planned(candidate, calendar, mail.latest_at, since)

    async def _invites(
        self, tx: WriteTx, stored: StoredProgramme, mail: DueMail, planned: Planned, terms: Terms
    ) -> bool:
        """Whether the invitation goes now; else why not is written down."""
        now = self.clock.now()
        decision = decide(planned, terms, now)
        if isinstance(decision, Go):  # only now, since all mails of the day are counted for it
            decision = decide(planned, terms, now, await self._cap_until(tx, stored, mail, planned))
        match decision:
            case Skip(reason, detail):
                await sends.end(tx, mail, AskChange(now, "skipped", reason, detail, SYSTEM))
            case Hold(reason, until):
                await sends.hold(tx, mail, now, reason, until)
        return isinstance(decision, Go)

    async def _reminds(self, tx: WriteTx, mail: DueMail, planned: Planned, terms: Terms, now: datetime) -> bool:
        """Whether the reminder goes now; else it waits for an hour in which mails go, or there is none any more."""
        answered, finished = mail.answered_at is not None, mail.finished_at is not None
        closes_at = mail.closes_at or now
        # That the person was asked is why they are reminded, so only what forbids mails for good counts.
        decision = decide(replace(planned, latest_at=closes_at), replace(terms, reminder=True), now)
        if not is_reminded(mail.number, answered=answered, finished=finished) or isinstance(decision, Skip):
            await sends.remind_at(tx, mail, None)
            return False
        if isinstance(decision, Hold):
            await sends.remind_at(tx, mail, decision.until)
            return False
        return True

    async def _cap_until(self, tx: ReadTx, stored: StoredProgramme, mail: DueMail, planned: Planned) -> datetime | None:
        """When mails are left again, if today's are used up; a day is the supplier's."""
        zone = self.deployment.zones.supplier
        today = self.clock.now().astimezone(zone).date()
        counts = await sends.counts_since(tx, start_of(today, zone))
        of_programme = sum(count for (programme_id, _), count in counts.items() if programme_id == mail.programme_id)
        caps = stored.programme.caps
        if (
            sum(counts.values()) < self.daily_cap
            and of_programme < caps.programme
            and counts.get((mail.programme_id, mail.account_id), 0) < caps.account
        ):
            return None
        return planned.calendar.next_open(start_of(today + timedelta(days=1), zone))

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
        attempts = await sends.refused(tx, mail, now, trouble.reply, ended=ended)
        if attempts is None:
            return
        if trouble.kind == "recipient":
            await self._recipient_refused(tx, mail, trouble, now)
            return
        if trouble.kind == "policy":
            reason = f"the relay refuses our mails: {trouble.reply}"
            await programmes.pause_running(tx, mail.programme_id, reason, now, SYSTEM)
        until = now + AGAIN[min(attempts, len(AGAIN)) - 1] * _jitter(mail)
        if mail.kind == "reminder":
            await sends.remind_at(tx, mail, until)
        else:
            await sends.hold(tx, mail, now, "relay_away", until)

    async def _recipient_refused(self, tx: WriteTx, mail: DueMail, trouble: Trouble, now: datetime) -> None:
        """The recipient's server refuses the address: nobody writes to it until it is corrected."""
        person = {"account_id": mail.account_id, "stakeholder_id": mail.stakeholder_id}
        await contacts.note(tx, [{**person, "bounced_at": now}])
        await queue(tx, now, invitation_call(mail.ask_id, person, "bounced", now))
        if mail.kind == "reminder":
            await sends.remind_at(tx, mail, None)
        else:
            await sends.end(tx, mail, AskChange(now, "failed", "recipient_refused", trouble.reply, SYSTEM))
        await pause_if_refused(tx, mail.programme_id, now)


def _jitter(mail: DueMail) -> float:
    """0.8 to 1.2, by the ask: mails that were put off together do not come back together."""
    return 0.8 + mail.ask_id.int % 401 / 1000
