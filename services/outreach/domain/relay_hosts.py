"""Relays that many use: what SPF has to include for them, and what works there."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from services.outreach.domain.dns_answers import Finding
from services.outreach.domain.relay import RelaySettings

MICROSOFT: Final = "spf.protection.outlook.com"
GOOGLE: Final = "_spf.google.com"
_INCLUDES: Final = {
    "smtp.office365.com": MICROSOFT,
    "smtp-mail.outlook.com": MICROSOFT,
    "*.mail.protection.outlook.com": MICROSOFT,
    "smtp.gmail.com": GOOGLE,
    "smtp-relay.gmail.com": GOOGLE,
    "email-smtp.*.amazonaws.com": "amazonses.com",
    "smtp*.postmarkapp.com": "spf.mtasv.net",
    "smtp.sendgrid.net": "sendgrid.net",
    "smtp*.mailgun.org": "mailgun.org",
    "*.mailjet.com": "spf.mailjet.com",
}
"""Relays, and the domain whose SPF record names their addresses."""
_MAILBOXES: Final = {
    "*.mail.protection.outlook.com": "Microsoft 365",
    "*.mx.microsoft": "Microsoft 365",
    "*.google.com": "Google Workspace",
    "*.googlemail.com": "Google Workspace",
}
"""Hosts that take mail, and whose they are."""


@dataclass(frozen=True, slots=True)
class _Advice:
    found: str
    fix: str


_MICROSOFT_SUBMISSION: Final = _Advice(
    "Microsoft 365 with user and password: off by default from the end of December 2026, and not there for new tenants",
    "use the connector of the tenant (<tenant>.mail.protection.outlook.com, port 25, no user), or Amazon SES, Postmark"
    " or SendGrid; OAuth is not supported yet",
)
_MICROSOFT_CONNECTOR: Final = _Advice(
    "Microsoft 365 by connector knows this machine by its address and takes no user and password",
    "leave TELLBACK_OUTREACH_SMTP_USER empty, set port 25, and allow the address in a connector of the tenant",
)
_GMAIL: Final = _Advice(
    "Gmail takes an app password, 2,000 mails a day, and writes the signed-in account in place of other senders and of"
    " the address for bounces",
    "use smtp-relay.gmail.com, which lets all addresses of your domain send",
)


def included(host: str) -> str | None:
    """The domain that SPF has to include for the relay; None where it is not known."""
    return _matching(host, _INCLUDES)


def mailboxes(host: str) -> str:
    """A host that takes mail, and whose it is where that is known."""
    whose = _matching(host, _MAILBOXES)
    if whose is None:
        return host
    return f"{host} ({whose})"


def _matching(host: str, table: Mapping[str, str]) -> str | None:
    for pattern, value in table.items():
        if fnmatchcase(host, pattern):
            return value
    return None


def relay_finding(relay: RelaySettings) -> Finding:
    """What works at the relay, as far as its name tells it."""
    host, name = relay.host.lower(), "mail relay"
    advice = None
    if host in ("smtp.office365.com", "smtp-mail.outlook.com"):
        advice = _MICROSOFT_SUBMISSION
    if host.endswith(".mail.protection.outlook.com") and relay.user:
        advice = _MICROSOFT_CONNECTOR
    if host == "smtp.gmail.com":
        advice = _GMAIL
    if advice is not None:
        return Finding(name, "warning", f"{host}: {advice.found}", advice.fix)
    if host == "smtp-relay.gmail.com":
        found = "Google Workspace by address or app password: allow it in the Admin console (SMTP relay service)"
        return Finding(name, "ok", f"{host}: {found}")
    return Finding(name, "ok", f"{host}, port {relay.port}, security {relay.security}")
