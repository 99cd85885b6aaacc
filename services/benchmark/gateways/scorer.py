"""The scorer's public API: figures, funnel, changes and answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from services.benchmark.gateways.asking import Service

Query = Mapping[str, Any]


class Scorer(Service):
    """Asks the scorer."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__("scorer", base_url, transport)

    async def account_score(self, authorization: str, account_id: str, query: Query) -> dict[str, Any]:
        """The figures of an account. Raises `NotFound`, also for one that is not the caller's."""
        return await self.get(authorization, f"/v1/accounts/{quote(account_id, safe='')}/score", query)

    async def account_trend(self, authorization: str, account_id: str, query: Query) -> dict[str, Any]:
        """The figures of an account over time, with its context events as marks."""
        return await self.get(authorization, f"/v1/accounts/{quote(account_id, safe='')}/trend", query)

    async def portfolio_score(self, authorization: str, query: Query) -> dict[str, Any]:
        """The figures of the portfolio by group."""
        return await self.get(authorization, "/v1/portfolio/score", query)

    async def portfolio_trend(self, authorization: str, query: Query) -> dict[str, Any]:
        """The figures of the portfolio over time."""
        return await self.get(authorization, "/v1/portfolio/trend", query)

    async def funnel(self, authorization: str, query: Query) -> dict[str, Any]:
        """The invitation funnel of the portfolio by group."""
        return await self.get(authorization, "/v1/portfolio/funnel", query)

    async def changes(self, authorization: str, query: Query) -> tuple[list[dict[str, Any]], bool]:
        """(category changes, whether there are more than are given)."""
        return await self.items(authorization, "/v1/changes", query)

    async def responses(self, authorization: str, query: Query) -> tuple[list[dict[str, Any]], bool]:
        """(answers with their comments, whether there are more than are given)."""
        return await self.items(authorization, "/v1/responses", query)

    async def people(self, authorization: str, account_id: str) -> tuple[list[dict[str, Any]], bool]:
        """(the people of an account, whether there are more than are given)."""
        return await self.items(authorization, f"/v1/accounts/{quote(account_id, safe='')}/stakeholders", {})
