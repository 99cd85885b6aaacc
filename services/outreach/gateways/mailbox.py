"""A mailbox by IMAP (RFC 3501), as far as reading what is new needs it; nothing is changed there."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from services.outreach.domain.mailbox import MailboxSettings, ReadUntil
from shared.errors import Unavailable

SECONDS: Final = 10.0
AT_ONCE: Final = 50
LONGEST: Final = 1_000_000
"""Bytes of a mail that are read; a report stands at its beginning."""
_NUMBER = re.compile(rb"\d+")


@dataclass(frozen=True, slots=True)
class Fetched:
    """New mails, the oldest first, each with where it leaves the reader; `more`: there are further ones."""

    mails: list[tuple[ReadUntil, bytes]]
    more: bool


def fetch(settings: MailboxSettings, until: ReadUntil | None) -> Fetched:
    """What came after the mail that was read last; everything where nothing was read yet, or the folder was numbered
    anew. Blocks. Raises `Unavailable`."""
    try:
        with _signed_in(settings) as imap:
            return _fetch(imap, settings, until)
    except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise Unavailable("mailbox_away", f"the mailbox of bounces cannot be read: {said}") from None


def _fetch(imap: imaplib.IMAP4, settings: MailboxSettings, until: ReadUntil | None) -> Fetched:
    folder = settings.folder.replace("\\", "\\\\").replace('"', '\\"')
    _taken(imap.select(f'"{folder}"', readonly=True))
    validity = int(imap.response("UIDVALIDITY")[1][0] or 0)
    last = 0
    if until is not None and until.uid_validity == validity:
        last = until.uid
    # The range always names the last mail, also where that is an older one.
    found = _taken(imap.uid("SEARCH", f"UID {last + 1}:*"))
    uids = sorted(int(number) for number in _NUMBER.findall(found[0] or b"") if int(number) > last)
    mails = []
    for uid in uids[:AT_ONCE]:
        mails.append((ReadUntil(validity, uid), _content(imap, uid)))
    return Fetched(mails, len(uids) > AT_ONCE)


def _content(imap: imaplib.IMAP4, uid: int) -> bytes:
    """The beginning of a mail; nothing of one that has gone meanwhile."""
    for part in _taken(imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LONGEST}>)")):
        if isinstance(part, tuple):
            return bytes(part[1])
    return b""


def _taken(answer: tuple[str, list[Any]]) -> list[Any]:
    said, found = answer
    if said != "OK":
        raise imaplib.IMAP4.error(str(found[:1]))
    return found


@contextmanager
def _signed_in(settings: MailboxSettings) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context()
    if settings.security == "tls":
        connected: imaplib.IMAP4 = imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=SECONDS)
    else:
        connected = imaplib.IMAP4(settings.host, settings.port, timeout=SECONDS)
    with connected as imap:
        if settings.security == "starttls":
            imap.starttls(context)
        imap.login(settings.user, settings.password)
        yield imap
