"""Reports that a mail came back (RFC 3464) as they are read, and how grave what they say is. Only what machines write
for machines counts, never prose."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from hashlib import sha256
from typing import Any, Final, Literal

from services.outreach.domain.mail_names import MailName, name_of_message_id

BounceKind = Literal["hard", "soft", "complaint", "auto_reply", "other"]
NAMED_FOR: Final = timedelta(days=10)
"""A report of a mail that is older says nothing of the address: servers give up after five days."""
SOFT_HOLD: Final = timedelta(days=30)
SOFT_TOGETHER: Final = timedelta(days=90)
"""Mails of different programmes that come back for a while count together when no more than this lies between."""
SOFT_PROGRAMMES: Final = 2
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SOFT_OF_CLASS_5 = re.compile(r"5\.2\.2|5\.7\.\d+")
"""A full mailbox, which may be emptied; and what is refused by a policy against us, which says nothing of the
address."""
_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
_POSTMARK: Final[dict[str, BounceKind]] = {
    "HardBounce": "hard",
    "BadEmailAddress": "hard",
    "Transient": "soft",
    "SoftBounce": "soft",
    "DnsError": "soft",
    "Blocked": "soft",
    "DMARCPolicy": "soft",
    "SpamNotification": "soft",
    "VirusNotification": "soft",
    "SpamComplaint": "complaint",
    "Unsubscribe": "complaint",
    "AutoResponder": "auto_reply",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says about a mail of ours.

    `key` names the report: the same one again changes nothing. The mail is named by one of `local_parts`, which may be
    envelope senders of ours, or by one of `mails`, of a Message-ID, together with one of `recipients`. `status`: the
    code of RFC 3463. `at`: when it happened, where that is said.
    """

    kind: BounceKind
    key: bytes
    local_parts: tuple[str, ...] = ()
    mails: tuple[MailName, ...] = ()
    recipients: tuple[str, ...] = ()
    status: str | None = None
    at: datetime | None = None


def read_report(content: bytes) -> Report:
    """Read a mail that came to the address of bounces. One that is no report is an automatic reply, or something else,
    and has no effect."""
    key = key_of("mail", sha256(content).hexdigest())
    try:
        return _report_of(message_from_bytes(content), key)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return Report("other", key)


def _report_of(message: Message, key: bytes) -> Report:
    """What a mail says. Whatever the parser cannot read, in a header as in a part, raises here."""
    parts = _parts(message)
    local_parts = _local_parts(message)
    own = _first(message, "Message-ID").strip()
    if own:
        key = key_of("mail", own, *local_parts)
    group = _group(parts)
    if group is None:
        return Report(_without_report(message), key, local_parts)
    status = status_of(_first(group, "Status"))
    kind = kind_of(_first(group, "Action"), status)
    returned = _returned(parts)
    recipients = [_address(_first(group, name)) for name in ("Original-Recipient", "Final-Recipient")]
    mails = []
    for headers in returned:
        recipients += [address for _, address in getaddresses(_values(headers, "To"))]
        mails += [name_of_message_id(value) for value in _values(headers, "Message-ID")]
    return Report(kind, key, local_parts, tuple(filter(None, mails)), tuple(filter(None, recipients)), status)


def kind_of(action: str, status: str | None) -> BounceKind:
    """How grave it is that a mail `failed` or is `delayed`, by its status: class 5 says that it never arrives, class 4
    that it may later, and so do a full mailbox (5.2.2) and a policy against us (5.7). Without a status nothing is
    known."""
    action = action.strip().lower()
    if status is None or action not in ("failed", "delayed"):
        return "other"
    if status.startswith("5") and action == "failed" and not _SOFT_OF_CLASS_5.fullmatch(status):
        return "hard"
    if status.startswith(("4", "5")):
        return "soft"
    return "other"


def kind_of_postmark(kind: str) -> BounceKind:
    """What Postmark calls a bounce, as ours."""
    return _POSTMARK.get(kind, "other")


def kind_of_sendgrid(event: str, kind: str | None, status: str | None) -> BounceKind | None:
    """What SendGrid calls an event, as ours; None for one that says nothing of an address, such as `delivered`."""
    if event in ("spamreport", "unsubscribe", "group_unsubscribe"):
        return "complaint"
    if event != "bounce":
        return None
    if kind == "blocked":
        return "soft"
    code = status_of(status or "")
    if code is None:
        return "hard"
    return kind_of("failed", code)


def status_of(text: str) -> str | None:
    """The status code (RFC 3463) at the beginning of a text, such as 5.1.1."""
    found = _STATUS.match(text)
    if found is None:
        return None
    return found[1]


def local_part_of(address: str) -> str:
    """What stands before the @; all of a text without one."""
    return address.strip().rpartition("@")[0] or address.strip()


def key_of(*names: str) -> bytes:
    """The key of a report, 32 bytes, from what names it."""
    return sha256("\0".join(names).encode("utf-8", "replace")).digest()


def _parts(message: Message) -> list[Message]:
    """The parts of a report (RFC 6522); none where a mail is no report."""
    payload = message.get_payload()
    if message.get_content_type() != "multipart/report" or not isinstance(payload, list):
        return []
    return [part for part in payload if isinstance(part, Message)]


def _group(parts: list[Message]) -> Message | None:
    """What a report says of its recipient; each mail of ours has one. A failure goes before a delay."""
    found = []
    for part in parts:
        if part.get_content_type() == "message/delivery-status" and isinstance(part.get_payload(), list):
            found += [group for group in part.get_payload() if isinstance(group, Message) and "Action" in group]
    for group in found:
        if _first(group, "Action").strip().lower() == "failed":
            return group
    return next(iter(found), None)


def _returned(parts: list[Message]) -> Iterator[Message]:
    """The headers of the mail that came back."""
    for part in parts:
        payload: Any = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            yield from payload[:1]
        if part.get_content_type() == "text/rfc822-headers":
            decoded = part.get_payload(decode=True)
            if isinstance(decoded, bytes):
                yield BytesHeaderParser().parsebytes(decoded)


def _without_report(message: Message) -> BounceKind:
    """RFC 3834: whoever answers by a machine says so."""
    said = _first(message, "Auto-Submitted").strip().lower()
    if said and not said.startswith("no"):
        return "auto_reply"
    return "other"


def _local_parts(message: Message) -> tuple[str, ...]:
    """Before the @ of all to whom the report came."""
    found = []
    for name in _TO:
        found += [local_part_of(address) for _, address in getaddresses(_values(message, name)) if address]
    return tuple(dict.fromkeys(found))


def _address(text: str) -> str:
    """The address of a field such as `rfc822; ann@acme.example`."""
    return text.rpartition(";")[2].strip().strip("<>")


def _first(message: Message, name: str) -> str:
    return next(iter(_values(message, name)), "")


def _values(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]
