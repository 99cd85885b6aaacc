"""What the DNS has to say of the domains in whose name mails go, so that receivers believe them: where answers and
bounces arrive (MX), who may send (SPF), the key of the signature (DKIM), the policy (DMARC), and that these speak of
the same domain (RFC 7489, 3.1)."""

from dataclasses import dataclass
from typing import Final

from services.outreach.domain.dns_answers import Answers, Finding, Question, Record, no_answer, tags, upwards
from services.outreach.domain.relay import RelaySettings
from services.outreach.domain.relay_hosts import mailboxes, relay_finding
from services.outreach.domain.reverse_names import reverse_findings, reverse_questions
from services.outreach.domain.sender_policy import SpfWalk, relay_questions, spf_finding

NO_RELAY: Final = Finding(
    "mail relay",
    "not_checked",
    "no relay is set: nothing is ever sent; links work",
    "set TELLBACK_OUTREACH_SMTP_HOST to send mails",
)
_POLICIES: Final = ("none", "quarantine", "reject")
_POLICY_RECORD: Final = "v=DMARC1; p=none"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of the key that signs: what `p=` of the record has to be. None: the key cannot be read."""

    domain: str
    selector: str
    base64: str | None

    @property
    def name(self) -> str:
        """Where its record stands."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Sending:
    """How mails leave. `domains`: of senders. `bounce_domain`: of the addresses to which bounces come back, where it is
    another one. `key`: None where the relay signs. `links`: what links begin with."""

    relay: RelaySettings
    domains: tuple[str, ...]
    bounce_domain: str | None
    key: PublicKey | None
    links: str

    @property
    def host(self) -> str:
        """The relay."""
        return self.relay.host.lower()

    @property
    def envelope_domains(self) -> tuple[str, ...]:
        """The domains whose SPF record receivers read."""
        if self.bounce_domain is not None:
            return (self.bounce_domain,)
        return self.domains


@dataclass(frozen=True, slots=True)
class DomainReport:
    """The findings, and the note for the IT of those who are asked; without a relay or a sender there is none."""

    checks: tuple[Finding, ...]
    note: str | None

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.state != "failed" for check in self.checks)


def questions(sending: Sending, answers: Answers) -> set[Question]:
    """What has to be asked, as far as the answers so far tell: once all are answered, nothing new comes."""
    wanted = relay_questions(sending.host) | reverse_questions(sending.host, answers)
    names = [*sending.domains, *sending.envelope_domains]
    for domain in names:
        wanted.add((domain, "MX"))
    if sending.key is not None:
        wanted.add((sending.key.name, "TXT"))
        names.append(sending.key.domain)
    for domain in names:
        for above in upwards(domain):
            wanted.add((f"_dmarc.{above}", "TXT"))
    for domain in sending.envelope_domains:
        walk = SpfWalk(answers)
        walk.follow(domain)
        wanted |= walk.questions
    return wanted


def report(sending: Sending | None, answers: Answers) -> DomainReport:
    """Everything that is checked, in the order in which it is set up. `sending`: None where no relay is set."""
    if sending is None:
        return DomainReport((NO_RELAY,), None)
    checks = [relay_finding(sending.relay), *reverse_findings(sending.host, answers)]
    if not sending.domains:
        fix = "set TELLBACK_OUTREACH_SENDER_DOMAINS to the domains of those who ask"
        checks.append(Finding("sender domains", "failed", "none is set: nobody may send", fix))
    for domain in sending.domains:
        checks.append(_mx(domain, answers, bounces=False))
    if sending.bounce_domain is not None and sending.bounce_domain not in sending.domains:
        checks.append(_mx(sending.bounce_domain, answers, bounces=True))
    for domain in sending.envelope_domains:
        checks.append(spf_finding(domain, sending.host, answers))
    checks.append(_dkim(sending.key, answers))
    for domain in sending.domains:
        checks += [_dmarc(domain, answers), _alignment(domain, sending, answers)]
    said = None
    if sending.domains:
        said = _note(sending)
    return DomainReport(tuple(checks), said)


def _note(sending: Sending) -> str:
    """What the IT of those who are asked needs to let the mails pass."""
    signed = "DKIM: signed by our relay"
    if sending.key is not None:
        signed = f"DKIM: d={sending.key.domain}, s={sending.key.selector}"
    lines = (
        "We ask the people we work with for their opinion by mail. Please let these mails pass:",
        f"- From: addresses at {', '.join(sending.domains)}",
        f"- Return-Path: addresses at {', '.join(sending.envelope_domains)}",
        f"- {signed}",
        f"- sent through: {sending.host}",
        f"- links begin with: {sending.links}",
        "Each mail goes to one person, has no attachment and no tracking, and one click in it stops all further ones.",
    )
    return "\n".join(lines)


def _mx(domain: str, answers: Answers, *, bounces: bool) -> Finding:
    name = f"{domain}: MX"
    hosts = answers.get((domain, "MX"))
    if hosts is None:
        return no_answer(name, domain)
    named = [mailboxes(host) for host in hosts if host]
    if named:
        return Finding(name, "ok", f"mail goes to {', '.join(named)}")
    if bounces:
        return Finding(name, "failed", "takes no mail: bounces are lost", "publish an MX record of a server that does")
    fix = "publish an MX record, or name an address for replies in the programme"
    return Finding(name, "warning", "takes no mail: whoever answers a mail gets it back", fix)


