"""A survey's invitation as a mail to oneself: to see it in one's own mail program, and to answer it as a test.

It goes at once, past programmes, caps and hours, so it goes only to addresses of the company or those that the settings
name. Its ask is of origin `test`: it counts nowhere, no fact is told of it, and its answer is recorded as a test.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from services.outreach.domain.addresses import domain_of
from services.outreach.domain.asks import NewAsk, PublishedSurvey
from services.outreach.domain.mail_names import MailName
from services.outreach.domain.relay import RelaySettings
from services.outreach.domain.surveys import Survey
from services.outreach.gateways.letters import Invitation, letter_of
from services.outreach.gateways.relay import Relay, Trouble
from services.outreach.gateways.signing import signed
from services.outreach.handlers.links import link_of, published_survey
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.handlers.versions import Versions
from services.outreach.store import mail_tests as store
from services.outreach.store import suppressions
from services.outreach.store.asks import insert_asks
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, TooMany, Unavailable
from shared.mail import Mailbox, message_of, wire_address

ACCOUNT: Final = "test-sends"
"""The account that test asks name; it is in no directory."""
EXAMPLE_ACCOUNT: Final = "Example Ltd"
"""Where a mail names the recipient's company."""
MOST_AN_HOUR: Final = 60
RETRY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class WantedTest:
    """Who wants which survey in which language, and where; `sender` is whose name the mail carries."""

    survey_id: str
    actor: str
    to: Mailbox
    sender: Mailbox | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SentTest:
    """What was sent. `confirmed`: the relay said that it took the mail, and its answer was not lost."""

    ask_id: UUID
    survey: PublishedSurvey
    invitation: Invitation
    closes_at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class MailTests:
    """Sends test mails over a connection of their own."""

    database: Database
    clock: Clock
    contents: MailContents
    versions: Versions

    async def send(self, wanted: WantedTest) -> SentTest:
        """Send one now.

        Raises `Conflict` without a relay, for a survey that is not published, for an address that objected, and where
        the relay refuses the mail; `Invalid` for an address or a sender that is not the company's; `NotFound`;
        `TooMany`; `Unavailable` while the relay is away.
        """
        settings = self.contents.settings
        if settings.relay is None:
            raise Conflict("no_relay", "no relay is set (TELLBACK_OUTREACH_SMTP_HOST), so nothing is sent; links work")
        sender = self._sender_of(wanted)
        now = self.clock.now()
        async with self.database.read() as tx:
            survey = await published_survey(tx, wanted.survey_id)
            await self._require_allowed(tx, wanted.to.email, now)
            content = await self.versions.get(tx, survey.survey_id, survey.version)
        ask = _ask(survey, wanted, now)
        try:
            invitation = self._invitation(ask, content, sender, wanted)
            mail = signed(message_of(letter_of(invitation)), settings.dkim)
        except ValueError as error:
            raise Conflict("mail_refused", f"no mail can be written: {error}") from None
        trouble = await self._hand_over(settings.relay, ask, invitation, mail)
        return SentTest(ask.ask_id, survey, invitation, ask.closes_at or now, confirmed=trouble is None)

    def _invitation(self, ask: NewAsk, content: Survey, sender: Mailbox, wanted: WantedTest) -> Invitation:
        """Raises ValueError for an address that is none."""
        contents = self.contents
        return Invitation(
            kind="test",
            survey=content,
            language=content.language_for((wanted.language,)),
            sender=sender,
            to=wanted.to,
            account_name=EXAMPLE_ACCOUNT,
            ask_url=link_of(contents.settings.public_url, contents.tokens, ask.ask_id),
            stop_url=contents.stop_url(wanted.to.email),
            message_id=contents.message_id(ask.ask_id, "test", 1),
            at=ask.created_at,
        )

    def _sender_of(self, wanted: WantedTest) -> Mailbox:
        """Whose name the mail carries: the recipient's own, unless another one is given."""
        settings = self.contents.settings
        own = {domain.lower() for domain in settings.sender_domains}
        listed = {address.lower() for address in settings.test_addresses}
        if domain_of(wanted.to.email) not in own and wanted.to.email.lower() not in listed:
            detail = (
                "test mails go to domains in TELLBACK_OUTREACH_SENDER_DOMAINS and to addresses in"
                " TELLBACK_OUTREACH_TEST_ADDRESSES only"
            )
            raise _invalid("email", "not_a_test_address", detail)
        sender = wanted.sender or wanted.to
        if domain_of(sender.email) not in own:
            detail = "name a sender of a domain in TELLBACK_OUTREACH_SENDER_DOMAINS"
            raise _invalid("sender_email", "not_a_sender", detail)
        return sender

    async def _require_allowed(self, tx: ReadTx, email: str, now: datetime) -> None:
        """Raises `Conflict` for somebody who objected, and `TooMany`."""
        digests = [hashed.digest for hashed in hashes_of(self.contents.tokens, email)]
        listed = await suppressions.objections(tx, digests)
        if any(objection.objected for objection in listed.values()):
            raise Conflict("objected", "mails to this address were stopped; take that back under suppressions first")
        if await store.count_since(tx, now - timedelta(hours=1)) >= MOST_AN_HOUR:
            raise TooMany("too_many_tests", f"at most {MOST_AN_HOUR} test mails an hour", retry_after=RETRY_SECONDS)

    async def _hand_over(
        self, settings: RelaySettings, ask: NewAsk, invitation: Invitation, mail: bytes
    ) -> Trouble | None:
        """Give the mail to the relay; the ask is written between its two steps, as that of every mail. Returns the
        trouble of an answer that did not come. Raises `Conflict` or `Unavailable` for a mail that was not taken."""
        relay = Relay(settings)
        envelope_sender = self.contents.envelope_sender(MailName(ask.ask_id, "test", 1), invitation.sender)
        try:
            trouble = await relay.offer(envelope_sender, wire_address(invitation.to.email))
            if trouble is not None:
                raise _refusal(trouble)
            await self.database.retrying(lambda tx: self._begin(tx, ask))
            trouble = await relay.give(mail)
        finally:
            await relay.quit()
        now = self.clock.now()
        if trouble is not None and trouble.kind != "unknown":
            reply = trouble.reply
            await self.database.retrying(lambda tx: store.refused(tx, ask.ask_id, now, reply))
            raise _refusal(trouble)
        confirmed = trouble is None
        await self.database.retrying(lambda tx: store.taken(tx, ask.ask_id, now, confirmed=confirmed))
        return trouble

    async def _begin(self, tx: WriteTx, ask: NewAsk) -> None:
        await insert_asks(tx, [ask])
        await store.begin(tx, ask.ask_id, ask.created_at)


def _ask(survey: PublishedSurvey, wanted: WantedTest, now: datetime) -> NewAsk:
    """Without the hash of its address: that would count as having asked the person."""
    return NewAsk(
        ask_id=uuid4(),
        survey_id=survey.survey_id,
        survey_version=survey.version,
        account_id=ACCOUNT,
        stakeholder_id=wanted.to.email,
        state="sent",
        origin="test",
        channel="email",
        handed_over=True,
        created_at=now,
        created_by=wanted.actor,
        due_at=now,
        language=wanted.language,
    )


def _refusal(trouble: Trouble) -> Conflict | Unavailable:
    if trouble.kind in ("away", "later"):
        detail = f"the relay takes no mail now: {trouble.reply}"
        return Unavailable("relay_away", detail, retry_after=RETRY_SECONDS)
    return Conflict("mail_refused", f"the relay refuses the mail: {trouble.reply}")


def _invalid(field: str, code: str, detail: str) -> Invalid:
    return Invalid(code, detail, errors=[{"field": field, "code": code, "detail": detail}])
