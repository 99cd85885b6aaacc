"""The DNS, asked by the resolver of this machine."""

from typing import Final

import dns.asyncresolver
import dns.name
import dns.rdatatype
import dns.resolver
from dns.exception import DNSException
from dns.rdata import Rdata

from services.outreach.domain.dns_answers import Question

SECONDS: Final = 5.0
"""For one question, all tries together."""


class Dns:
    """Asks; `resolver`: another one than that of this machine."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver

    async def __call__(self, question: Question) -> tuple[str, ...] | None:
        """Texts, hosts or addresses, as `Answers` has them; None where there is no answer, or nobody to ask."""
        try:
            name = dns.name.from_text(question[0], idna_codec=dns.name.IDNA_2008_Practical)
        except (DNSException, UnicodeError):
            return ()  # no name of the DNS: nothing can stand there
        try:
            if self._resolver is None:
                self._resolver = dns.asyncresolver.Resolver()
            answer = await self._resolver.resolve(name, question[1], lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (DNSException, OSError):
            return None
        records = list(answer)
        if question[1] == "MX":
            records.sort(key=_preference)
        return tuple(map(_text, records))


def _preference(record: Rdata) -> int:
    return int(getattr(record, "preference", 0))


def _text(record: Rdata) -> str:
    """TXT: its strings as one. MX and PTR: the host; "" where a domain takes no mail (RFC 7505). Else an address."""
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(getattr(record, "strings", ())).decode(errors="replace")
    if record.rdtype == dns.rdatatype.MX:
        return str(getattr(record, "exchange", "")).rstrip(".").lower()
    if record.rdtype == dns.rdatatype.PTR:
        return str(getattr(record, "target", "")).rstrip(".").lower()
    return record.to_text()
