"""Names of accounts and people for lists that carry only their ids."""

from collections.abc import Sequence
from typing import Any

from shared.errors import TellbackError
from shared.http.client import Api

Json = dict[str, Any]
Pair = tuple[str, str | None]
AT_ONCE = 500


class Names:
    """Asks for each name once a page, for all that are missing together."""

    def __init__(self) -> None:
        self._known: dict[Pair, tuple[str, str]] = {}

    async def add_to(self, api: Api, items: list[Json]) -> list[Json]:
        """The items with `account` and `person` (empty where there is none); the ids while nobody can say: follow-ups
        are worked on while the scorer is away."""
        missing = {_pair(one) for one in items} - self._known.keys()
        # Segments stand in place of accounts, and have no name: asked for with them, all would be refused.
        wanted = sorted((pair for pair in missing if "/" not in pair[0]), key=str)
        for first in range(0, len(wanted), AT_ONCE):
            self._known |= await names_of(api, wanted[first : first + AT_ONCE])
        named = []
        for one in items:
            account_id, person_id = _pair(one)
            account, person = self._known.get((account_id, person_id), (account_id, person_id or ""))
            named.append(one | {"account": account, "person": person})
        return named


def _pair(one: Json) -> Pair:
    return one["account_id"], one.get("stakeholder_id")


async def names_of(api: Api, some: Sequence[Pair]) -> dict[Pair, tuple[str, str]]:
    """(account, person) → the names of both; nothing while nobody can say."""
    if not some:
        return {}
    of = [{"account_id": account_id, "stakeholder_id": person_id} for account_id, person_id in some]
    try:
        found = (await api.post("scorer", "/v1/names", {"of": of}))["items"]
    except TellbackError:
        return {}
    return {
        _pair(one): (one["account_name"] or one["account_id"], one["name"] or one["stakeholder_id"] or "")
        for one in found
    }
