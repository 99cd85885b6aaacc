"""The answers of the fast lane: the same bytes as the routes' answers, without their models.

`outcomes` are the outcomes of records that Kafka did not take, by position: stored in the outbox, or refused.
"""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import get_args

from prometheus_client import Counter

from services.collector.api import batches
from services.collector.handlers.fast_parse import ParsedPost
from services.collector.handlers.publishing import Via
from shared.errors import TellbackError
from shared.http.problem import problem_response
from shared.telemetry.metrics import responses_accepted_total

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
"""Status, headers without the length, body."""
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
_ACCEPTED: dict[Via, Counter] = {via: responses_accepted_total.labels(via) for via in get_args(Via)}


def one(post: ParsedPost, outcomes: Mapping[int, Via | TellbackError]) -> Answer:
    """The answer to a post of one response. Raises the error that refuses it."""
    via = outcomes.get(0, "kafka")
    if isinstance(via, TellbackError):
        raise via
    _ACCEPTED[via].inc()
    body = (
        f'{{"event_id":"{post.event_id}","recorded_at":"{post.recorded_at}","status":"accepted","via":"{via}",'
        f'"response_id":{quoted(post.response_ids[0])}}}'
    )
    return 202, _headers(post), body.encode()


def many(post: ParsedPost, outcomes: Mapping[int, Via | TellbackError]) -> Answer:
    """The answer to an array. Raises `Unavailable` when no item was taken."""
    count = len(post.response_ids)
    stored = sum(outcome == "outbox" for outcome in outcomes.values())
    if len(outcomes) < count:
        _ACCEPTED["kafka"].inc(count - len(outcomes))
    if stored:
        _ACCEPTED["outbox"].inc(stored)
    if stored == len(outcomes):
        return 200, _headers(post), _all_accepted(post.response_ids)
    facts = [{"response_id": response_id} for response_id in post.response_ids]
    answer = batches.answer([outcomes.get(index) for index in range(count)], facts)
    return 200, _headers(post), bytes(answer.body)


def refusal(post: ParsedPost, error: TellbackError) -> Answer:
    """The answer to a post that was not taken."""
    response = problem_response(error, post.event_id)
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    headers += [(b"x-request-id", post.event_id.encode()), (b"x-content-type-options", b"nosniff")]
    return error.status, headers, bytes(response.body)


def _all_accepted(response_ids: Sequence[str]) -> bytes:
    items = []
    for index, response_id in enumerate(response_ids):
        items.append(f'{{"index":{index},"response_id":{quoted(response_id)},"status":"accepted"}}')
    results = ",".join(items)
    return f'{{"accepted":{len(response_ids)},"rejected":0,"unavailable":0,"results":[{results}]}}'.encode()


def _headers(post: ParsedPost) -> Headers:
    return [*_HEADERS, (b"x-request-id", post.event_id.encode())]
