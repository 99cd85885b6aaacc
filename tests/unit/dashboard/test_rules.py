"""A rule as a form: lossless in both directions, and only changed fields are sent."""

from typing import Any

import pytest

from services.alerting.domain.default_rules import EVENTS as WAITED_FOR
from services.alerting.domain.rules import FIELDS
from services.dashboard.domain.rules import (
    EVENTS,
    FACTS,
    changes,
    condition_name,
    condition_text,
    condition_value,
    differences,
    fact,
)

RULE: dict[str, Any] = {
    "label": "Detractor",
    "severity": "high",
    "due": {"amount": 1, "unit": "business_days"},
    "recipient": "owner",
    "informs": ["sponsor"],
    "reason": "scored $score",
    "playbook": "Call.",
    "conditions": {
        "survey_type": {"in": ["nps"]},
        "score": {"min": 4, "max": 6},
        "follow_up_requested": {"in": [True]},
    },
    "escalation": [{"after": {"amount": 0, "unit": "business_hours"}, "to": "owner"}],
    "enabled": True,
    "event": "stakeholder.answered",
    "kind": "detractor",
    "position": 1,
    "inhibited_by": [],
    "inhibited_within": "person",
    "growth": False,
}


def form(**typed: Any) -> dict[str, Any]:
    """The fields of the opened form with what was typed since; None empties a field."""
    held = {name: RULE[name] for name in ("label", "severity", "recipient", "informs", "reason", "playbook")}
    held |= {"due_amount": "1", "due_unit": "business_days", "new_operator": "in"}
    for field, tests in RULE["conditions"].items():
        for operator, value in tests.items():
            held[condition_name(field, operator)] = condition_text(value)
    held |= {"step:0:amount": "0", "step:0:unit": "business_hours", "step:0:to": "owner"}
    held |= {"step:1:unit": "business_days", "step:1:to": "leader"}
    return {name: value for name, value in (held | typed).items() if value is not None}


def test_what_was_not_touched_is_not_sent() -> None:
    assert changes(RULE, form(), steps=2) == {}


def test_what_was_changed_is_sent_whole() -> None:
    typed = {"due_amount": "3", condition_name("score", "min"): "5", "new_field": "tier", "new_value": "key, premium"}
    assert changes(RULE, form(**typed), steps=2) == {
        "due": {"amount": 3, "unit": "business_days"},
        "conditions": RULE["conditions"] | {"score": {"min": 5, "max": 6}, "tier": {"in": ["key", "premium"]}},
    }


def test_an_emptied_condition_and_an_emptied_step_are_left_out() -> None:
    emptied = changes(RULE, form(**{condition_name("score", "min"): None, "step:0:amount": None}), steps=2)
    assert emptied["conditions"]["score"] == {"max": 6}
    assert emptied["escalation"] == []


def test_a_step_is_added_below() -> None:
    added = changes(RULE, form(**{"step:1:amount": "2"}), steps=2)["escalation"]
    assert added == [*RULE["escalation"], {"after": {"amount": 2, "unit": "business_days"}, "to": "leader"}]


@pytest.mark.parametrize("value", [["nps", "ces"], [1, 2], [True], [False], [2.5]])
def test_the_values_of_a_condition_come_back_as_they_were(value: list[Any]) -> None:
    assert condition_value("in", condition_text(value)) == value
    assert condition_value("min", "7") == 7


def test_what_is_no_number_goes_to_the_service_to_be_refused() -> None:
    assert changes(RULE, form(due_amount="soon"), steps=2)["due"]["amount"] == "soon"


def test_a_version_names_what_it_changed() -> None:
    assert differences(RULE | {"enabled": False, "severity": "low"}, RULE) == ["severity", "enabled"]
    assert differences(RULE, None) == []


def test_every_event_that_a_rule_waits_for_has_its_words() -> None:
    assert set(EVENTS) == set(WAITED_FOR)


def test_what_a_rule_looks_at_is_said_without_names_of_fields() -> None:
    assert set(FACTS) <= set(FIELDS)
    assert [fact("z"), fact("days_to_renewal")] == ["standard errors beyond chance", "days to renewal"]
