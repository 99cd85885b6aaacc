"""Where mail is handed over, and with which key it is signed."""

from dataclasses import dataclass
from typing import Literal

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where mail is handed over. `password` is never logged or shown."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"RelaySettings(host={self.host!r}, port={self.port!r}, security={self.security!r})"


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The private key (PEM) whose public half stands at `selector`._domainkey.`domain`. It is never logged or shown."""

    domain: str
    selector: str
    private_key: bytes

    def __repr__(self) -> str:
        return f"DkimKey(domain={self.domain!r}, selector={self.selector!r})"
