"""The bytes of a message: their form, and what is left of one that is too large."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.alerting.courier.interface import WebhookMessage
from services.alerting.courier.store.messages import MAX_BODY_BYTES, body_of, message_id_of

EVENT_ID = UUID("01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978")
AT = datetime(2026, 3, 2, 9, 0, 0, 120, tzinfo=UTC)


def told(data: dict[str, Any]) -> WebhookMessage:
    return WebhookMessage(EVENT_ID, "follow_up.opened", "acme", AT, 7, data, "ada@acme.example")


def test_the_body_is_compact_and_keeps_the_order() -> None:
    body = body_of(told({"z": 1, "a": "Zoë", "big": 12345678901234567890}))
    assert body.decode() == (
        '{"type":"follow_up.opened","timestamp":"2026-03-02T09:00:00.000120Z",'
        '"data":{"z":1,"a":"Zoë","big":12345678901234567890},"sequence":7}'
    )


def test_the_id_is_that_of_the_event() -> None:
    assert message_id_of(told({})) == "msg_01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978"


def test_of_too_large_a_message_the_ids_are_left() -> None:
    data = {"task": {"follow_up_id": "f1", "title": "x"}, "response": {"comment": "é" * MAX_BODY_BYTES}}
    body = body_of(told(data))
    assert len(body) <= MAX_BODY_BYTES
    assert json.loads(body)["data"] == {
        "account": {"account_id": "acme"},
        "stakeholder": {"stakeholder_id": "ada@acme.example"},
        "truncated": True,
        "task": {"follow_up_id": "f1"},
    }
