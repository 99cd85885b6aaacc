"""Inputs that are accepted, and the codes of the others."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.collector.handlers.inputs.directory import AccountItem, StakeholderItem
from services.collector.handlers.inputs.facts import ContextInput, InvitationInput
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from shared.http.problem import invalid

ENTRY = {"question_id": "q", "type": "ces", "value": 5}
RESPONSE: dict[str, Any] = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}


def refusals(model: type[BaseModel], body: dict[str, Any]) -> list[tuple[str, str]]:
    """Field and code of every refusal."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return [(item["field"], item["code"]) for item in invalid(error).errors or []]
    return []


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"score": True}, "score", "int_type"),
        ({"score": "9"}, "score", "int_type"),
        ({"score": 9.0}, "score", "int_type"),
        ({"score": 9.5}, "score", "int_type"),
        ({"score": None}, "score", "int_type"),
        ({"score": 11}, "score", "out_of_range"),
        ({"score": -1}, "score", "out_of_range"),
        ({"survey_type": "csat", "score": 6}, "score", "out_of_range"),
        ({"survey_type": "csat", "score": 0}, "score", "out_of_range"),
        ({"survey_type": "ces", "score": 8}, "score", "out_of_range"),
        ({"survey_type": "stars"}, "survey_type", "literal_error"),
        ({"mood": "good"}, "mood", "unknown_field"),
        ({"<script>": 1}, "(unnamed)", "unknown_field"),
        ({"stakeholder_id": None}, "stakeholder_id", "missing_person"),
        ({"email": "ann", "stakeholder_id": None}, "email", "invalid_email"),
        ({"account_id": "../etc"}, "account_id", "invalid_id"),
        ({"account_id": ".."}, "account_id", "invalid_id"),
        ({"account_id": "a\tb"}, "account_id", "invalid_id"),
        ({"account_id": "   "}, "account_id", "invalid_id"),
        ({"account_id": "x" * 300}, "account_id", "invalid_id"),
        ({"account_id": 7}, "account_id", "string_type"),
        ({"response_id": ""}, "response_id", "invalid_id"),
        ({"answered_at": "2026-03-31"}, "answered_at", "invalid_time"),
        ({"answered_at": "2026-03-31T09:30:00"}, "answered_at", "invalid_time"),
        ({"answered_at": 1_774_949_400}, "answered_at", "invalid_time"),
        ({"answered_at": 1_774_949_400_000}, "answered_at", "invalid_time"),
        ({"answered_at": "1774949400"}, "answered_at", "invalid_time"),
        ({"answered_at": "2016-12-31T23:59:60Z"}, "answered_at", "invalid_time"),
        ({"answered_at": "2026-03-31T24:00:00Z"}, "answered_at", "invalid_time"),
        ({"answered_at": "1999-12-31T23:59:59Z"}, "answered_at", "out_of_range"),
        ({"answered_at": "0001-01-01T00:00:00+14:00"}, "answered_at", "out_of_range"),
        ({"answered_at": "9999-12-31T23:59:59-14:00"}, "answered_at", "out_of_range"),
        ({"comment": "x" * 10_001}, "comment", "too_long"),
        ({"comment": "a\x00b"}, "comment", "invalid_text"),
        ({"comment": "\ud800"}, "comment", "string_unicode"),
        ({"touchpoint": "a\nb"}, "touchpoint", "invalid_text"),
        ({"touchpoint": ""}, "touchpoint", "invalid_length"),
        ({"product": "x" * 201}, "product", "invalid_length"),
        ({"channel": "fax"}, "channel", "literal_error"),
        ({"nps_kind": "yearly"}, "nps_kind", "literal_error"),
        ({"follow_up_requested": "yes"}, "follow_up_requested", "bool_type"),
        ({"test": 1}, "test", "bool_type"),
        ({"attributes": {"a": {"b": 1}}}, "attributes", "invalid_attribute"),
        ({"attributes": {"a": float("inf")}}, "attributes", "invalid_attribute"),
        ({"attributes": {"a": 10**20}}, "attributes", "invalid_attribute"),
        ({"attributes": {str(n): n for n in range(51)}}, "attributes", "too_long"),
        ({"attributes": {"": 1}}, "attributes", "invalid_length"),
        ({"attributes": [1]}, "attributes", "invalid_type"),
        ({"answers": [{"question_id": "q", "type": "nps", "value": 9}]}, "answers.0.type", "use_score"),
        ({"answers": [{"question_id": "q", "type": "csat", "value": 6}]}, "answers.0.value", "out_of_range"),
        ({"answers": [{"question_id": "q", "type": "csat", "value": 5.0}]}, "answers.0.value", "invalid_type"),
        ({"answers": [{"question_id": "q", "type": "csat", "value": "5"}]}, "answers.0.value", "invalid_type"),
        ({"answers": [{"question_id": "q", "type": "rating", "value": True}]}, "answers.0.value", "invalid_type"),
        ({"answers": [{"question_id": "q", "type": "text", "value": 5}]}, "answers.0.value", "invalid_type"),
        ({"answers": [{"question_id": "q", "type": "text", "value": "\ud800"}]}, "answers.0.value", "invalid_text"),
        ({"answers": [{"question_id": "q", "type": "text"}]}, "answers.0.value", "missing"),
        ({"answers": [{"question_id": "q", "type": "text", "value": "a"}] * 2}, "answers", "duplicate_question"),
        (
            {"survey_type": "ces", "score": 7, "answers": [{"question_id": "q", "type": "ces", "value": 7}]},
            "answers",
            "use_score",
        ),
    ],
)
def test_a_bad_response_is_refused_by_field_and_code(fields: dict[str, Any], field: str, code: str) -> None:
    assert (field, code) in refusals(NewResponse, RESPONSE | fields)


