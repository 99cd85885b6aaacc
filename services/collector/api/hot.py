"""The hot path: responses posted alone or in batches, answered in front of FastAPI.

FastAPI's routing, dependencies and models cost many times the work itself. So a plain request (JSON, a known key that
may ingest, a valid body) is answered here; whatever is not is handed on, body and all, to the FastAPI route, which
judges it and words the problem. A body that is valid without being plain is read by the route's own model.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import cache, partial
from json.encoder import encode_basestring as quoted
from typing import Any

from prometheus_client import Histogram
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from services.collector.api import batches
from services.collector.api.resources import Collector
from services.collector.handlers import responses
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.plain import MAX_ITEMS, Derived, NotPlain, Taken, take_many, take_one
from shared.access.caller import Caller
from shared.access.keystore import KeyStore
from shared.errors import TellbackError
from shared.http import strict_json
from shared.http.limits import BATCH_BYTES, BODY_BYTES, HEADER_BYTES
from shared.http.problem import problem_response
from shared.telemetry.metrics import http_request_duration_seconds, responses_accepted_total

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
ONE, MANY = "/v1/responses", "/v1/responses/batch"
PATHS = {ONE: BODY_BYTES, MANY: BATCH_BYTES}
_JSON = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
_LEFT_TO_FASTAPI = frozenset({b"content-encoding", b"transfer-encoding", b"x-request-id", b"expect"})
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
_ACCEPTED = {via: responses_accepted_total.labels(via) for via in ("kafka", "outbox")}


class HotPath:
    """Answers plain posts; everything else goes to `fallback`."""

    def __init__(self, collector: Collector, keys: KeyStore, fallback: Handler) -> None:
        self._collector = collector
        self._keys = keys
        self._fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST to one of `PATHS`."""
        began = time.perf_counter()
        path: str = scope["path"]
        messages: list[Message] = []
        now = self._collector.clock.now()
        try:
            derived = self._judge_head(scope, now)
            body = await _read(receive, PATHS[path], messages)
            taken = _one(body, now, derived) if path == ONE else _many(body, now, derived)
        except (NotPlain, TellbackError, ValidationError):
            await self._fallback(scope, _again(messages, receive), send)
            return
        request_id = taken[0].event_id
        try:
            status, answer = await (self._publish_one(taken[0]) if path == ONE else self._publish_many(taken))
        except TellbackError as error:
            # Not left to the route: it would publish again, after all the waiting.
            status = error.status
            await _refuse(error, request_id, scope, receive, send)
        else:
            length = (b"content-length", str(len(answer)).encode())
            headers = [*_HEADERS, length, (b"x-request-id", request_id.encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
        _seconds(path, status).observe(time.perf_counter() - began)

    def _judge_head(self, scope: Scope, now: datetime) -> Derived | None:
        """What the Idempotency-Key, if there is one, makes of items without an id. Raises `NotPlain`."""
        caller: Caller | None = None
        idempotency_key: str | None = None
        is_json = False
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"authorization":
                if caller is not None:
                    raise NotPlain
                caller = self._keys.known(value, now)
            elif name == b"content-type":
                is_json = value in _JSON
            elif name == b"idempotency-key":
                if idempotency_key is not None or not 1 <= len(value) <= 200:
                    raise NotPlain
                idempotency_key = value.decode("latin-1")
            elif name in _LEFT_TO_FASTAPI:
                raise NotPlain
        if caller is None or not is_json or size > HEADER_BYTES or scope["query_string"]:
            raise NotPlain
        limited = caller.rate_limit is not None or caller.owner_email is not None
        if limited or caller.publishable or "ingest" not in caller.scopes:
            raise NotPlain
        return partial(responses.derived_response_id, caller.key_id, idempotency_key) if idempotency_key else None

    async def _publish_one(self, taken: Taken) -> tuple[int, bytes]:
        """Status and answer. Raises `Unavailable` or `TooLarge`."""
        via = await self._collector.outgoing.send(taken.record)
        _ACCEPTED[via].inc()
        answer = (
            f'{{"event_id":"{taken.event_id}","recorded_at":"{taken.recorded_at}","status":"accepted","via":"{via}",'
            f'"response_id":{quoted(taken.response_id)}}}'
        )
        return 202, answer.encode()

    async def _publish_many(self, taken: Sequence[Taken]) -> tuple[int, bytes]:
        """Status and answer. Raises `Unavailable` when nothing was taken for want of Kafka and PostgreSQL."""
        outcomes = await self._collector.outgoing.send_many([one.record for one in taken])
        for via, counter in _ACCEPTED.items():
            if count := sum(outcome == via for outcome in outcomes):
                counter.inc(count)
        if any(isinstance(outcome, TellbackError) for outcome in outcomes):
            return 200, bytes(batches.answer(outcomes, [{"response_id": one.response_id} for one in taken]).body)
        return 200, _batch_answer(taken)


def _one(body: bytes, now: datetime, derived: Derived | None) -> list[Taken]:
    try:
        return [take_one(body, now, derived)]
    except NotPlain:
        return [_by_model(strict_json.loads(body), now, derived)]


def _many(body: bytes, now: datetime, derived: Derived | None) -> list[Taken]:
    try:
        return take_many(body, now, derived)
    except NotPlain:
        items = _items(strict_json.loads(body))
        return [_by_model(item, now, derived, index) for index, item in enumerate(items)]


def _by_model(value: Any, now: datetime, derived: Derived | None, index: int | None = None) -> Taken:
    """A response that is valid without being plain. Raises `NotPlain`, `ValidationError` or `Invalid`."""
    if not isinstance(value, dict):
        raise NotPlain
    new_id = None if derived is None else derived(index)
    return Taken.of(responses.recorded(NewResponse.model_validate(value), now, response_id=new_id))


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict) or value.keys() != {"responses"}:
        raise NotPlain
    items = value["responses"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise NotPlain
    return items


def _batch_answer(taken: Sequence[Taken]) -> bytes:
    results = ",".join(
        f'{{"index":{index},"response_id":{quoted(one.response_id)},"status":"accepted"}}'
        for index, one in enumerate(taken)
    )
    return f'{{"accepted":{len(taken)},"rejected":0,"unavailable":0,"results":[{results}]}}'.encode()


async def _refuse(error: TellbackError, request_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(error, request_id)
    response.raw_headers += [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]
    await response(scope, receive, send)


@cache
def _seconds(path: str, status: int) -> Histogram:
    return http_request_duration_seconds.labels("POST", path, str(status))


async def _read(receive: Receive, limit: int, messages: list[Message]) -> bytes:
    """The body, all `messages` kept. Raises `NotPlain` past the limit or when the client is gone."""
    body: bytes = b""
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            raise NotPlain
        body += message.get("body", b"")
        if len(body) > limit:
            raise NotPlain
        if not message.get("more_body", False):
            return body


def _again(messages: list[Message], receive: Receive) -> Receive:
    """A `receive` that gives first what was taken already."""
    waiting = list(messages)

    async def receive_again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
