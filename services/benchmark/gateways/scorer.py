"""The scorer's public API: figures, funnel, changes and answers."""

import httpx

from services.benchmark.gateways.gateway import Gateway, Query
from shared.http.client import Json, within


class Scorer(Gateway):
    """Asks the scorer."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__("scorer", base_url, transport)

    async def account_score(self, authorization: str, account_id: str, query: Query) -> Json:
        """The figures of an account. Raises `NotFound`, also for one that is not the caller's."""
        return await self.get(authorization, within("/v1/accounts", account_id, "score"), query)

    async def account_trend(self, authorization: str, account_id: str, query: Query) -> Json:
        """The figures of an account over time, with its context events as marks."""
        return await self.get(authorization, within("/v1/accounts", account_id, "trend"), query)

    async def portfolio_score(self, authorization: str, query: Query) -> Json:
        """The figures of the portfolio by group."""
        return await self.get(authorization, "/v1/portfolio/score", query)

    async def portfolio_trend(self, authorization: str, query: Query) -> Json:
        """The figures of the portfolio over time."""
        return await self.get(authorization, "/v1/portfolio/trend", query)

    async def funnel(self, authorization: str, query: Query) -> Json:
        """The invitation funnel of the portfolio by group."""
        return await self.get(authorization, "/v1/portfolio/funnel", query)

    async def changes(self, authorization: str, query: Query) -> tuple[list[Json], bool]:
        """(category changes, whether there are more than are given)."""
        return await self.items(authorization, "/v1/changes", query)

    async def responses(self, authorization: str, query: Query) -> tuple[list[Json], bool]:
        """(answers with their comments, whether there are more than are given)."""
        return await self.items(authorization, "/v1/responses", query)

    async def people(self, authorization: str, account_id: str) -> tuple[list[Json], bool]:
        """(the people of an account, whether there are more than are given)."""
        return await self.items(authorization, within("/v1/accounts", account_id, "stakeholders"), {})