def _dkim(key: PublicKey | None, answers: Answers) -> Finding:
    if key is None:
        fix = "set TELLBACK_OUTREACH_DKIM_DOMAIN and TELLBACK_OUTREACH_DKIM_KEY_FILE, or see that the relay signs"
        found = "mails are not signed here; whether the relay signs them, and their List-Unsubscribe, shows in a mail"
        return Finding("DKIM", "warning", found, fix)
    name = f"{key.domain}: DKIM"
    if key.base64 is None:
        fix = "TELLBACK_OUTREACH_DKIM_KEY_FILE must hold a private RSA key in PEM: no mail goes until it does"
        return Finding(name, "failed", "the private key cannot be read", fix)
    return _dkim_record(name, key, key.base64, answers.get((key.name, "TXT")))


def _dkim_record(name: str, key: PublicKey, base64: str, texts: tuple[str, ...] | None) -> Finding:
    """What stands at the name of the key, beside what should."""
    if texts is None:
        return no_answer(name, key.name)
    record = Record(key.name, f"v=DKIM1; k=rsa; p={base64}")
    if not texts:
        return Finding(name, "failed", f"there is no record {key.name}", "publish it", record)
    if len(texts) > 1:
        return Finding(name, "failed", f"{len(texts)} records {key.name}: receivers may use any", "leave one", record)
    read = tags(texts[0])
    published = "".join(read.get("p", "").split())
    if not published:
        return Finding(name, "failed", "the record has no key: it was taken back", "publish it", record)
    if published != base64:
        return Finding(name, "failed", "the record has the key of another private key", "publish ours", record)
    if "y" in read.get("t", "").split(":"):
        return Finding(name, "warning", "the record says that it is a test (t=y)", "take t=y out", record)
    return Finding(name, "ok", f"{key.name} has our key")


def _policy_of(domain: str, answers: Answers) -> tuple[str, list[str]] | None:
    """Where the nearest DMARC record stands, the domain's own or one above, and what is there. No texts: nowhere. None:
    the DNS did not answer."""
    for above in upwards(domain):
        texts = answers.get((f"_dmarc.{above}", "TXT"))
        if texts is None:
            return None
        records = [text for text in texts if tags(text).get("v") == "DMARC1"]
        if records:
            return above, records
    return domain, []


def _dmarc(domain: str, answers: Answers) -> Finding:
    name = f"{domain}: DMARC"
    found = _policy_of(domain, answers)
    if found is None:
        return no_answer(name, f"_dmarc.{domain}")
    place, records = found
    record = Record(f"_dmarc.{domain}", _POLICY_RECORD)
    if not records:
        fix = "publish one; p=none turns nothing away"
        return Finding(name, "failed", "there is no DMARC record", fix, record)
    if len(records) > 1:
        return Finding(name, "failed", f"{len(records)} records at _dmarc.{place}: receivers use none", "leave one")
    read = tags(records[0])
    policy = read.get("p", "").lower()
    if place != domain:
        policy = read.get("sp", policy).lower()
    if policy not in _POLICIES:
        return Finding(
            name, "failed", f"_dmarc.{place} names no policy", "it needs p=none, quarantine or reject", record
        )
    return Finding(name, "ok", f"_dmarc.{place}, policy {policy}")


def _alignment(domain: str, sending: Sending, answers: Answers) -> Finding:
    """Whether the signature or the bounce address speaks of the domain of From: DMARC passes with one of both."""
    name = f"{domain}: alignment"
    found = _policy_of(domain, answers)
    if found is None:
        return no_answer(name, f"_dmarc.{domain}")
    read = tags("".join(found[1][:1]))
    envelope = sending.bounce_domain or domain
    by_envelope = _aligned(domain, envelope, read.get("aspf", "r"), answers)
    if sending.key is None:
        fix = f"let the relay sign with a key of {domain}, or sign here"
        if by_envelope:
            return Finding(name, "warning", f"by the bounce address alone ({envelope}); forwarding breaks it", fix)
        return Finding(name, "failed", f"bounces come back to {envelope}, and nothing is signed here", fix)
    by_key = _aligned(domain, sending.key.domain, read.get("adkim", "r"), answers)
    signed = f"the signature is of {sending.key.domain}, bounces come back to {envelope}"
    if by_key:
        return Finding(name, "ok", signed)
    fix = f"sign with a key of {domain}"
    if by_envelope:
        return Finding(name, "warning", f"{signed}: by the latter alone; forwarding breaks it", fix)
    return Finding(name, "failed", f"{signed}: neither speaks of {domain}", fix)


def _aligned(domain: str, other: str, mode: str, answers: Answers) -> bool:
    if domain == other:
        return True
    if mode.lower() == "s":
        return False
    return domain.endswith(f".{other}") or other.endswith(f".{domain}") or _top(domain, answers) == _top(other, answers)


def _top(domain: str, answers: Answers) -> str:
    """The uppermost domain with a DMARC record, which stands for the organisation; itself where there is none."""
    for above in reversed(upwards(domain)):
        for text in answers.get((f"_dmarc.{above}", "TXT")) or ():
            read = tags(text)
            if read.get("v") == "DMARC1" and read.get("psd", "").lower() != "y":
                return above
    return domain
