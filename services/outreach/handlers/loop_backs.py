"""Loop-backs: what was changed is told once to those whose answers asked for it. Nobody is asked anything by them, so
no quarantine begins and none holds them back; objections do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.outreach.domain.audience import Deployment
from services.outreach.domain.eligibility import Candidate, refusal_of
from services.outreach.domain.page_words import page_words
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.notes import Note, Words
from services.outreach.handlers.candidates import Named, known_people, persons_of
from services.outreach.handlers.caps import DailyCaps
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.notices import Later, Never
from services.outreach.store import contacts, people, planning, surveys
from services.outreach.store import loop_backs as store
from services.outreach.store import notices as mails
from services.outreach.store.notices import NewNotice, Notice
from services.outreach.store.people import Chosen
from shared.access.caller import Caller
from shared.api.programmes import Hours
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import uuid7
from shared.mail import Mailbox

MOST: Final = 2_000
"""People of one loop-back."""
LATEST: Final = timedelta(days=14)
"""After which nobody is told any more who could not be told so far."""
ANYTHING: Final = "relationship"
"""What people are told is none of a survey's kinds; nothing that depends on one is looked at."""


@dataclass(frozen=True, slots=True)
class NewLoopBack:
    """What was changed: at an account, or about a `theme` that the people `named` have named. `answered_since`: whose
    answers are older is not told. `sender`: whose name the mails carry, else the owner's of each account."""

    changed: str
    language: str
    answered_since: datetime
    account_id: str | None = None
    theme: str | None = None
    named: tuple[Named, ...] = ()
    sender: Mailbox | None = None

    @property
    def line(self) -> str:
        """What the next invitation says of it: the last line."""
        return lines_of(self.changed)[-1]


