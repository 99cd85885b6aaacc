"""The key that sent a fact is in the headers of its record, whichever path it took, and nowhere else."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from shared.topics import CONTEXT_EVENTS, INVITATIONS, RESPONSES, Topic
from tests.integration.collector.conftest import Running
from tests.support.events import topic_records
from tests.support.polling import eventually

BODY: dict[str, Any] = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}
FACT = {"account_id": "acme", "at": "2026-05-31T09:30:00Z"}
SENT = FACT | {"invitation_id": "i", "stakeholder_id": "ann", "kind": "sent"}
PLAIN, NOT_PLAIN = BODY, BODY | {"attributes": {"plan": "pro"}}
CSV = ("answers.csv", b"account,person,score\nacme,ann,9\n")
Call = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def posting(path: str, body: Any, **more: Any) -> Call:
    return lambda client: client.post(path, json=body, **more)


CALLS: dict[str, tuple[Topic, Call]] = {
    "plain": (RESPONSES, posting("/v1/responses", PLAIN)),
    "not plain": (RESPONSES, posting("/v1/responses", NOT_PLAIN)),
    "by its route": (RESPONSES, posting("/v1/responses", PLAIN, headers={"x-request-id": "of-mine"})),
    "plain batch": (RESPONSES, posting("/v1/responses/batch", {"responses": [PLAIN]})),
    "batch by its route": (RESPONSES, posting("/v1/responses/batch", {"responses": [PLAIN, 1]})),
    "amendment": (RESPONSES, lambda client: client.patch("/v1/responses/r", json={"account_id": "acme", "score": 1})),
    "withdrawal": (RESPONSES, lambda client: client.delete("/v1/responses/r?account_id=acme")),
    "Delighted": (RESPONSES, posting("/v1/survey_responses.json", {"person": "ann@acme.example", "score": 9})),
    "invitation": (INVITATIONS, posting("/v1/invitation-events", SENT)),
    "invitations": (INVITATIONS, posting("/v1/invitation-events", {"events": [SENT]})),
    "context": (CONTEXT_EVENTS, posting("/v1/context-events", FACT | {"kind": "incident", "label": "Outage"})),
    "file": (RESPONSES, lambda client: client.post("/v1/imports", data={"kind": "responses"}, files={"file": CSV})),
}


@pytest.mark.parametrize(("topic", "call"), CALLS.values(), ids=CALLS.keys())
async def test_a_record_names_the_key_that_sent_it(collector: Running, topic: Topic, call: Call) -> None:
    answer = await call(collector.client)
    assert answer.is_success, answer.text
    me = (await collector.client.get("/v1/me")).json()

    async def there() -> Any:
        name = collector.environment.topic_prefix + topic.name
        return await topic_records(collector.environment.kafka, name)

    [record] = await eventually(there)
    key_id = dict(record.headers)["ce_sender"].decode()
    assert key_id == me["key_id"]
    assert key_id not in json.dumps(json.loads(record.value))
