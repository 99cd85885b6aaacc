"""Any post has the same result on the fast lane and on the route: status, body, and published events."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.http.app import ServiceApp
from tests.integration.collector.fast.both_ways import JSON, both, stable
from tests.support.environment import Environment
from tests.support.polling import eventually

TEXTS = st.text(max_size=6) | st.sampled_from(["acme", " a", "a:b", "ann@acme.example", "e\u0301", None, 7])
ANSWERS = st.lists(
    st.fixed_dictionaries(
        {"question_id": TEXTS, "type": st.sampled_from(["csat", "text", "nps"]), "value": st.integers(0, 6) | TEXTS}
    ),
    max_size=2,
)
POSTS = st.fixed_dictionaries(
    {
        "account_id": st.sampled_from(["acme", "beta", "Zoë", " gamma "]) | TEXTS,
        "email": st.sampled_from(["Ann@acme.example", "bob@beta.example"]) | TEXTS,
        "survey_type": st.sampled_from(["nps", "nps", "csat", "ces", "x"]),
        "score": st.integers(0, 10) | st.sampled_from([-1, 11, "9", 9.0, True, None]),
    },
    optional={
        "response_id": TEXTS,
        "stakeholder_id": TEXTS,
        "comment": TEXTS,
        "answered_at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | TEXTS,
        "nps_kind": st.sampled_from(["project", None, "x"]),
        "touchpoint": TEXTS,
        "channel": st.sampled_from(["email", None, "x"]),
        "answers": ANSWERS,
        "attributes": st.dictionaries(st.sampled_from(["a", "b:c", ""]), TEXTS, max_size=2),
        "test": st.sampled_from([True, False, None, 0]),
        "colour": TEXTS,
    },
)


class Published:
    """The records that have come into a topic since the last call."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._found: list[Any] = []

    async def next(self, count: int) -> list[tuple[Any, ...]]:
        """The next so many records, partition by partition, without the ids of their events."""
        await eventually(lambda: self._arrived(count))
        found = sorted(self._found, key=lambda record: (record.partition, record.offset))
        self._found = []
        return [
            (record.partition, record.key, record.value, [pair for pair in record.headers if pair[0] != "ce_id"])
            for record in found
        ]

    async def _arrived(self, count: int) -> bool:
        if len(self._found) < count:
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                self._found += records
        return len(self._found) == count


@pytest.fixture
async def published(environment: Environment) -> AsyncIterator[Published]:
    topic = environment.topic_prefix + "responses"
    consumer = AIOKafkaConsumer(**environment.kafka.options(), enable_auto_commit=False)
    await consumer.start()
    try:
        numbers = await consumer._client._wait_on_metadata(topic)
        consumer.assign([TopicPartition(topic, number) for number in numbers])
        await consumer.seek_to_beginning()
        yield Published(consumer)
    finally:
        await consumer.stop()


async def check_alike(client: httpx.AsyncClient, app: ServiceApp, published: Published, path: str, body: bytes) -> None:
    """Post by both ways and compare; an Idempotency-Key gives a response without an id the same id both times."""
    fast, routed = await both(client, app, path, body, JSON | {"idempotency-key": "the same"})
    assert stable(fast) == stable(routed)
    accepted = routed.json().get("accepted", 1) if routed.is_success else 0
    records = await published.next(2 * accepted)
    for number in {record[0] for record in records}:
        there = [record[1:] for record in records if record[0] == number]
        assert there[: len(there) // 2] == there[len(there) // 2 :]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(post=POSTS, escaped=st.booleans(), twice=st.sampled_from([None, None, None, "score", "comment", "colour"]))
async def test_any_post_of_one_response(
    client: httpx.AsyncClient, app: ServiceApp, published: Published, post: Any, escaped: bool, twice: str | None
) -> None:
    text = json.dumps(post, ensure_ascii=escaped)
    if twice is not None:
        text = f'{text[:-1]}, "{twice}": 1}}'
    await check_alike(client, app, published, "/v1/responses", text.encode(errors="surrogatepass"))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=st.lists(POSTS, max_size=4), escaped=st.booleans())
async def test_any_array_of_responses(
    client: httpx.AsyncClient, app: ServiceApp, published: Published, posts: list[Any], escaped: bool
) -> None:
    text = json.dumps({"responses": posts}, ensure_ascii=escaped)
    await check_alike(client, app, published, "/v1/responses/batch", text.encode(errors="surrogatepass"))