def lines_of(text: str) -> list[str]:
    """Its lines, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


async def tell_changes(tx: WriteTx, new: NewLoopBack, tokens: Tokens, caller: Caller, now: datetime) -> UUID:
    """Write one mail for each who answered. Raises `NotFound` for an account that the caller does not see, `Invalid`
    for too many people, `Conflict` where nobody answered or no survey says in whose name mails go."""
    if new.account_id is None:
        caller.require_all_accounts()
    elif not await people.known_account(tx, new.account_id, caller.owner_email):
        raise NotFound("account_not_found", "there is no such account")
    if await surveys.published_last(tx) is None:
        raise Conflict("survey_not_published", "publish a survey first: mails name the company that it names")
    found = await _who_answered(tx, new, tokens, caller, now)
    if not found:
        raise Conflict("nobody_answered", "none of these people has answered since then")
    loop_back_id = uuid7()
    sender = new.sender or Mailbox("")
    row = {
        "loop_back_id": loop_back_id,
        "account_id": new.account_id,
        "theme": new.theme,
        "changed": new.changed,
        "line": new.line,
        "language": new.language,
        "sender_email": sender.email or None,
        "sender_name": sender.name or None,
        "created_at": now,
        "created_by": caller.actor,
    }
    await store.insert(tx, row)
    rows = []
    for candidate in found:
        rows.append(
            NewNotice(
                f"loop_back {loop_back_id} {candidate.account_id} {candidate.stakeholder_id}",
                "loop_back",
                now,
                loop_back_id=loop_back_id,
                account_id=candidate.account_id,
                stakeholder_id=candidate.stakeholder_id,
            )
        )
    await mails.add(tx, rows, now)
    return loop_back_id


async def withdraw_loop_back(tx: WriteTx, loop_back_id: UUID, caller: Caller, now: datetime) -> None:
    """Take it back before it has gone to everybody. Again it changes nothing. Raises `NotFound`, and `Conflict` where
    nobody waits for it any more."""
    found = await store.find(tx, loop_back_id, caller.owner_email)
    if found is None:
        raise NotFound("loop_back_not_found", "there is no such loop-back")
    if found["withdrawn_at"] is None and not await store.withdraw(tx, loop_back_id, now, caller.actor):
        raise Conflict("already_sent", "everybody has been told: nothing is left to take back")


async def _who_answered(
    tx: ReadTx, new: NewLoopBack, tokens: Tokens, caller: Caller, now: datetime
) -> Sequence[Candidate]:
    """Who answered since then, each address once: of several people at one the first by rank."""
    chosen = None
    if new.account_id is not None:
        chosen = Chosen(account_id=new.account_id)
    persons = await persons_of(tx, new.named, chosen, caller)
    found, addresses = [], set()
    known = await known_people(tx, persons, tokens, now)
    for candidate in sorted((person.candidate for person in known.values()), key=lambda candidate: candidate.rank):
        answered = (candidate.relationship_answered_at, candidate.transactional_answered_at)
        if not any(at is not None and at >= new.answered_since for at in answered):
            continue
        address = (candidate.email or "/".join(candidate.person)).lower()
        if address not in addresses:
            found.append(candidate)
        addresses.add(address)
    if len(found) > MOST:
        raise Invalid("too_many_people", f"at most {MOST} people are told at once; choose fewer")
    return found


@dataclass(frozen=True, slots=True)
class LoopBackMails:
    """Decides on the mails of loop-backs, and says what they say."""

    contents: MailContents
    deployment: Deployment
    caps: DailyCaps

    async def note(self, tx: WriteTx, notice: Notice, now: datetime) -> Note | Later | Never:
        """The mail to one person, in hours in which they are asked as well."""
        if notice.account_id is None or notice.stakeholder_id is None or notice.loop_back_id is None:
            return Never("incomplete")
        told = await store.find(tx, notice.loop_back_id)
        if told is None or told["withdrawn_at"] is not None:
            return Never("withdrawn")
        person = (notice.account_id, notice.stakeholder_id)
        candidate = (await known_people(tx, [person], self.contents.tokens, now))[person].candidate
        reason = _why_not(candidate, notice, now)
        if reason is not None or candidate.email is None:
            return Never(reason or "no_address")
        member = await planning.member(tx, person)
        if member is None:
            return Never("not_in_directory")
        calendar = self.deployment.calendar(Hours(), member)
        if not calendar.is_open(now):
            return Later(calendar.next_open(now))
        cap_until = await self.caps.until(tx, notice.account_id, calendar)
        if cap_until is not None:
            return Later(cap_until)
        account_name, owner_name = await people.account_names(tx, notice.account_id)
        sender = self.contents.named(told["sender_email"], told["sender_name"])
        sender = sender or self.contents.named(member.owner_email, owner_name)
        if sender is None:
            return Never("no_sender")
        words = await self._words(tx, dict(told), sender, candidate, account_name)
        return Note(
            sender=sender,
            to=Mailbox(candidate.email, candidate.name or ""),
            words=words,
            message_id=self.contents.message_id(notice.notice_id, notice.kind, 1),
            at=now,
        )

    async def refused(self, tx: WriteTx, notice: Notice, now: datetime) -> None:
        """Nobody writes to the address until it is corrected."""
        person = {"account_id": notice.account_id, "stakeholder_id": notice.stakeholder_id}
        await contacts.note(tx, [{**person, "bounced_at": now}])

    async def _words(
        self, tx: ReadTx, told: Mapping[str, Any], sender: Mailbox, candidate: Candidate, account_name: str | None
    ) -> Words:
        language: str = told["language"]
        words, survey = page_words(language), await surveys.published_last(tx)
        if survey is None:
            raise LookupError("no survey is published, so no mail says who writes")
        legal, us = survey.legal, survey.us or survey.legal.legal_name
        paragraphs = lines_of(told["changed"])
        stop_url = self.contents.stop_url(candidate.email or "")
        small = [
            words.say("mail_why", account=account_name or candidate.account_id, us=us),
            legal.legal_name,
            legal.postal_address,
        ]
        links = [
            (words.say("imprint"), legal.imprint_url),
            (words.say("privacy"), legal.privacy_url),
            (words.say("stop_all"), stop_url),
        ]
        return Words(
            subject=words.say("loop_back_subject"),
            paragraphs=[words.say("mail_heard"), *paragraphs],
            after=[line for line in (words.say("loop_back_thanks"), sender.name) if line],
            small=[line for line in small if line],
            small_links=[(label, url) for label, url in links if url],
            language=language,
            stop_url=stop_url,
        )


def _why_not(candidate: Candidate, notice: Notice, now: datetime) -> str | None:
    """Why a person is not told; None where they may be."""
    barred = refusal_of(candidate, ANYTHING, now, overriding=True)
    if barred is not None:
        return barred.reason
    if now > notice.created_at + LATEST:
        return "too_late"
    return None
