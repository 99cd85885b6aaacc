"""The scorer's public API, asked with the caller's own key, so that it shows no more than the caller may see."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from shared.errors import Forbidden, Invalid, NotFound, TooMany, Unauthorized, Unavailable

SECONDS = 10.0
_ERRORS = {401: Unauthorized, 403: Forbidden, 404: NotFound, 422: Invalid, 429: TooMany}


class Scorer:
    """One connection pool to the scorer."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=SECONDS, trust_env=False, transport=transport)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def account_score(self, authorization: str, account_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The figures of an account. Raises `NotFound`, `Unavailable`, or what the scorer said of the request."""
        return await self._get(authorization, f"/v1/accounts/{quote(account_id, safe='')}/score", query)

    async def portfolio_score(self, authorization: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The figures of the portfolio by group."""
        return await self._get(authorization, "/v1/portfolio/score", query)

    async def _get(self, authorization: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = await self._client.get(path, params=dict(query), headers={"authorization": authorization})
        except httpx.HTTPError:
            raise _away() from None
        if answer.status_code == httpx.codes.OK:
            body: dict[str, Any] = answer.json()
            return body
        kind = _ERRORS.get(answer.status_code)
        if kind is None:
            raise _away()
        problem = answer.json()
        raise kind(problem.get("code", "refused"), problem.get("detail", ""), errors=problem.get("errors"))


def _away() -> Unavailable:
    return Unavailable("scorer_unavailable", "the scorer is not reachable, and the figures are its own", retry_after=5)
