"""The digest of a posted response: the same for a retry, another for other content."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.responses import recorded
from shared.events.envelope import decode
from shared.events.posted import posted
from shared.events.responses import ResponseRecorded

NOW = datetime(2026, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC)
BODY: dict[str, Any] = {
    "account_id": "acme",
    "email": "Ann@acme.example",
    "survey_type": "nps",
    "score": 9,
    "comment": "Always on time.",
    "attributes": {"plan": "pro", "seats": 5, "share": 0.0},
    "answers": [{"question_id": "q1", "type": "csat", "value": 4}],
}


def digest(body: dict[str, Any], now: datetime = NOW) -> str:
    """The digest of the response that a collector records for this body, read back from the record."""
    event = recorded(NewResponse.model_validate(body), now)
    data = decode(event.headers(), event.value()).data
    assert isinstance(data, ResponseRecorded)
    assert posted(vars(data)) == posted(vars(event.data))
    return posted(vars(data))


def test_the_same_content_posted_again_is_the_same() -> None:
    assert len(bytes.fromhex(digest(BODY))) == 16
    assert digest(BODY, NOW + timedelta(hours=1)) == digest(BODY)
    assert digest(BODY | {"answered_at": None}) == digest(BODY)
    assert digest(dict(reversed(BODY.items())) | {"attributes": {"share": -0.0, "seats": 5, "plan": "pro"}}) == digest(
        BODY
    )
    assert digest(BODY | {"email": "ann@ACME.example", "comment": " Always on time. "}) == digest(BODY)
    assert digest(BODY | {"stakeholder_id": "ann@acme.example"}) == digest(BODY)


@pytest.mark.parametrize(
    "other",
    [
        {"account_id": "other"},
        {"email": "bob@acme.example"},
        {"stakeholder_id": "ann"},
        {"survey_type": "ces", "score": 7},
        {"score": 8},
        {"comment": "Always on time!"},
        {"comment": None},
        {"answered_at": NOW.isoformat()},
        {"touchpoint": "delivery"},
        {"attributes": {"plan": "pro", "seats": 5}},
        {"attributes": {"plan": "pro", "seats": 5.0, "share": 0.0}},
        {"answers": [{"question_id": "q1", "type": "csat", "value": 5}]},
    ],
    ids=json.dumps,
)
def test_other_content_is_another(other: dict[str, Any]) -> None:
    assert digest(BODY | other) != digest(BODY)
