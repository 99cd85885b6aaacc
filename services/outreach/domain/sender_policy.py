"""SPF (RFC 7208): a domain has one record, it asks the DNS at most ten times, and it names the relay."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from services.outreach.domain.dns_answers import Answers, Finding, Question, Record, no_answer
from services.outreach.domain.relay_hosts import included

MOST_LOOKUPS: Final = 10
"""More, and receivers treat the record as faulty (RFC 7208, 4.6.4)."""
_FOLLOWED: Final = 50
"""The walk ends there: records that include others again and again would never end."""
_TERM: Final = re.compile(r"([+\-~?]?)([a-z][a-z0-9._-]*)(?:([:=/])(.*))?")
_ADDRESS_TYPES: Final = ("A", "AAAA")
Address = IPv4Address | IPv6Address


@dataclass(slots=True)
class SpfWalk:
    """An SPF record and those that it includes, read as far as the answers reach. `questions`: what a receiver would
    ask. `lookups`: how many of them count. `passing`: the networks that may send. `macros`: it depends on the mail
    (RFC 7208, 7)."""

    answers: Answers
    lookups: int = 0
    everybody: bool = False
    macros: bool = False
    includes: set[str] = field(default_factory=set)
    passing: list[IPv4Network | IPv6Network] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    questions: set[Question] = field(default_factory=set)

    def follow(self, domain: str, trail: tuple[str, ...] = ()) -> None:
        """Read the record of a domain. `trail`: the domains that led here."""
        records = self._asked((domain, "TXT"))
        if records is None:
            return
        records = spf_records(records)
        if len(records) != 1:
            self.faults.append(f"{domain} has {len(records)} SPF records")
            return
        terms = records[0].split()[1:]
        ends = any(term.lower().lstrip("+-~?") == "all" for term in terms)
        for term in terms:
            self._term(term.lower(), domain, trail, ends=ends)

    def covers(self, addresses: list[Address]) -> bool:
        """Whether one of the addresses may send."""
        return any(address in network for address in addresses for network in self.passing)

    def _asked(self, question: Question) -> tuple[str, ...] | None:
        self.questions.add(question)
        answer = self.answers.get(question)
        if answer is None:
            self.unanswered.append(question[0])
        return answer

    def _term(self, term: str, domain: str, trail: tuple[str, ...], *, ends: bool) -> None:
        read = _TERM.fullmatch(term)
        if read is None:
            self.faults.append(f"{domain} has a term that is none")
            return
        qualifier, name, separator, value = read.group(1), read.group(2), read.group(3), read.group(4) or ""
        if "%" in value:
            self.macros = True
            value = ""
        passes = qualifier in ("", "+")
        if name in ("include", "a", "mx", "ptr", "exists") or (name == "redirect" and not ends):
            self.lookups += 1
            if self.lookups > _FOLLOWED:
                return
        if name == "all" and passes and not trail:
            self.everybody = True
        if name in ("ip4", "ip6") and passes:
            self._network(value, domain)
        if name == "include" or (name == "redirect" and not ends):
            self._include(value, (*trail, domain))
        if name in ("a", "mx") and passes:
            host = value.partition("/")[0]
            if separator != ":":
                host = domain
            self._hosts(host, mail=name == "mx")

    def _network(self, text: str, domain: str) -> None:
        try:
            self.passing.append(ip_network(text, strict=False))
        except ValueError:
            self.faults.append(f"{domain} has an address that is none")

    def _include(self, domain: str, trail: tuple[str, ...]) -> None:
        if not domain:
            return
        if domain in trail:
            self.faults.append(f"{domain} includes itself")
            return
        self.includes.add(domain)
        self.follow(domain, trail)

    def _hosts(self, name: str, *, mail: bool) -> None:
        """Let the addresses of a name pass, or those of the hosts that take its mail."""
        if not name:
            return
        hosts: tuple[str, ...] | None = (name,)
        if mail:
            hosts = self._asked((name, "MX"))
        for host in hosts or ():
            for address in self._addresses(host):
                self.passing.append(ip_network(address))

    def _addresses(self, host: str) -> list[str]:
        if not host:
            return []
        return [*(self._asked((host, "A")) or ()), *(self._asked((host, "AAAA")) or ())]


def spf_records(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Those texts that are SPF records."""
    return tuple(text for text in texts if text.lower().split(" ")[0] == "v=spf1")


