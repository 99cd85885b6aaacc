"""Names of accounts and people for lists that carry only their ids."""

import asyncio
from typing import Any

from services.dashboard.gateways.services import Api, Away, Refused, within

Json = dict[str, Any]
AT_ONCE = 8


class Names:
    """Asks for each name once a page."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def add_to(self, api: Api, items: list[Json]) -> list[Json]:
        """The items with `account` and `person` (empty where there is none)."""
        wanted = {(one["account_id"], one.get("stakeholder_id") or "") for one in items} - self._known.keys()
        found = await asyncio.gather(*(self._ask(api, *pair) for pair in wanted))
        self._known |= {pair: names for pair, names in zip(wanted, found, strict=True) if names}
        named = []
        for one in items:
            pair = one["account_id"], one.get("stakeholder_id") or ""
            account, person = self._known.get(pair, pair)
            named.append(one | {"account": account, "person": person})
        return named

    async def _ask(self, api: Api, account_id: str, stakeholder_id: str) -> tuple[str, str] | None:
        """Account and person; the ids of who is not known there, None while nobody can say: follow-ups are worked on
        while the scorer is away."""
        async with self._turn:
            try:
                if not stakeholder_id:
                    account = await api.get("scorer", within("/v1/accounts", account_id, "score"))
                    return str(account.get("name") or account_id), ""
                person = await api.get("scorer", within("/v1/accounts", account_id, "stakeholders", stakeholder_id))
            except Refused:
                return account_id, stakeholder_id
            except Away:
                return None
        return str(person["account_name"] or account_id), str(person["name"] or stakeholder_id)
