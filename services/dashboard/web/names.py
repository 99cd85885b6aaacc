"""Names of accounts, people, owners and programs for lists that carry only their ids and addresses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.dashboard.domain.users import User
from services.dashboard.handlers.people import Desk
from shared.api.calls import NAMES
from shared.api.questions import KEYS
from shared.errors import TellbackError
from shared.http.client import Api

Pair = tuple[str, str | None]
"""(account_id, stakeholder_id), the latter None for the account as a whole."""
AT_ONCE, MOST_KEYS = 500, 500


class Subject(Protocol):
    """The subject of a line in a list: a person of an account, or the account as a whole."""

    @property
    def account_id(self) -> str:
        """The id of the account."""

    @property
    def stakeholder_id(self) -> str | None:
        """The id of the person; None for the account as a whole."""


def pair_of(subject: Subject) -> Pair:
    """The ids of a subject."""
    return subject.account_id, subject.stakeholder_id


@dataclass(frozen=True)
class NameBook:
    """The names of accounts and people; where a name is unknown, the id."""

    known: Mapping[Pair, tuple[str, str]] = field(default_factory=dict)

    def account(self, pair: Pair) -> str:
        """The name of the account."""
        if pair in self.known:
            return self.known[pair][0]
        return pair[0]

    def person(self, pair: Pair) -> str:
        """The name of the person; empty for the account as a whole."""
        if pair in self.known:
            return self.known[pair][1]
        return pair[1] or ""


class NameLookup:
    """Looks each name up once a page, all missing ones together."""

    def __init__(self) -> None:
        self._known: dict[Pair, tuple[str, str]] = {}

    async def of(self, api: Api, pairs: Iterable[Pair]) -> NameBook:
        """The names of these pairs; ids while the scorer is away, since follow-ups are worked on meanwhile."""
        wanted = set(pairs)
        # Ids of segments are no account ids: the scorer would refuse the whole request.
        missing = sorted((pair for pair in wanted - self._known.keys() if "/" not in pair[0]), key=str)
        for first in range(0, len(missing), AT_ONCE):
            self._known |= await names_of(api, missing[first : first + AT_ONCE])
        return NameBook({pair: self._known[pair] for pair in wanted if pair in self._known})


async def names_of(api: Api, pairs: Sequence[Pair]) -> dict[Pair, tuple[str, str]]:
    """(account, person) → the names of both; empty while the scorer is away."""
    if not pairs:
        return {}
    of = [{"account_id": account_id, "stakeholder_id": person_id} for account_id, person_id in pairs]
    try:
        items = (await api.call(NAMES, {"of": of})).items
    except TellbackError:
        return {}
    names = {}
    for item in items:
        account_name = item.account_name or item.account_id
        names[item.account_id, item.stakeholder_id] = (account_name, item.name or item.stakeholder_id or "")
    return names


async def owners_of(api: Api, emails: Iterable[str | None]) -> dict[str, str]:
    """E-mail address → name of owners and sponsors of accounts; without those whose name nobody knows, and empty while
    the scorer is away."""
    wanted = sorted({email for email in emails if email})
    names: dict[str, str] = {}
    try:
        for first in range(0, len(wanted), AT_ONCE):
            found = await api.call(NAMES, {"owners": wanted[first : first + AT_ONCE]})
            names |= {owner.email: owner.name for owner in found.owners if owner.name}
    except TellbackError:
        return {}
    return names


async def actors_of(api: Api, desk: Desk, user: User) -> dict[str, str]:
    """Key id → who acts with it: a person of the dashboard, or the name of a program's key for those who may see
    keys."""
    names: dict[str, str] = {}
    if user.may("manage"):
        try:
            names = {key.id: key.name for key in await api.ask_all(KEYS, most=MOST_KEYS)}
        except TellbackError:
            names = {}
    return names | await desk.names_of_keys()
