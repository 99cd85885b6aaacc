"""The names of the relay's addresses (PTR): receivers turn mails away from an address that has none, or whose name does
not lead back to it."""

from services.outreach.domain.dns_answers import Answers, Finding, Question, no_answer
from services.outreach.domain.relay_hosts import included
from services.outreach.domain.sender_policy import Address, public_addresses

_NAME = "mail relay: PTR"


def reverse_questions(host: str, answers: Answers) -> set[Question]:
    """What has to be asked of a relay of one's own, as far as the answers so far tell."""
    wanted: set[Question] = set()
    for address in _own(host, answers):
        question = _pointer(address)
        wanted.add(question)
        for name in answers.get(question) or ():
            wanted.add(_forward(name, address))
    return wanted


def reverse_findings(host: str, answers: Answers) -> list[Finding]:
    """One finding; none for a relay that many use, or whose addresses are not known."""
    addresses = _own(host, answers)
    if not addresses:
        return []
    fix = f"let the provider of the address set its name to {host}, if mails go out from there"
    for address in addresses:
        names = answers.get(_pointer(address))
        if names is None:
            return [no_answer(_NAME, str(address))]
        if not names:
            return [Finding(_NAME, "warning", f"{address} has no name", fix)]
        if not any(str(address) in (answers.get(_forward(name, address)) or ()) for name in names):
            return [Finding(_NAME, "warning", f"{names[0]}, the name of {address}, does not lead back to it", fix)]
    return [Finding(_NAME, "ok", f"{', '.join(map(str, addresses))}: the name leads back")]


def _own(host: str, answers: Answers) -> list[Address]:
    if included(host) is not None:
        return []
    return public_addresses(host, answers)


def _pointer(address: Address) -> Question:
    return address.reverse_pointer, "PTR"


def _forward(name: str, address: Address) -> Question:
    if address.version == 6:
        return name, "AAAA"
    return name, "A"
