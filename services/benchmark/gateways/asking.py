"""How another service's public API is asked: with the caller's own key, so that it shows no more than the caller may
see."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from shared.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany, Unauthorized, Unavailable

SECONDS = 10.0
PAGE = 200
AT_ONCE = 8
"""So many questions of one request are under way at a time."""
_SECONDS = re.compile(r"[0-9]{1,9}")
_ERRORS = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 422: Invalid, 429: TooMany}


class Service:
    """One connection pool to a service. Every call raises `Unavailable`, or what the service said of the request."""

    def __init__(self, name: str, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name = name
        self._client = httpx.AsyncClient(base_url=base_url, timeout=SECONDS, trust_env=False, transport=transport)
        self._turn = asyncio.Semaphore(AT_ONCE * 8)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def get(self, authorization: str, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object of a successful GET. Query values that are None are not sent."""
        sent = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        try:
            async with self._turn:
                answer = await self._client.get(path, params=sent, headers={"authorization": authorization})
            body = answer.json() if answer.is_success or answer.status_code in _ERRORS else None
        except (httpx.HTTPError, ValueError):
            raise self._away() from None
        if not isinstance(body, dict):
            raise self._away()
        if answer.is_success:
            return body
        kind, wait = _ERRORS[answer.status_code], answer.headers.get("retry-after", "")
        raise kind(
            body.get("code", "refused"),
            body.get("detail", ""),
            retry_after=int(wait) if _SECONDS.fullmatch(wait) else None,
            errors=body.get("errors"),
        )

    async def items(
        self, authorization: str, path: str, query: Mapping[str, Any], most: int = 1_000
    ) -> tuple[list[dict[str, Any]], bool]:
        """(the items of a list, page by page, up to `most`; whether there are more)."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.get(authorization, path, {**query, "limit": PAGE, "cursor": cursor})
            found += page["items"]
            cursor = page.get("next_cursor")
            if cursor is None or len(found) >= most:
                return found[:most], cursor is not None or len(found) > most

    def _away(self) -> Unavailable:
        detail = f"{self.name} is not reachable, and what was asked is its own to tell"
        return Unavailable(f"{self.name}_unavailable", detail, retry_after=5)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)
