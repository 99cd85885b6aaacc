"""The one client of the services' public HTTP APIs: asks with the caller's key, reads an answer as its type, and raises
what the service raised."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from shared.errors import TellbackError, Unauthorized, Unavailable
from shared.http.paging import MAX_LIMIT, Page
from shared.http.problem import of_status

ServiceName = Literal["collector", "scorer", "alerting", "benchmark", "outreach"]
Json = dict[str, Any]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
IN_WORDS: Mapping[ServiceName, str] = {
    "collector": "The collector",
    "scorer": "The scorer",
    "alerting": "The follow-up service",
    "benchmark": "The benchmark service",
    "outreach": "The service for surveys",
}
SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""The read timeout of a stream, which sends a sign of life more often than this."""
RETRY_SECONDS = 5
"""When to try again where an unavailable service does not say so itself."""
_READERS: dict[Any, TypeAdapter[Any]] = {}
_SECONDS = re.compile(r"[0-9]{1,9}")
_NAME_IN_PATH = re.compile(r"\{(\w+)\}")


class Away(Unavailable):
    """A service did not answer, or could not. `reason` is its own explanation, where it gave one."""

    service: ServiceName

    def __init__(self, service: ServiceName, retry_after: int | None = None, reason: str = "") -> None:
        super().__init__(
            f"{service}_unavailable",
            f"{IN_WORDS[service]} is not reachable",
            retry_after=retry_after or RETRY_SECONDS,
        )
        self.service = service
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Question(Generic[T_co]):
    """A GET of a service: the names in braces in its path are filled in when it is asked; `answer` is the type of the
    response."""

    service: ServiceName
    path: str
    answer: type[T_co]

    def to(self, service: ServiceName) -> "Question[T_co]":
        """This question to another service, for routes that every service has."""
        return replace(self, service=service)


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A POST, PUT, PATCH or DELETE of a service, with its path as in `Question`; `answer` is the type of the response,
    None for one without content. `seconds`: how long the response may take where that is longer than of others."""

    service: ServiceName
    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    answer: type[T_co]
    seconds: float | None = None

    def to(self, service: ServiceName) -> "Call[T_co]":
        """This call of another service, for routes that every service has."""
        return replace(self, service=service)


class Services:
    """The connections to the services; `Api` asks them with a key."""

    def __init__(
        self,
        urls: Mapping[ServiceName, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout | float = SECONDS,
    ) -> None:
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=20)
        self._clients = {
            name: httpx.AsyncClient(
                base_url=url.rstrip("/"), timeout=timeout, limits=limits, trust_env=False, transport=transport
            )
            for name, url in urls.items()
        }

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def send(self, service: ServiceName, method: str, path: str, key: str, **options: Any) -> httpx.Response:
        """The answer to a call that succeeded; `options` are httpx's. Raises `Away`, or the error of the service."""
        headers = {"authorization": f"Bearer {key}", **options.pop("headers", {})}
        try:
            answer = await self._request(service, method, path, headers=headers, **options)
        except httpx.HTTPError:
            raise Away(service) from None
        if not answer.is_success:
            raise _error_of(service, answer)
        return answer

    @asynccontextmanager
    async def opened(self, service: ServiceName, path: str, key: str) -> AsyncIterator[httpx.Response]:
        """A response that is read as a stream. Raises `Away` when it breaks off, or the error of the service."""
        patience = httpx.Timeout(SECONDS, read=SILENCE_SECONDS)
        headers = {"authorization": f"Bearer {key}"}
        try:
            async with self._clients[service].stream("GET", path, headers=headers, timeout=patience) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise _error_of(service, answer)
                yield answer
        except httpx.HTTPError:
            raise Away(service) from None

    async def remarks(self, service: ServiceName) -> list[str]:
        """The remarks of a service about what does not work although it answers; none where it does not answer."""
        try:
            answer = await self._clients[service].get("/health/ready")
        except httpx.HTTPError:
            return []
        return [str(remark) for remark in _problem_in(answer).get("remarks") or ()]

    async def _request(self, service: ServiceName, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; a GET is sent once more where the connection broke, since the server may just have closed an
        idle one."""
        client = self._clients[service]
        try:
            return await client.request(method, path, **options)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if method != "GET":
                raise
        return await client.request(method, path, **options)


class Api:
    """The services, asked with one key; `renew` makes another key when the services do not know it any more. Every call
    raises `Away` where the service did not answer, else the service's error: `NotFound`, `Conflict`, `Invalid` with its
    `errors`, `TooMany` with its `retry_after`, as in shared.errors."""

    def __init__(self, services: Services, key: str, renew: Callable[[], Awaitable[str]] | None = None) -> None:
        self._services, self._key, self._renew = services, key, renew

    async def ask(self, question: Question[T], **values: Any) -> T:
        """The answer to a question. Values that its path does not name become its query, as `get` sends it."""
        path, query = _filled(question.path, values)
        answer = await self._get(question.service, path, query)
        return _read(question.service, question.answer, answer)

    async def ask_all(self, question: Question[Page[T]], most: int = 1000, **values: Any) -> list[T]:
        """The first `most` items of a list, page by page."""
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = await self.ask(question, **{"limit": min(most, MAX_LIMIT), **values, "cursor": cursor})
            items += page.items
            cursor = page.next_cursor
            if cursor is None or len(items) >= most:
                return items[:most]

    async def call(self, call: Call[T], body: Any = None, **values: str) -> T:
        """The answer to a call with this JSON body, or without one; `values` fill in its path."""
        path, _ = _filled(call.path, values)
        options: Json = {}
        if body is not None:
            options = {"json": body}
        if call.seconds is not None:
            options["timeout"] = call.seconds
        answer = await self._send(call.service, call.method, path, **options)
        return _read(call.service, call.answer, answer)

    async def get(self, service: ServiceName, path: str, **query: Any) -> Json:
        """The JSON object of a GET. Query values that are None or empty are left out, `class_` is sent as `class`."""
        return _read(service, Json, await self._get(service, path, query))

    async def items(self, service: ServiceName, path: str, most: int = 1000, **query: Any) -> list[Json]:
        """The first `most` items of a list of JSON objects."""
        items: list[Json] = []
        async for page in self.pages(service, path, **query):
            items += page
            if len(items) >= most:
                break
        return items[:most]

    async def pages(self, service: ServiceName, path: str, **query: Any) -> AsyncIterator[list[Json]]:
        """A list of JSON objects, page by page."""
        cursor = None
        while True:
            page = await self.get(service, path, **{"limit": MAX_LIMIT, **query, "cursor": cursor})
            yield page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def post(self, service: ServiceName, path: str, body: Any = None, **options: Any) -> Json:
        """POST of JSON, or of what httpx's options say; `{}` for an empty response."""
        if body is not None:
            options = {"json": body, **options}
        return _object(service, await self._send(service, "POST", path, **options))

    async def delete(self, service: ServiceName, path: str) -> Json:
        """DELETE."""
        return _object(service, await self._send(service, "DELETE", path))

    def once(self) -> "AskingOnce":
        """A cache over this client for one loading of a page."""
        return AskingOnce(self._services, self._key, self._renew)

    async def lines(self, service: ServiceName, path: str) -> AsyncIterator[str]:
        """The lines of a response that may have no end."""
        async with self._services.opened(service, path, self._key) as answer:
            async for line in answer.aiter_lines():
                yield line

    async def chunks(self, service: ServiceName, path: str) -> AsyncIterator[bytes]:
        """A file, piece by piece."""
        async with self._services.opened(service, path, self._key) as answer:
            async for chunk in answer.aiter_bytes():
                yield chunk

    async def _get(self, service: ServiceName, path: str, query: Mapping[str, Any]) -> httpx.Response:
        sent = {name.rstrip("_"): _text(value) for name, value in query.items() if value not in (None, "")}
        return await self._send(service, "GET", path, params=sent)

    async def _send(self, service: ServiceName, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return await self._services.send(service, method, path, self._key, **options)
        except Unauthorized:
            if self._renew is None:
                raise
        self._key = await self._renew()
        return await self._services.send(service, method, path, self._key, **options)


class AskingOnce(Api):
    """Asks each question once during one loading of a page: a question that several parts of the page share is sent
    once, and its failure is theirs in common."""

    def __init__(self, services: Services, key: str, renew: Callable[[], Awaitable[str]] | None) -> None:
        super().__init__(services, key, renew)
        self._asked: dict[Any, asyncio.Future[Any]] = {}

    async def ask(self, question: Question[T], **values: Any) -> T:
        """The answer to a question, from the cache where it was asked before."""
        given = sorted((name, value) for name, value in values.items() if value is not None)
        key = question, tuple(given)
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(super().ask(question, **values))
        answer: T = await asyncio.shield(self._asked[key])
        return answer


def within(*parts: str) -> str:
    """A path of literal and variable parts: `within("/v1/accounts", id, "score")`; ids are escaped."""
    literal, *segments = parts
    return "/".join([literal, *(quote(segment, safe="") for segment in segments)])


def _filled(path: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path with its names filled in, and the remaining values."""
    named = set(_NAME_IN_PATH.findall(path))
    filled = _NAME_IN_PATH.sub(lambda match: quote(str(values[match[1]]), safe=""), path)
    return filled, {name: value for name, value in values.items() if name not in named}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _reader_of(kind: Any) -> TypeAdapter[Any]:
    if kind not in _READERS:
        _READERS[kind] = TypeAdapter(kind)
    return _READERS[kind]


def _read(service: ServiceName, kind: type[T], answer: httpx.Response) -> T:
    """The response as its type; one without content is read as null. Raises `Away` for a response of another
    shape."""
    try:
        content: T = _reader_of(kind).validate_json(answer.content or b"null")
    except ValidationError as error:
        raise Away(service) from error
    return content


def _object(service: ServiceName, answer: httpx.Response) -> Json:
    if not answer.content:
        return {}
    return _read(service, Json, answer)


def _error_of(service: ServiceName, answer: httpx.Response) -> TellbackError:
    """The error of the service, with its code and text."""
    wait = answer.headers.get("retry-after", "")
    retry_after = None
    if _SECONDS.fullmatch(wait):
        retry_after = int(wait)
    problem = _problem_in(answer)
    if answer.status_code >= 500 or not problem:  # an error without a problem comes from a proxy, not from the service
        return Away(service, retry_after, str(problem.get("detail") or problem.get("code") or ""))
    bare = of_status(answer.status_code)
    error = type(bare)(
        str(problem.get("code", bare.code)),
        str(problem.get("detail") or problem.get("title") or "the service refused this"),
        retry_after=retry_after,
        errors=problem.get("errors"),
    )
    error.status, error.title, error.service = bare.status, bare.title, service
    return error


def _problem_in(answer: httpx.Response) -> Json:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    if not isinstance(problem, dict):
        return {}
    return problem