@pytest.mark.parametrize("missing", ["account_id", "survey_type", "score"])
def test_what_a_response_needs(missing: str) -> None:
    body = {name: value for name, value in RESPONSE.items() if name != missing}
    assert refusals(NewResponse, body) == [(missing, "missing")]


def test_text_is_kept_as_text_in_one_canonical_form() -> None:
    comment = "  <script>{{7*7}} =HYPERLINK() '; drop table -- \u202e👩‍👩‍👧\ncafe\u0301 "
    body = NewResponse.model_validate(RESPONSE | {"account_id": " Cafe\u0301 ", "comment": comment})
    assert body.account_id == "Café"
    assert body.comment == "<script>{{7*7}} =HYPERLINK() '; drop table -- \u202e👩‍👩‍👧\ncafé"


def test_ids_keep_their_case() -> None:
    assert NewResponse.model_validate(RESPONSE | {"account_id": "ACME"}).account_id == "ACME"


def test_every_scale_takes_its_ends() -> None:
    for kind, ends in {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}.items():
        for score in ends:
            assert refusals(NewResponse, RESPONSE | {"survey_type": kind, "score": score}) == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"score": 7}, "account_id", "missing"),
        ({"account_id": "acme", "score": None}, "score", "int_type"),
        ({"account_id": "acme", "score": 11}, "score", "less_than_equal"),
        ({"account_id": "acme", "answered_at": "2026-01-01T00:00:00Z"}, "answered_at", "unknown_field"),
        ({"account_id": "acme", "survey_type": "stars"}, "survey_type", "literal_error"),
        ({"account_id": "acme", "survey_type": "csat", "score": 6}, "score", "out_of_range"),
        ({"account_id": "acme", "survey_type": "ces", "answers": [ENTRY]}, "answers", "use_score"),
        ({"account_id": "acme", "answers": [ENTRY | {"type": "nps"}]}, "answers.0.type", "use_score"),
        ({"account_id": "acme", "answers": [ENTRY, ENTRY]}, "answers", "duplicate_question"),
    ],
)
def test_a_bad_amendment_is_refused(body: dict[str, Any], field: str, code: str) -> None:
    assert refusals(Amendment, body) == [(field, code)]


