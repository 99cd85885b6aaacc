"""Events of validated requests: complete, normalised, and the same when a request is repeated."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.collector.handlers.facts import context_fact, invitation_fact
from services.collector.handlers.inputs.facts import ContextInput, InvitationInput
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.collector.handlers.responses import Sender, amended, recorded, withdrawn
from shared.errors import Invalid
from shared.events.envelope import decode
from shared.events.responses import Answer, ResponseRecorded

NOW = datetime(2026, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def event_of(**fields: Any) -> ResponseRecorded:
    body = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9} | fields
    event = recorded(NewResponse.model_validate(body), NOW)
    data = decode(event.headers(), event.value()).data
    assert isinstance(data, ResponseRecorded)
    return data


def test_defaults_are_filled_in_and_not_listed_as_sent() -> None:
    data = event_of()
    assert data.answered_at == data.recorded_at == NOW
    assert (data.nps_kind, data.follow_up_requested, data.test, data.answers) == ("relationship", False, False, ())
    assert set(data.sent) == {"account_id", "stakeholder_id", "survey_type", "score"}
    assert UUID(data.response_id).version == 7


def test_an_answer_at_a_touchpoint_is_transactional_unless_said_otherwise() -> None:
    assert event_of(touchpoint="delivery").nps_kind == "transactional"
    assert event_of(touchpoint="delivery", nps_kind="project").nps_kind == "project"


def test_an_address_alone_is_the_person_in_lower_case() -> None:
    data = event_of(stakeholder_id=None, email="Ann.Lee@Acme.Example")
    assert data.stakeholder_id == data.email == "ann.lee@acme.example"
    assert event_of(email="Ann.Lee@Acme.Example").stakeholder_id == "ann"


def test_everything_that_was_sent_arrives() -> None:
    fields: dict[str, Any] = {
        "response_id": "r1",
        "comment": "well done",
        "answered_at": datetime(2026, 5, 31, 22, 0, tzinfo=UTC),
        "product": "cleaning",
        "channel": "email",
        "survey_id": "s1",
        "invitation_id": "i1",
        "language": "de",
        "follow_up_requested": True,
        "attributes": {"plan": "pro", "seats": 5},
        "test": True,
    }
    answers = [{"question_id": "q1", "type": "csat", "attribute": "support", "value": 4}]
    data = event_of(**fields, answers=answers)
    assert {name: getattr(data, name) for name in fields} == fields
    assert data.answers == (Answer(question_id="q1", type="csat", attribute="support", value=4),)
    assert set(data.sent) == {*fields, "answers", "account_id", "stakeholder_id", "survey_type", "score"} - {
        "response_id"
    }


def test_an_explicit_null_is_compared_only_where_nothing_is_filled_in() -> None:
    assert "comment" in event_of(comment=None).sent
    assert "answered_at" not in event_of(answered_at=None).sent


def test_times_are_utc_and_keep_microseconds() -> None:
    data = event_of(answered_at="2026-05-01T12:00:00.654321+02:00")
    assert data.answered_at == datetime(2026, 5, 1, 10, 0, 0, 654_321, tzinfo=UTC)
    assert (
        b'"answered_at":"2026-06-01T12:00:00.123456Z"'
        in recorded(
            NewResponse.model_validate({"account_id": "a", "stakeholder_id": "b", "survey_type": "nps", "score": 1}),
            NOW,
        ).value()
    )


def test_five_minutes_ahead_are_forgiven_and_no_more() -> None:
    ahead = NOW + timedelta(minutes=5)
    assert event_of(answered_at=ahead.isoformat()).answered_at == ahead
    with pytest.raises(Invalid) as refused:
        event_of(answered_at=(ahead + timedelta(microseconds=1)).isoformat())
    assert refused.value.errors == [
        {"field": "answered_at", "code": "out_of_range", "detail": "must be at most 5 minutes ahead"}
    ]


def test_an_idempotency_key_stands_for_one_response_of_one_key_at_one_index() -> None:
    ids = {
        Sender("key1", "k").response_id(),
        Sender("key2", "k").response_id(),
        Sender("key1", "k2").response_id(),
        Sender("key1", "k").response_id(0),
        Sender("key1", "k").response_id(1),
    }
    assert len(ids) == 5
    assert all(UUID(found).version == 5 for found in ids)
    assert Sender("key1", "k").response_id(1) == Sender("key1", "k").response_id(1)


def test_changes_repeat_by_verb_response_and_key() -> None:
    body = Amendment.model_validate({"account_id": "acme", "comment": ""})
    first, again = amended("r1", body, "k", NOW), amended("r1", body, "k", NOW)
    assert first.id == again.id
    assert first.id not in {amended("r2", body, "k", NOW).id, withdrawn("r1", "acme", "k", NOW).id}
    assert amended("r1", body, None, NOW).id != amended("r1", body, None, NOW).id
    assert len({amended("r1", body, "k", NOW, posted).id for posted in (None, "0" * 32, "1" * 32)}) == 3
    assert b'"changes":{"comment":null}' in first.value()


def test_an_amendment_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        amended("r1", Amendment.model_validate({"account_id": "acme", "stakeholder_id": "ann"}), None, NOW)
    assert refused.value.code == "nothing_to_change"


def test_the_same_fact_is_the_same_event() -> None:
    sent = {"invitation_id": "i1", "account_id": "acme", "email": "Ann@Acme.example", "at": "2026-05-31T09:30:00Z"}
    first = invitation_fact(InvitationInput.model_validate(sent | {"kind": "sent"}), NOW)
    later = invitation_fact(
        InvitationInput.model_validate(sent | {"kind": "sent", "at": "2026-05-31T11:30:00+02:00"}), NOW
    )
    opened = invitation_fact(InvitationInput.model_validate(sent | {"kind": "opened"}), NOW)
    assert (first.name, opened.name) == ("invitation.sent", "invitation.opened")
    assert first.id == later.id != opened.id
    named = "00000000-0000-4000-8000-000000000001"
    own = invitation_fact(InvitationInput.model_validate(sent | {"kind": "sent", "event_id": named}), NOW)
    assert str(own.id) == named


def test_a_fact_ahead_of_time_is_refused() -> None:
    body = {"account_id": "acme", "kind": "incident", "at": "2026-06-01T12:06:00Z", "label": "outage"}
    with pytest.raises(Invalid):
        context_fact(ContextInput.model_validate(body), NOW)
