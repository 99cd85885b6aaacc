"""The fast lane: responses posted alone or in arrays, answered in front of FastAPI.

FastAPI's routing, dependencies and models cost many times the work itself. So a post of JSON by a known key that may
ingest is answered here: a plain body is parsed by msgspec (`handlers.fast_parse`), any other valid one by the route's
own model. All other requests, and all faults, are passed to the route with the body that was read, so that problems are
found and worded in one place.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache
from typing import Any

from prometheus_client import Histogram
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from services.collector.api import fast_answers
from services.collector.api.fast_answers import Answer
from services.collector.api.resources import Collector
from services.collector.handlers import responses
from services.collector.handlers.fast_parse import MAX_ITEMS, NotPlain, ParsedPost, parse_many, parse_one
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.responses import Sender
from shared.access.caller import Caller
from shared.access.keystore import KeyStore
from shared.errors import TellbackError
from shared.events.envelope import Event
from shared.http import strict_json
from shared.http.limits import BATCH_BYTES, BODY_BYTES, HEADER_BYTES
from shared.http.problem import internal_error
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import http_request_duration_seconds

log = get_logger(__name__)
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
ONE, MANY = "/v1/responses", "/v1/responses/batch"
PATHS = {ONE: BODY_BYTES, MANY: BATCH_BYTES}
"""Path -> the largest body in bytes."""
SMALL = 8_192
"""A larger body takes a turn of the event loop of its own to parse: when many come at once, the last must not delay the
acknowledgements of those before it."""
_JSON = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
_LEFT_TO_THE_ROUTE = frozenset({b"content-encoding", b"transfer-encoding", b"x-request-id", b"expect"})


class FastIngest:
    """Answers valid posts; all other requests go to `route`."""

    def __init__(self, collector: Collector, keys: KeyStore, route: Handler) -> None:
        self._collector = collector
        self._keys = keys
        self._route = route
        self._large_body = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST to one of `PATHS`."""
        if self._collector.disk.low:
            await self._route(scope, receive, send)
            return
        began = time.perf_counter()
        path: str = scope["path"]
        body = Body(receive)
        try:
            sender = self._sender(scope)
            post = await self._parsed(path, body, sender)
        except Exception as error:
            # Nothing was published yet: the route judges the request again, behind the edge, which counts failures.
            if not isinstance(error, NotPlain | TellbackError | ValidationError):
                log.error("fast_ingest_failed", route=path, exc_info=error)
            await self._route(scope, body.receive_again, send)
            return
        body.forget()
        # Failures from here on are not left to the route: it would publish again, and wait again.
        status, headers, answer = await self._answer(path, post)
        headers.append((b"content-length", str(len(answer)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        _seconds(path, status).observe(time.perf_counter() - began)

    def _sender(self, scope: Scope) -> Sender:
        """The sender, read from the headers alone. Raises `NotPlain`."""
        caller: Caller | None = None
        idempotency_key: str | None = None
        is_json: bool | None = None
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"authorization":
                if caller is not None:
                    raise NotPlain
                caller = self._keys.known(value, self._collector.clock.now())
            elif name == b"content-type":
                is_json = is_json is None and value in _JSON  # two headers are ambiguous
            elif name == b"idempotency-key":
                if idempotency_key is not None or not 1 <= len(value) <= 200:
                    raise NotPlain
                idempotency_key = value.decode("latin-1")
            elif name in _LEFT_TO_THE_ROUTE:
                raise NotPlain
        if caller is None or not is_json or size > HEADER_BYTES or scope["query_string"]:
            raise NotPlain
        limited = caller.rate_limit is not None or caller.owner_email is not None
        if limited or caller.publishable or "ingest" not in caller.scopes:
            raise NotPlain
        return Sender(caller.key_id, idempotency_key)

    async def _parsed(self, path: str, body: "Body", sender: Sender) -> ParsedPost:
        """The parsed body. Raises errors that the route is to judge."""
        parse = _many
        if path == ONE:
            parse = _one
        content = await body.read(PATHS[path])
        if len(content) <= SMALL:
            return parse(content, self._collector.clock.now(), sender)
        async with self._large_body:
            await asyncio.sleep(0)
            return parse(content, self._collector.clock.now(), sender)

    async def _answer(self, path: str, post: ParsedPost) -> Answer:
        """Publish a post and make its answer, whatever the outcome."""
        try:
            receipt = await self._collector.outgoing.publisher.publish(post.records)
            post.records.clear()  # frees their memory while the batch waits
            outcomes = await self._collector.outgoing.settled(receipt)
            if path == ONE:
                return fast_answers.one(post, outcomes)
            return fast_answers.many(post, outcomes)
        except TellbackError as refused:
            return fast_answers.refusal(post, refused)
        except Exception as failure:
            log.error("request_failed", method="POST", route=path, request_id=post.event_id, exc_info=failure)
            return fast_answers.refusal(post, internal_error())


class Body:
    """The body of a request, kept as long as it may still be passed to the route."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def read(self, limit: int) -> bytes:
        """The complete body. Raises `NotPlain` past the limit or when the client has disconnected."""
        body: bytes = b""
        while True:
            message = await self._receive()
            self._messages.append(message)
            if message["type"] != "http.request":
                raise NotPlain
            body += message.get("body", b"")
            if len(body) > limit:
                raise NotPlain
            if not message.get("more_body", False):
                return body

    async def receive_again(self) -> Message:
        """ASGI's `receive` that first returns what was read already."""
        if self._messages:
            return self._messages.pop(0)
        return await self._receive()

    def forget(self) -> None:
        """Free the memory of a body that the route will not need."""
        self._messages.clear()


def _one(body: bytes, now: datetime, sender: Sender) -> ParsedPost:
    try:
        return parse_one(body, now, sender)
    except NotPlain:
        return ParsedPost.of([_by_model(strict_json.loads(body), now, sender.response_id())], sender)


def _many(body: bytes, now: datetime, sender: Sender) -> ParsedPost:
    try:
        return parse_many(body, now, sender)
    except NotPlain:
        items = _items(strict_json.loads(body))
        events = [_by_model(item, now, sender.response_id(index)) for index, item in enumerate(items)]
        return ParsedPost.of(events, sender)


def _by_model(value: Any, now: datetime, new_id: str | None) -> Event:
    """The event of a response that only the model can parse. Raises `NotPlain`, `ValidationError` or `Invalid`."""
    if not isinstance(value, dict):
        raise NotPlain
    return responses.recorded(NewResponse.model_validate(value), now, response_id=new_id)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict) or value.keys() != {"responses"}:
        raise NotPlain
    items = value["responses"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise NotPlain
    return items


@cache
def _seconds(path: str, status: int) -> Histogram:
    """The metric series of a path and a status, cached."""
    return http_request_duration_seconds.labels("POST", path, str(status))