def test_an_amendment_tells_absent_from_null() -> None:
    body = Amendment.model_validate({"account_id": "acme", "survey_type": "nps", "comment": None, "score": 3})
    assert body.changes() == {"comment": None, "score": 3}


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"tier": "gold"}, "tier", "literal_error"),
        ({"annual_revenue": {"amount": -1, "currency": "EUR"}}, "annual_revenue.amount", "invalid_amount"),
        ({"annual_revenue": {"amount": True}}, "annual_revenue.amount", "invalid_amount"),
        ({"annual_revenue": {"amount": 1e20}}, "annual_revenue.amount", "invalid_amount"),
        ({"annual_revenue": {"currency": "Euro"}}, "annual_revenue.currency", "invalid_currency"),
        ({"renewal_on": "2026-02-30"}, "renewal_on", "invalid_date"),
        ({"renewal_on": 20_000}, "renewal_on", "invalid_date"),
        ({"owner": {"email": "nobody"}}, "owner.email", "invalid_email"),
        ({"owner": {"phone": "1"}}, "owner.phone", "unknown_field"),
        ({"products": ["x"] * 101}, "products", "too_long"),
        ({"score": 9}, "score", "unknown_field"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "invalid_time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "invalid_time_zone"),
        ({"time_zone": "Europe"}, "time_zone", "invalid_time_zone"),
        ({"customer_since": "2026-02-30"}, "customer_since", "invalid_date"),
        ({"do_not_ask": {"until": "soon"}}, "do_not_ask.until", "invalid_date"),
    ],
)
def test_a_bad_account_is_refused(fields: dict[str, Any], field: str, code: str) -> None:
    assert refusals(AccountItem, {"account_id": "acme"} | fields) == [(field, code)]


def test_an_account_is_normalised() -> None:
    item = AccountItem.model_validate(
        {"account_id": "acme", "industry": "Freight", "annual_revenue": {"amount": 120000.5, "currency": "eur"}}
    )
    assert item.members() == {"industry": "logistics", "annual_revenue": {"amount": "120000.5", "currency": "EUR"}}


def test_a_person_needs_an_id_or_an_address() -> None:
    assert refusals(StakeholderItem, {"account_id": "acme"}) == [("stakeholder_id", "missing_person")]
    assert refusals(StakeholderItem, {"account_id": "acme", "email": "ann@acme.example"}) == []
    assert refusals(StakeholderItem, {"account_id": "acme", "stakeholder_id": "ann", "type": "boss"}) == [
        ("type", "literal_error")
    ]
    assert refusals(StakeholderItem, {"account_id": "acme", "stakeholder_id": "ann", "mail_permission": "yes"}) == [
        ("mail_permission", "literal_error")
    ]


def test_facts_need_their_kind_and_time() -> None:
    sent = {"invitation_id": "i1", "account_id": "acme", "email": "ann@acme.example"}
    assert refusals(InvitationInput, sent) == [("kind", "missing"), ("at", "missing")]
    assert refusals(InvitationInput, sent | {"kind": "lost", "at": "2026-03-31T09:30:00Z"}) == [
        ("kind", "literal_error")
    ]
    context = {"account_id": "acme", "kind": "incident", "at": "2026-03-31T09:30:00Z"}
    assert refusals(ContextInput, context) == [("label", "missing")]
    assert refusals(ContextInput, context | {"label": "outage", "event_id": "7"}) == [("event_id", "uuid_parsing")]
    assert refusals(ContextInput, context | {"label": "outage"}) == []
    of_nobody = context | {"label": "outage", "email": "a/b@acme.example"}
    assert [field for field, _ in refusals(ContextInput, of_nobody)] == ["stakeholder_id"]
    assert refusals(ContextInput, of_nobody | {"stakeholder_id": "ann"}) == []