def relay_questions(host: str) -> set[Question]:
    """What has to be asked to know the addresses of the relay."""
    if _literal(host) is not None or host == "localhost":
        return set()
    return {(host, "A"), (host, "AAAA")}


def spf_finding(domain: str, host: str, answers: Answers) -> Finding:
    """Whether receivers of mails with a bounce address of the domain let them pass when they come from the relay."""
    name = f"{domain}: SPF"
    texts = answers.get((domain, "TXT"))
    if texts is None:
        return no_answer(name, domain)
    records = spf_records(texts)
    wanted = _mechanism(host, answers)
    if not records:
        record = Record(domain, f"v=spf1 {wanted} ~all")
        return Finding(name, "failed", "there is no SPF record", "publish it", record)
    if len(records) > 1:
        found = f"{len(records)} SPF records: receivers use none"
        return Finding(name, "failed", found, "make them one that begins with v=spf1")
    walk = SpfWalk(answers)
    walk.follow(domain)
    if walk.faults:
        return Finding(name, "failed", walk.faults[0], "mend it: receivers treat the whole record as faulty")
    if walk.lookups > MOST_LOOKUPS:
        counted = str(walk.lookups)
        if walk.lookups > _FOLLOWED:
            counted = f"more than {_FOLLOWED}"
        found = f"{counted} look-ups, at most {MOST_LOOKUPS} are allowed: receivers treat it as faulty"
        return Finding(name, "failed", found, "take out what no longer sends for you")
    if walk.everybody:
        return Finding(name, "failed", "+all lets everybody send for you", "end it with ~all or -all")
    if walk.unanswered:
        return no_answer(name, walk.unanswered[0])
    return _relay_named(name, domain, records[0], walk, host)


def _relay_named(name: str, domain: str, record: str, walk: SpfWalk, host: str) -> Finding:
    lookups = f"{walk.lookups} of {MOST_LOOKUPS} look-ups"
    wanted = included(host)
    if wanted in walk.includes or walk.covers(public_addresses(host, walk.answers)):
        return Finding(name, "ok", f"one record, {lookups}, names {host}")
    if walk.macros:
        found = f"one record, {lookups}; it has macros, so whether it names {host} shows in a mail"
        return Finding(name, "not_checked", found)
    better = Record(domain, _with(record, _mechanism(host, walk.answers)))
    if wanted is not None:
        fix = f"include {wanted}, unless the relay writes a bounce address of its own"
        return Finding(name, "warning", f"{lookups}, and {host} is not named", fix, better)
    if public_addresses(host, walk.answers):
        fix = f"ask who runs {host} for its addresses, or name the host itself"
        return Finding(name, "warning", f"{lookups}, and {host} is not named", fix, better)
    fix = "the record must name the public address from which the relay sends"
    return Finding(name, "not_checked", f"one record, {lookups}; {host} has no public address", fix)


def _mechanism(host: str, answers: Answers) -> str:
    """The term that names the relay."""
    domain, literal = included(host), _literal(host)
    if domain is not None:
        return f"include:{domain}"
    if not public_addresses(host, answers):
        return "ip4:<public address of the relay>"
    if literal is not None:
        return f"ip{literal.version}:{literal}"
    return f"a:{host}"


def _with(record: str, term: str) -> str:
    """The record with one more term, before the one that ends it."""
    terms = record.split()
    for place, there in enumerate(terms):
        if there.lower().lstrip("+-~?") == "all" or there.lower().startswith("redirect="):
            return " ".join([*terms[:place], term, *terms[place:]])
    return " ".join([*terms, term])


def public_addresses(host: str, answers: Answers) -> list[Address]:
    """The addresses of a host, by which the world knows it."""
    literal = _literal(host)
    if literal is not None:
        found = [literal]
    else:
        found = [ip_address(text) for kind in _ADDRESS_TYPES for text in answers.get((host, kind)) or ()]
    return [address for address in found if address.is_global]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
