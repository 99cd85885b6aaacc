"""What names one mail of an ask, in its Message-ID and in its envelope sender (VERP): an ask may be mailed several
times, and a report that one of its mails came back says nothing of the others."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

KINDS: Final = ("invite", "reminder", "test")
NAME_BYTES: Final = 18
_MESSAGE_ID = re.compile(
    r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([a-z_]{1,20})\.(\d{1,3})@[^@<>\s]{1,255}>?"
)


@dataclass(frozen=True, slots=True)
class MailName:
    """A mail of an ask: one of KINDS, and its number among those of its kind, from 1 to 255."""

    ask_id: UUID
    kind: str
    number: int

    def to_bytes(self) -> bytes:
        """The 18 bytes of an envelope sender: the ask, the kind, the number. Raises ValueError for another kind."""
        return self.ask_id.bytes + bytes((KINDS.index(self.kind), self.number))


def name_of_bytes(name: bytes) -> MailName:
    """The mail of 18 bytes that `to_bytes` has made."""
    return MailName(UUID(bytes=name[:16]), KINDS[name[16]], name[17])


def name_of_message_id(message_id: str) -> MailName | None:
    """The mail of a Message-ID that we have given it; None for one of others."""
    found = _MESSAGE_ID.fullmatch(message_id.strip())
    if found is None:
        return None
    return MailName(UUID(found[1]), found[2], int(found[3]))
