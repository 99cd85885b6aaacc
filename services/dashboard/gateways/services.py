"""The public HTTP APIs of the other services."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import httpx

from shared.errors import TellbackError

Name = Literal["collector", "scorer", "alerting", "benchmark"]
Json = dict[str, Any]
IN_WORDS = {
    "collector": "The collector",
    "scorer": "The scorer",
    "alerting": "The follow-up service",
    "benchmark": "The benchmark service",
}
SECONDS = 10.0
PAGE = 200
SILENCE_SECONDS = 60.0
"""A stream gives a sign of life more often than this."""


class Away(TellbackError):
    """A service did not answer, or could not."""

    def __init__(self, service: str) -> None:
        super().__init__("service_away", f"{IN_WORDS.get(service, service)} is not reachable")
        self.service = service


class Refused(TellbackError):
    """A service answered, and the answer is no: `status` says which kind of no."""

    def __init__(self, service: str, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.service = service
        self.http_status = status


class Services:
    """Connections to all services; `api` asks them with a key."""

    def __init__(self, urls: Mapping[Name, str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=20)
        self._clients = {
            name: httpx.AsyncClient(
                base_url=url.rstrip("/"), timeout=SECONDS, limits=limits, trust_env=False, transport=transport
            )
            for name, url in urls.items()
        }

    async def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def lines(self, service: Name, path: str, key: str) -> AsyncIterator[str]:
        """The lines of an answer without end. Raises `Away` when it breaks off, `Refused` when there is none."""
        headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
        patience = httpx.Timeout(SECONDS, read=SILENCE_SECONDS)
        try:
            async with self._clients[service].stream("GET", path, headers=headers, timeout=patience) as answer:
                if not answer.is_success:
                    raise Refused(service, answer.status_code, "no_stream", "There is no stream")
                async for line in answer.aiter_lines():
                    yield line
        except httpx.HTTPError:
            raise Away(service) from None

    async def remarks(self, service: Name) -> list[str]:
        """What a service says of itself that does not work although it answers; nothing where it does not answer."""
        try:
            answer = await self._clients[service].get("/health/ready")
        except httpx.HTTPError:
            return []
        return [str(remark) for remark in _body(answer).get("remarks") or ()]

    async def send(self, service: Name, method: str, path: str, key: str, **options: Any) -> Json:
        """The JSON of a successful call, `{}` where it has none. Raises `Away` or `Refused`."""
        headers = {"authorization": f"Bearer {key}"}
        try:
            answer = await self._request(service, method, path, headers=headers, **options)
        except httpx.HTTPError:
            raise Away(service) from None
        if answer.is_success:
            return _body(answer)
        if answer.status_code >= 500:
            raise Away(service)
        problem = _body(answer)
        raise Refused(service, answer.status_code, str(problem.get("code", "refused")), _sentence(problem))

    async def _request(self, service: Name, method: str, path: str, **options: Any) -> httpx.Response:
        """A question is asked once more where the connection broke: the other side may just have closed an idle one."""
        client = self._clients[service]
        try:
            return await client.request(method, path, **options)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if method != "GET":
                raise
        return await client.request(method, path, **options)


Renew = Callable[[], Awaitable[str]]
UNAUTHORIZED = 401


class Api:
    """The services, asked with the key of one person; `renew` makes another when they do not know it any more."""

    def __init__(self, services: Services, key: str, renew: Renew | None = None) -> None:
        self._services, self._key, self._renew = services, key, renew

    async def _send(self, service: Name, method: str, path: str, **options: Any) -> Json:
        try:
            return await self._services.send(service, method, path, self._key, **options)
        except Refused as refused:
            if refused.http_status != UNAUTHORIZED or self._renew is None:
                raise
        self._key = await self._renew()
        return await self._services.send(service, method, path, self._key, **options)

    async def get(self, service: Name, path: str, **query: Any) -> Json:
        """GET; query values that are None or empty are left out, `class_` is sent as `class`."""
        sent = {name.rstrip("_"): _text(value) for name, value in query.items() if value not in (None, "")}
        return await self._send(service, "GET", path, params=sent)

    async def post(self, service: Name, path: str, body: Json | None = None) -> Json:
        """POST of JSON."""
        options: Json = {} if body is None else {"json": body}
        return await self._send(service, "POST", path, **options)

    async def patch(self, service: Name, path: str, body: Json) -> Json:
        """PATCH of JSON."""
        return await self._send(service, "PATCH", path, json=body)

    async def delete(self, service: Name, path: str) -> Json:
        """DELETE."""
        return await self._send(service, "DELETE", path)

    def stream(self, service: Name, path: str) -> AsyncIterator[str]:
        """The lines of an answer without end."""
        return self._services.lines(service, path, self._key)

    async def pages(self, service: Name, path: str, **query: Any) -> AsyncIterator[list[Json]]:
        """A list, page by page."""
        cursor = None
        while True:
            page = await self.get(service, path, **{"limit": PAGE, **query, "cursor": cursor})
            yield page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def items(self, service: Name, path: str, most: int = 1000, **query: Any) -> list[Json]:
        """The first `most` items of a list."""
        found: list[Json] = []
        async for page in self.pages(service, path, **query):
            found += page
            if len(found) >= most:
                break
        return found[:most]


def within(*parts: str) -> str:
    """A path of literal and foreign parts: `within("/v1/accounts", id, "score")`; ids are escaped."""
    first, *rest = parts
    return "/".join([first, *(quote(part, safe="") for part in rest)])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(problem: Json) -> str:
    """What a problem says, with the fields it names."""
    fields = [f"{one.get('field')}: {one.get('detail')}" for one in problem.get("errors") or [] if one.get("detail")]
    return "; ".join(fields) or str(problem.get("detail") or problem.get("title") or "The service refused this")
