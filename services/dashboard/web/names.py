"""Names of accounts and people for lists that carry only their ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.errors import TellbackError
from shared.http.client import Api

Json = dict[str, Any]
Pair = tuple[str, str | None]
"""(account_id, stakeholder_id), the latter None for the account as a whole."""
AT_ONCE = 500


class Subject(Protocol):
    """What a line of a list is about: a person of an account, or the account as a whole."""

    @property
    def account_id(self) -> str:
        """The account."""

    @property
    def stakeholder_id(self) -> str | None:
        """The person."""


def pair_of(subject: Subject) -> Pair:
    """Its ids."""
    return subject.account_id, subject.stakeholder_id


@dataclass(frozen=True)
class NameBook:
    """What accounts and people are called; the ids of those whose names nobody can say now."""

    known: Mapping[Pair, tuple[str, str]] = field(default_factory=dict)

    def account(self, pair: Pair) -> str:
        """The name of the account."""
        return self.known[pair][0] if pair in self.known else pair[0]

    def person(self, pair: Pair) -> str:
        """The name of the person; empty where it is about the account as a whole."""
        return self.known[pair][1] if pair in self.known else pair[1] or ""


class Names:
    """Asks for each name once a page, for all that are missing together."""

    def __init__(self) -> None:
        self._known: dict[Pair, tuple[str, str]] = {}

    async def of(self, api: Api, pairs: Iterable[Pair]) -> NameBook:
        """The names of these; follow-ups are worked on while the scorer is away, and no names can be told."""
        wanted = set(pairs)
        # Segments stand in place of accounts, and have no name: asked for with them, all would be refused.
        missing = sorted((pair for pair in wanted - self._known.keys() if "/" not in pair[0]), key=str)
        for first in range(0, len(missing), AT_ONCE):
            self._known |= await names_of(api, missing[first : first + AT_ONCE])
        return NameBook({pair: self._known[pair] for pair in wanted if pair in self._known})

    async def add_to(self, api: Api, items: list[Json]) -> list[Json]:
        """The items with `account` and `person` (empty where there is none)."""
        pairs = [(item["account_id"], item.get("stakeholder_id")) for item in items]
        book = await self.of(api, pairs)
        return [
            item | {"account": book.account(pair), "person": book.person(pair)}
            for item, pair in zip(items, pairs, strict=True)
        ]


async def names_of(api: Api, pairs: Sequence[Pair]) -> dict[Pair, tuple[str, str]]:
    """(account, person) → the names of both; nothing while nobody can say."""
    if not pairs:
        return {}
    of = [{"account_id": account_id, "stakeholder_id": person_id} for account_id, person_id in pairs]
    try:
        items = (await api.post("scorer", "/v1/names", {"of": of}))["items"]
    except TellbackError:
        return {}
    return {
        (item["account_id"], item["stakeholder_id"]): (
            item["account_name"] or item["account_id"],
            item["name"] or item["stakeholder_id"] or "",
        )
        for item in items
    }
