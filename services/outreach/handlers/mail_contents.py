"""What a mail of a programme says and in whose name, from what is known when it goes."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from services.outreach.domain.addresses import domain_of
from services.outreach.domain.eligibility import Candidate
from services.outreach.domain.mail_names import MailName
from services.outreach.domain.surveys import Survey
from services.outreach.domain.tokens import Purpose, Tokens
from services.outreach.gateways.letters import Invitation
from services.outreach.handlers.links import link_of
from services.outreach.settings import OutreachSettings
from services.outreach.store.sends import DueMail
from shared.api.programmes import ProgrammeDocument, Sender
from shared.mail import Mailbox, wire_address

GIVEN_BACK: Final = "tellback"
"""What providers call what our mails carry, and give back."""


@dataclass(frozen=True, slots=True)
class Readied:
    """A mail that may go, and where bounces of it come back to."""

    mail: DueMail
    invitation: Invitation
    envelope_sender: str


@dataclass(frozen=True, slots=True)
class MailContents:
    """Puts mails into words."""

    settings: OutreachSettings
    tokens: Tokens

    def readied(
        self,
        mail: DueMail,
        programme: ProgrammeDocument,
        survey: Survey,
        candidate: Candidate,
        at: datetime,
        heard: str | None = None,
    ) -> Readied | None:
        """The mail, with what was changed after earlier answers (`heard`); None where nobody may write it, or there is
        no address."""
        sender = sender_of(programme.sender, mail, self.settings.sender_domains)
        if sender is None or candidate.email is None:
            return None
        references = []
        if mail.kind == "reminder":
            references = [self.message_id(mail.ask_id, "invite", mail.invitations)]
        reply_to = None
        if programme.sender.reply_to is not None:
            reply_to = Mailbox(programme.sender.reply_to)
        invitation = Invitation(
            kind=mail.kind,
            survey=survey,
            language=survey.language_for((candidate.language,)),
            sender=sender,
            to=Mailbox(candidate.email, candidate.name or ""),
            account_name=mail.account_name,
            ask_url=link_of(self.settings.public_url, self.tokens, mail.ask_id),
            stop_url=self.stop_url(candidate.email),
            message_id=self.message_id(mail.ask_id, mail.kind, mail.number),
            at=at,
            number=mail.number,
            reply_to=reply_to,
            references=references,
            heard=heard,
            incentive=programme.incentive,
            legal_basis=programme.legal_basis,
            for_relay=self.for_relay(mail.name),
        )
        return Readied(mail, invitation, self.envelope_sender(mail.name, sender))

    def colleague(self, recipient: str, stand_in: Sender | None = None) -> Mailbox | None:
        """Whose name a mail to a colleague carries: Tellback's, at an address of the supplier, which is their own or
        that of the sender who stands in. None where neither is of the supplier's domains."""
        own = self.named(recipient, "Tellback")
        if own is None and stand_in is not None:
            return self.named(stand_in.email, "Tellback")
        return own

    def named(self, email: str | None, name: str | None) -> Mailbox | None:
        """Somebody in whose name mails may go; None for an address that is not of the supplier's domains."""
        allowed = {domain.lower() for domain in self.settings.sender_domains}
        if email is None or email.rpartition("@")[2].lower() not in allowed:
            return None
        return Mailbox(email, name or "")

    def stop_url(self, email: str) -> str:
        """Where one click stops all mails to an address."""
        token = self.tokens.made(Purpose.UNSUBSCRIBE, self.tokens.address_hash(email).digest)
        return f"{self.settings.public_url.rstrip('/')}/u/{token}"

    def message_id(self, ask_id: UUID, kind: str, number: int) -> str:
        """Names a mail; it does not change when the mail is tried again."""
        return f"<{ask_id}.{kind}.{number}@{urlsplit(self.settings.public_url).hostname}>"

    def envelope_sender(self, mail: MailName, sender: Mailbox) -> str:
        """Where bounces come back to: an address that names the mail (VERP), or the sender's own."""
        if self.settings.bounce_domain is None:
            return wire_address(sender.email)
        return f"{self.tokens.bounce_local_part(mail)}@{self.settings.bounce_domain}"

    def for_relay(self, mail: MailName) -> dict[str, str]:
        """Headers by which a provider names the mail when it comes back: it puts an envelope sender of its own."""
        token, headers = self.tokens.bounce_local_part(mail), {}
        if self.settings.postmark_secret is not None:
            headers[f"X-PM-Metadata-{GIVEN_BACK}"] = token
        if self.settings.sendgrid_key is not None:
            headers["X-SMTPAPI"] = json.dumps({"unique_args": {GIVEN_BACK: token}})
        return headers


def sender_of(sender: Sender, mail: DueMail, domains: Collection[str]) -> Mailbox | None:
    """In whose name the mail goes: the owner's or the sponsor's of the account, where the supplier may write as them,
    else the one that the programme names. None where nobody may."""
    named = (sender.email, sender.name)
    people = {
        "owner": (mail.owner_email, mail.owner_name),
        "sponsor": (mail.sponsor_email, mail.sponsor_name),
        "named": named,
    }
    allowed = {domain.lower() for domain in domains}
    for email, name in (people[sender.kind], named):
        if email is not None and domain_of(email) in allowed:
            return Mailbox(email, name or "")
    return None
