"""The hot path: responses posted alone or in batches, answered in front of FastAPI.

FastAPI's routing, dependencies and models cost many times the work itself. So a plain request (JSON, a known key that
may ingest, a valid body) is answered here; whatever is not is handed on, body and all, to the FastAPI route, which
judges it and words the problem. A body that is valid without being plain is read by the route's own model.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from json.encoder import encode_basestring as quoted
from typing import Any, get_args

from prometheus_client import Counter, Histogram
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from services.collector.api import batches
from services.collector.api.resources import Collector
from services.collector.handlers import responses
from services.collector.handlers.fast_parse import MAX_ITEMS, NotPlain, Taken, take_many, take_one
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.publishing import Via
from services.collector.handlers.responses import Sender
from shared.access.caller import Caller
from shared.access.keystore import KeyStore
from shared.errors import TellbackError, Unavailable
from shared.events.envelope import Event
from shared.http import strict_json
from shared.http.direct import Reply, Take
from shared.http.limits import BATCH_BYTES, BODY_BYTES, HEADER_BYTES
from shared.http.problem import internal_error, problem_response
from shared.kafka.partition_batcher import Run
from shared.kafka.receipts import Sending, outcome
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import http_request_duration_seconds, responses_accepted_total

log = get_logger(__name__)
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
Work = Awaitable[tuple[int, bytes]]
"""Comes to the status and the body of an answer, or raises what is wrong."""
ONE, MANY = "/v1/responses", "/v1/responses/batch"
PATHS = {ONE: BODY_BYTES, MANY: BATCH_BYTES}
_JSON = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
_LEFT_TO_FASTAPI = frozenset({b"content-encoding", b"transfer-encoding", b"x-request-id", b"expect"})
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
_ACCEPTED: dict[Via, Counter] = {via: responses_accepted_total.labels(via) for via in get_args(Via)}


class FastIngest:
    """Answers plain posts; everything else goes to `fallback`."""

    def __init__(self, collector: Collector, keys: KeyStore, fallback: Handler) -> None:
        self._collector = collector
        self._keys = keys
        self._fallback = fallback
        self._replying: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST to one of `PATHS`."""
        began = time.perf_counter()
        path: str = scope["path"]
        messages: list[Message] = []
        now = self._collector.clock.now()
        try:
            sender = self._judge_head(scope, now)
            take = _one if path == ONE else _many
            taken = take(await _read(receive, PATHS[path], messages), now, sender)
        except Exception as error:
            # Nothing was taken yet. The route judges it anew, behind the edge, which words and counts its failures.
            if not isinstance(error, NotPlain | TellbackError | ValidationError):
                log.error("fast_ingest_failed", route=path, exc_info=error)
            await self._fallback(scope, _again(messages, receive), send)
            return
        sending = await self._collector.outgoing.put_many(taken.records)
        messages.clear()  # the body and the parts of the records need not lie in memory for as long as they wait
        taken.records.clear()
        # What goes wrong is not left to the route: it would publish again, after all the waiting.
        status, headers, answer = await _answered(path, taken, self._sent(sending, taken, path))
        headers.append((b"content-length", str(len(answer)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        _seconds(path, status).observe(time.perf_counter() - began)

    def direct(self, scope: Scope) -> Take | None:
        """What takes a plain post of one response past ASGI; None leaves it to `__call__`."""
        return self._judged(scope, self._take_one)

    def direct_many(self, scope: Scope) -> Take | None:
        """The same for a batch."""
        return self._judged(scope, self._take_many)

    def _judged(self, scope: Scope, take: Callable[[float, Sender, bytes, Reply], bool]) -> Take | None:
        began = time.perf_counter()
        try:
            return partial(take, began, self._judge_head(scope, self._collector.clock.now()))
        except NotPlain:
            return None

    def _take_one(self, began: float, sender: Sender, body: bytes, reply: Reply) -> bool:
        """Take a body that is plain; False leaves it to `__call__`, with nothing done."""
        try:
            taken = take_one(body, self._collector.clock.now(), sender)
        except (NotPlain, TellbackError):
            return False
        if (run := self._collector.outgoing.put(taken.records[0])) is None:
            return False
        taken.records.clear()

        def settled(_: object) -> None:
            error = outcome(run)
            if error is None:
                reply(202, _headers(taken), _accepted(taken, "kafka"))
                _seconds(ONE, 202).observe(time.perf_counter() - began)
            else:
                self._reply_later(ONE, taken, self._diverted(error, run, taken), reply, began)

        run.group.future.add_done_callback(settled)
        return True

    def _take_many(self, began: float, sender: Sender, body: bytes, reply: Reply) -> bool:
        """The same for a batch."""
        try:
            taken = take_many(body, self._collector.clock.now(), sender)
        except (NotPlain, TellbackError):
            return False
        if (sending := self._collector.outgoing.put_at_once(taken.records)) is None:
            return False
        taken.records.clear()
        self._reply_later(MANY, taken, self._sent(sending, taken, MANY), reply, began)
        return True

    def _reply_later(self, path: str, taken: Taken, work: Work, reply: Reply, began: float) -> None:
        async def replied() -> None:
            status, headers, answer = await _answered(path, taken, work)
            reply(status, headers, answer)
            _seconds(path, status).observe(time.perf_counter() - began)

        task = asyncio.ensure_future(replied())
        self._replying.add(task)
        task.add_done_callback(self._replying.discard)

    def _judge_head(self, scope: Scope, now: datetime) -> Sender:
        """Who posts. Raises `NotPlain`."""
        caller: Caller | None = None
        idempotency_key: str | None = None
        is_json: bool | None = None
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"authorization":
                if caller is not None:
                    raise NotPlain
                caller = self._keys.known(value, now)
            elif name == b"content-type":
                is_json = is_json is None and value in _JSON  # two of them are none
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
        return Sender(caller.key_id, idempotency_key)

    async def _diverted(self, error: TellbackError, run: Run, taken: Taken) -> tuple[int, bytes]:
        """Status and answer for a response that Kafka did not take. Raises what it is refused for."""
        if not isinstance(error, Unavailable):
            raise error
        return 202, _accepted(taken, await self._collector.outgoing.divert(run.records()[0]))

    async def _sent(self, sending: Sending, taken: Taken, path: str) -> tuple[int, bytes]:
        """Status and answer. Raises `Unavailable` when nothing was taken for want of Kafka and PostgreSQL."""
        others = await self._collector.outgoing.settled(sending)
        if path == MANY:
            return 200, _batch_answered(taken, others)
        way: Via | TellbackError = others[0] if others else "kafka"
        if isinstance(way, TellbackError):
            raise way
        return 202, _accepted(taken, way)


async def _answered(path: str, taken: Taken, work: Work) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers but for the length, and body of what some work comes to."""
    try:
        status, answer = await work
    except TellbackError as refused:
        return _refusal(refused, taken)
    except Exception as failure:
        # Nothing above a task would answer, and the client would wait for ever.
        log.error("request_failed", method="POST", route=path, request_id=taken.event_id, exc_info=failure)
        return _refusal(internal_error(), taken)
    return status, _headers(taken), answer


def _one(body: bytes, now: datetime, sender: Sender) -> Taken:
    try:
        return take_one(body, now, sender)
    except NotPlain:
        return Taken.of([_by_model(strict_json.loads(body), now, sender.response_id())], sender)


def _many(body: bytes, now: datetime, sender: Sender) -> Taken:
    try:
        return take_many(body, now, sender)
    except NotPlain:
        items = _items(strict_json.loads(body))
        events = [_by_model(item, now, sender.response_id(index)) for index, item in enumerate(items)]
        return Taken.of(events, sender)


def _by_model(value: Any, now: datetime, new_id: str | None) -> Event:
    """A response that is valid without being plain. Raises `NotPlain`, `ValidationError` or `Invalid`."""
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


def _batch_answered(taken: Taken, others: Mapping[int, Via | TellbackError]) -> bytes:
    """The answer to a batch, with what became of those that Kafka did not take. Raises `Unavailable` for all of it."""
    count = len(taken.response_ids)
    diverted = sum(way == "outbox" for way in others.values())
    if len(others) < count:
        _ACCEPTED["kafka"].inc(count - len(others))
    if diverted:
        _ACCEPTED["outbox"].inc(diverted)
    if diverted == len(others):
        return _batch_answer(taken.response_ids)
    facts = [{"response_id": one} for one in taken.response_ids]
    return bytes(batches.answer([others.get(index) for index in range(count)], facts).body)


def _batch_answer(response_ids: Sequence[str]) -> bytes:
    results = ",".join(
        [
            f'{{"index":{index},"response_id":{quoted(one)},"status":"accepted"}}'
            for index, one in enumerate(response_ids)
        ]
    )
    return f'{{"accepted":{len(response_ids)},"rejected":0,"unavailable":0,"results":[{results}]}}'.encode()


def _accepted(taken: Taken, via: Via) -> bytes:
    _ACCEPTED[via].inc()
    answer = (
        f'{{"event_id":"{taken.event_id}","recorded_at":"{taken.recorded_at}","status":"accepted","via":"{via}",'
        f'"response_id":{quoted(taken.response_ids[0])}}}'
    )
    return answer.encode()


def _headers(taken: Taken) -> list[tuple[bytes, bytes]]:
    return [*_HEADERS, (b"x-request-id", taken.event_id.encode())]


def _refusal(error: TellbackError, taken: Taken) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers but for the length, and body."""
    response = problem_response(error, taken.event_id)
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    headers += [(b"x-request-id", taken.event_id.encode()), (b"x-content-type-options", b"nosniff")]
    return error.status, headers, bytes(response.body)


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
