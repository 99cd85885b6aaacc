"""Programmes in words, and as a form and back."""

from typing import Any

import pytest

from services.dashboard.domain import programmes as told
from services.dashboard.domain.ready_programmes import READY, begun
from shared.api.programmes import Caps, Hours, ProgrammeDocument, Sender
from shared.events.context import ContextKind

NAMED: dict[str, Any] = {"name": "Wave", "survey_id": "srv_1"}
EVERY: dict[str, dict[str, Any]] = {
    "cadence": {"type": "cadence", "users_days": 60, "decision_makers_days": 120},
    "event": {"type": "event", "kind": "signed_up", "after_days": 3, "repeat_days": 90, "until": "contract_ended"},
    "first event": {"type": "event", "kind": "order_delivered", "whom": "audience", "only_first": True},
    "once": {"type": "once", "on": "2026-12-08"},
    "renewal": {"type": "renewal", "days_before": 60},
}


def document(**fields: Any) -> dict[str, Any]:
    return ProgrammeDocument.model_validate(NAMED | {"when": EVERY["cadence"]} | fields).model_dump(mode="json")


@pytest.mark.parametrize("when", EVERY)
def test_a_form_that_nobody_touched_says_the_same(when: str) -> None:
    found = document(
        when=EVERY[when],
        objective="growth",
        who={"tier": "key", "owner": "lea@supplier.example", "not_before_days": 30},
        hours=Hours(days=(0, 4), first_days=(4,), opens=8, closes=24).model_dump(),
        open_days=20,
        reminders=[5],
        sender=Sender(kind="named", email="lea@supplier.example", reply_to="team@supplier.example").model_dump(),
        caps=Caps(programme=10, account=2).model_dump(),
        incentive="A book",
        only_with_permission=True,
        legal_basis="Contract",
    )
    again = ProgrammeDocument.model_validate(told.document_of(told.values_of(found)))
    assert again.model_dump(mode="json") == found


def test_typed_texts_become_numbers_and_emptied_fields_are_left_out() -> None:
    values = told.values_of(document()) | {"users_days": "45", "reminder_0": "4", "sender_name": "", "who_tier": ""}
    del values["reminder_1"]
    found = told.document_of(values)
    assert found["when"] == {"type": "cadence", "users_days": 45, "decision_makers_days": 120}
    assert (found["reminders"], found["sender"]["name"]) == ([4], None)
    assert "tier" not in found["who"]


def test_own_attributes_are_typed_as_pairs() -> None:
    values = told.values_of(document(who={"attributes": {"plan": "gold", "team": "ops"}}))
    assert values["who_attributes"] == "plan=gold, team=ops"
    assert told.document_of(values)["who"]["attributes"] == {"plan": "gold", "team": "ops"}
    assert told.document_of(values | {"who_attributes": "plan=, "})["who"]["attributes"] == {"plan": ""}


def test_what_is_no_number_is_left_for_the_service_to_refuse() -> None:
    values = told.values_of(document()) | {"users_days": "often", "open_days": ""}
    found = told.document_of(values)
    assert (found["when"]["users_days"], found["open_days"]) == ("often", "")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("cadence", "Every 60 days, decision-makers every 120 days"),
        ("event", "3 days after a customer signed up, again every 90 days until a contract ended"),
        ("first event", "As soon as an order was delivered, the first time only"),
        ("once", "Once, in one week"),
        ("renewal", "60 days before the renewal"),
    ],
)
def test_when_it_asks_is_said_in_words(when: str, words: str) -> None:
    assert told.when_words(document(when=EVERY[when])["when"]) == words


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({}, "Everybody in the directory"),
        ({"type": "decision_maker", "tier": "key"}, "Role: Decision-maker; tier: Key"),
        ({"region": "DACH", "not_before_days": 30}, "Region: DACH; customers for 30 days or longer"),
        ({"attributes": {"plan": "gold", "team": "ops"}}, "With plan=gold, team=ops"),
    ],
)
def test_whom_it_asks_is_said_in_words(who: dict[str, Any], words: str) -> None:
    assert told.who_words(document(who=who)["who"]) == words


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        ({}, "The owner of the account"),
        ({"kind": "sponsor", "email": "lea@s.example"}, "The sponsor of the account, else lea@s.example"),
        ({"kind": "named", "name": "Lea", "email": "lea@s.example"}, "Lea lea@s.example"),
    ],
)
def test_who_writes_is_said_in_words(sender: dict[str, Any], words: str) -> None:
    assert told.sender_words(document(sender=sender)["sender"]) == words


@pytest.mark.parametrize(("days", "words"), [([], "None"), ([7, 14], "7 days and 14 days after the invitation")])
def test_reminders_are_said_in_words(days: list[int], words: str) -> None:
    assert told.reminder_words(days) == words


@pytest.mark.parametrize("name", READY)
def test_a_ready_programme_is_one_once_it_has_a_survey(name: str) -> None:
    values = {"name": "Mine", "survey_id": "srv_1", "sender_email": "lea@supplier.example", "on": "2026-12-08"}
    found = ProgrammeDocument.model_validate(begun(READY[name], values))
    assert (found.name, found.sender.email) == ("Mine", "lea@supplier.example")


def test_events_that_may_start_a_programme_are_those_that_can_be_told() -> None:
    assert told.EVENTS.keys() <= set(ContextKind.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("when.cadence.users_days", "Everybody again after so many days"),
        ("reminders.0", "Reminders"),
        ("who.job_level", "Job level"),
        ("", "The programme"),
        ("new_field", "New field"),
    ],
)
def test_faults_are_named_by_the_label_of_their_field(path: str, label: str) -> None:
    assert told.label_of(path) == label
