"""Alerting's public API: follow-ups and how well the loop is closed."""

import asyncio

import httpx

from services.benchmark.gateways.gateway import Gateway, Query
from shared.errors import NotFound
from shared.http.client import Json, within

AT_ONCE = 8
"""So many questions of one request are under way at a time."""


class Alerting(Gateway):
    """Asks alerting."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__("alerting", base_url, transport)

    async def summary(self, authorization: str, query: Query) -> Json:
        """Closed-loop figures by group."""
        return await self.get(authorization, "/v1/follow-ups/summary", query)

    async def follow_ups(self, authorization: str, account_id: str, most: int) -> tuple[list[Json], bool]:
        """(the follow-ups of an account, the last opened first; whether there are more than are given)."""
        query = {"account_id": account_id, "sort": "-opened_at"}
        return await self.items(authorization, "/v1/follow-ups", query, most)

    async def details(self, authorization: str, follow_up_ids: list[str]) -> list[Json]:
        """Each follow-up with all that is known of it; one that is gone meanwhile is left out."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def detail_of(follow_up_id: str) -> Json | None:
            async with turn:
                try:
                    return await self.get(authorization, within("/v1/follow-ups", follow_up_id), {})
                except NotFound:
                    return None

        details = await asyncio.gather(*map(detail_of, follow_up_ids))
        return [detail for detail in details if detail is not None]
