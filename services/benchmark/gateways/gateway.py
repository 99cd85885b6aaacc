"""How another service's public API is asked: with the caller's own key, so that it shows no more than the caller may
see."""

from collections.abc import Mapping
from typing import Any

import httpx

from shared.http.client import SECONDS, Api, Json, ServiceName, Services

Query = Mapping[str, Any]


class Gateway:
    """One service. Every call raises `Away`, or what the service said of the request."""

    def __init__(self, service: ServiceName, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._service: ServiceName = service
        # One review asks dozens of questions: they wait for a connection as long as the others take.
        self._services = Services({service: base_url}, transport=transport, timeout=httpx.Timeout(SECONDS, pool=None))

    async def close(self) -> None:
        """Give back the connections."""
        await self._services.close()

    async def get(self, authorization: str, path: str, query: Query) -> Json:
        """The JSON object of a GET. Query values that are None are not sent."""
        return await self._api(authorization).get(self._service, path, **query)

    async def items(self, authorization: str, path: str, query: Query, most: int = 1_000) -> tuple[list[Json], bool]:
        """(the items of a list, page by page, up to `most`; whether there are more)."""
        items = await self._api(authorization).items(self._service, path, most + 1, **query)
        return items[:most], len(items) > most

    def _api(self, authorization: str) -> Api:
        """The service, asked with the key of a header that the edge has read already."""
        return Api(self._services, authorization.partition(" ")[2].strip())
