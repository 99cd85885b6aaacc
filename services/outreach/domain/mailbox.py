"""The mailbox to which bounces come, and how far it was read."""

from dataclasses import dataclass

from services.outreach.domain.relay import Security


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Where the mailbox is (IMAP). `password` is never logged or shown."""

    host: str
    port: int = 993
    security: Security = "tls"
    user: str = ""
    password: str = ""
    folder: str = "INBOX"

    def __repr__(self) -> str:
        return f"MailboxSettings(host={self.host!r}, port={self.port!r}, folder={self.folder!r})"

    @property
    def name(self) -> str:
        """What tells one mailbox from another."""
        return f"{self.user}@{self.host}/{self.folder}"


@dataclass(frozen=True, slots=True)
class ReadUntil:
    """The mail that was read last. UIDs of a folder only rise, until the server numbers it anew (`uid_validity`)."""

    uid_validity: int
    uid: int
