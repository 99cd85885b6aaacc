"""The hot path: responses posted alone or in batches, answered in front of FastAPI.

FastAPI's routing, dependencies and models cost several times the work itself. So a plain request (JSON, a known key
that may ingest, a valid body) is answered here; whatever is not plain is handed on, body and all, to the FastAPI
route, which judges it and words the problem. Both make the same event by the same function, so they cannot differ.
"""

import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from services.collector.api.batches import MAX_ITEMS
from services.collector.api.resources import Collector
from services.collector.handlers import responses
from services.collector.handlers.inputs.responses import NewResponse
from shared.access.caller import Caller
from shared.access.keystore import KeyStore
from shared.errors import TellbackError
from shared.events.envelope import Event
from shared.http import strict_json
from shared.http.limits import BATCH_BYTES, BODY_BYTES, HEADER_BYTES
from shared.telemetry.metrics import http_request_duration_seconds, responses_accepted_total
from shared.topics import RESPONSES

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
ONE, MANY = "/v1/responses", "/v1/responses/batch"
PATHS = {ONE: BODY_BYTES, MANY: BATCH_BYTES}
_JSON = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
_LEFT_TO_FASTAPI = frozenset({b"content-encoding", b"transfer-encoding", b"x-request-id", b"expect"})
_SECONDS = {
    path: http_request_duration_seconds.labels("POST", path, str(202 if path == ONE else 200)) for path in PATHS
}
_ACCEPTED = {via: responses_accepted_total.labels(via) for via in ("kafka", "outbox")}


class NotPlain(Exception):
    """The request needs FastAPI's judgement."""


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
        taken: list[Message] = []
        try:
            caller, idempotency_key = self._judge_head(scope)
            body = await _read(receive, PATHS[path], taken)
            status, answer = await self._answer(path, body, caller, idempotency_key)
        except (NotPlain, TellbackError, ValidationError):
            await self._fallback(scope, _again(taken, receive), send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
            (b"x-request-id", os.urandom(16).hex().encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        _SECONDS[path].observe(time.perf_counter() - began)

    def _judge_head(self, scope: Scope) -> tuple[Caller, str | None]:
        """Who posts, and the Idempotency-Key. Raises `NotPlain`."""
        caller: Caller | None = None
        idempotency_key: str | None = None
        is_json = False
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"authorization":
                if caller is not None:
                    raise NotPlain
                caller = self._keys.known(value)
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
        return caller, idempotency_key

    async def _answer(self, path: str, body: bytes, caller: Caller, key: str | None) -> tuple[int, bytes]:
        value = strict_json.loads(body)
        if path == ONE:
            return 202, await self._one(value, caller, key)
        return 200, await self._many(value, caller, key)

    async def _one(self, value: Any, caller: Caller, key: str | None) -> bytes:
        event = self._event(value, caller, key)
        via = await self._collector.outgoing.publish(RESPONSES, event)
        _ACCEPTED[via].inc()
        return (
            f'{{"event_id":"{event.id}","recorded_at":"{_text(event)}","status":"accepted","via":"{via}",'
            f'"response_id":{_quoted(event)}}}'
        ).encode()

    async def _many(self, value: Any, caller: Caller, key: str | None) -> bytes:
        if not isinstance(value, dict) or value.keys() != {"responses"}:
            raise NotPlain
        items = value["responses"]
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
            raise NotPlain
        events = [self._event(item, caller, key, index) for index, item in enumerate(items)]
        outcomes = await self._collector.outgoing.publish_many(RESPONSES, events)
        if any(isinstance(outcome, TellbackError) for outcome in outcomes):
            # Kafka and PostgreSQL have both refused some: the route tells each item's fate. What was stored here is
            # stored there again under the same response_id and counts once.
            raise NotPlain
        for via, counter in _ACCEPTED.items():
            counter.inc(sum(outcome == via for outcome in outcomes))
        return _batch_answer(events)

    def _event(self, value: Any, caller: Caller, key: str | None, index: int | None = None) -> Event:
        if not isinstance(value, dict):
            raise NotPlain
        derived = None if key is None else responses.derived_response_id(caller.key_id, key, index)
        return responses.recorded(NewResponse.model_validate(value), self._collector.clock.now(), response_id=derived)


def _batch_answer(events: Sequence[Event]) -> bytes:
    results = ",".join(
        f'{{"index":{index},"response_id":{_quoted(event)},"status":"accepted"}}' for index, event in enumerate(events)
    )
    return f'{{"accepted":{len(events)},"rejected":0,"unavailable":0,"results":[{results}]}}'.encode()


def _quoted(event: Event) -> str:
    return json.dumps(getattr(event.data, "response_id", None), ensure_ascii=False)


def _text(event: Event) -> str:
    return event.time.isoformat().replace("+00:00", "Z")


async def _read(receive: Receive, limit: int, taken: list[Message]) -> bytes:
    """The body, all messages kept in `taken`. Raises `NotPlain` past the limit or when the client is gone."""
    body: bytes = b""
    while True:
        message = await receive()
        taken.append(message)
        if message["type"] != "http.request":
            raise NotPlain
        body += message.get("body", b"")
        if len(body) > limit:
            raise NotPlain
        if not message.get("more_body", False):
            return body


def _again(taken: list[Message], receive: Receive) -> Receive:
    """A `receive` that gives first what was taken already."""
    waiting = list(taken)

    async def receive_again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
