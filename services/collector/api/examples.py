"""Example answers for the collector's OpenAPI document."""

from typing import Any

Json = dict[str, Any]

RECORDED_AT = "2026-03-31T09:30:00.123456Z"
RESPONSE_ID = "0199c0de-6f7a-7c1e-9d53-8f2f3c0b1a2d"
ACCEPTED: Json = {
    "event_id": "0199c0de-6f7b-7a52-b1c7-2d9f6f0f4e11",
    "recorded_at": RECORDED_AT,
    "status": "accepted",
    "via": "kafka",
}
ACCEPTED_RESPONSE: Json = {**ACCEPTED, "response_id": RESPONSE_ID}
REFUSED: Json = {
    "type": "urn:tellback:problem:invalid_request",
    "title": "Unprocessable content",
    "status": 422,
    "code": "invalid_request",
    "detail": "the request breaks the rules of its fields",
    "errors": [{"field": "score", "code": "out_of_range", "detail": "must be from 0 to 10"}],
}


def batch(*results: Json) -> Json:
    """The answer to a batch with these results."""
    statuses = [result["status"] for result in results]
    counts = {name: statuses.count(name) for name in ("accepted", "rejected", "unavailable")}
    return {**counts, "results": [{"index": index, **result} for index, result in enumerate(results)]}


RESPONSE_BATCH = batch(
    {"response_id": RESPONSE_ID, "status": "accepted"},
    {"response_id": None, "status": "rejected", "problem": REFUSED},
)
EVENT_BATCH = batch({"event_id": ACCEPTED["event_id"], "status": "accepted"})
RECORD_BATCH = batch(
    {"kind": "account", "account_id": "acme", "stakeholder_id": None, "status": "accepted"},
)
SURVEY_RESPONSE: Json = {
    "id": RESPONSE_ID,
    "person": "ann.lee@acme.example",
    "survey_type": "nps",
    "score": 9,
    "comment": "Always on time.",
    "permalink": f"/v1/responses/{RESPONSE_ID}",
    "created_at": 1_713_497_396,
    "updated_at": 1_713_497_398,
    "person_properties": {"account_id": "acme", "location": "Leeds"},
    "notes": [],
    "tags": [],
    "additional_answers": [],
}
