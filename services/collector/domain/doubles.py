"""Records of an account that are likely to be one person: the same name, or an address that looks like another's."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Because = Literal["same_name", "same_local_part"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A person as the directory lists them."""

    stakeholder_id: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Double:
    """Two records, of which the first may be merged into the second."""

    stakeholder_id: str
    into: str
    because: Because


def likely_doubles(people: Iterable[Listed], most: int) -> list[Double]:
    """Up to `most` pairs, by ids. Of people with one name each is paired with one of them, and no two are told
    twice."""
    listed = sorted(people, key=lambda person: ("@" in person.stakeholder_id, person.stakeholder_id))
    found: dict[tuple[str, str], Double] = {}
    names: dict[str, Listed] = {}
    for person in listed:
        name = _plain(person.name or "")
        first = names.setdefault(name, person)
        if name and first is not person:
            _note(found, person, first, "same_name")
    mailboxes: dict[str, list[Listed]] = {}
    for person in listed:
        if person.email:
            mailboxes.setdefault(_mailbox(person.email), []).append(person)
    for person in listed:
        if "@" in person.stakeholder_id:
            for other in mailboxes.get(_mailbox(person.stakeholder_id), ()):
                _note(found, person, other, "same_local_part")
    return sorted(found.values(), key=lambda double: (double.stakeholder_id, double.into))[:most]


def _note(found: dict[tuple[str, str], Double], person: Listed, other: Listed, because: Because) -> None:
    if person is other:
        return
    first, second = sorted((person.stakeholder_id, other.stakeholder_id))
    found.setdefault((first, second), Double(person.stakeholder_id, other.stakeholder_id, because))


def _plain(name: str) -> str:
    """A name without case, accents and blanks."""
    letters: Sequence[str] = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter) and not letter.isspace())


def _mailbox(address: str) -> str:
    return address.partition("@")[0].lower()
