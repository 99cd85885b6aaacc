"""The shipped table of rules, row by row, and how one event comes to one decision."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.alerting.domain.decisions import Match, matches_of
from services.alerting.domain.default_rules import (
    ANSWERED,
    BOUNCED,
    CLASS_CHANGED,
    DEFAULT_RULES,
    EVENTS,
    RENEWAL_NEAR,
    SCORE_DROPPED,
    SEGMENT_DROPPED,
    WENT_SILENT,
)
from services.alerting.domain.rules import FIELDS, Condition, conditions_document, conditions_from
from tests.unit.alerting.builders import MONDAY_10, POLICY

ALL_ON = [replace(rule, enabled=True) for rule in DEFAULT_RULES]


def matches(event: str = ANSWERED, **facts: Any) -> list[Match]:
    return matches_of(ALL_ON, event, facts, MONDAY_10, POLICY.calendar)


def kinds(event: str = ANSWERED, **facts: Any) -> list[str]:
    return [match.rule.kind for match in matches(event, **facts)]


def outcome(event: str = ANSWERED, **facts: Any) -> tuple[str, str, datetime, str] | None:
    found = matches(event, **facts)
    if not found:
        return None
    strongest = found[0]
    return strongest.rule.kind, strongest.severity, strongest.due_at, strongest.rule.recipient


def june(day: int, hour: int) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


@pytest.mark.parametrize("score", [0, 1, 2, 3])
def test_a_deep_detractor_is_critical_and_due_in_four_business_hours(score: int) -> None:
    assert outcome(survey_type="nps", score=score) == ("detractor", "critical", june(8, 14), "owner")


@pytest.mark.parametrize("score", [4, 5, 6])
def test_another_detractor_is_high_and_due_in_a_business_day(score: int) -> None:
    assert outcome(survey_type="nps", score=score) == ("detractor", "high", june(9, 10), "owner")


@pytest.mark.parametrize("change", ["promoter_to_detractor", "passive_to_detractor", "new_detractor"])
def test_any_fall_to_a_detractor_is_one_detractor_task(change: str) -> None:
    [found] = matches(survey_type="nps", score=2, change=change)
    assert (found.rule.kind, found.severity) == ("detractor", "critical")


@pytest.mark.parametrize(
    ("event", "facts", "expected"),
    [
        (
            ANSWERED,
            {"survey_type": "nps", "score": 8, "change": "promoter_to_passive"},
            ("promoter_to_passive", "high", june(10, 10), "owner"),
        ),
        (
            ANSWERED,
            {"survey_type": "nps", "score": 10, "follow_up_requested": True},
            ("follow_up_requested", "high", june(9, 10), "sponsor"),
        ),
        (
            ANSWERED,
            {"survey_type": "nps", "score": 7, "falls_in_a_row": 2},
            ("two_falls_in_a_row", "medium", june(11, 10), "owner"),
        ),
        (ANSWERED, {"survey_type": "csat", "score": 1}, ("low_csat", "critical", june(9, 10), "owner")),
        (ANSWERED, {"survey_type": "csat", "score": 2}, ("low_csat", "high", june(9, 10), "owner")),
        (ANSWERED, {"survey_type": "ces", "score": 2}, ("high_effort", "high", june(9, 10), "owner")),
        (SCORE_DROPPED, {"points": 24.5}, ("account_score_drop", "high", june(11, 10), "owner")),
        (
            CLASS_CHANGED,
            {"account_class": "divided", "previous_class": "steady", "known_days": 0},
            ("account_class_changed", "high", june(11, 10), "owner"),
        ),
        (
            RENEWAL_NEAR,
            {"days_to_renewal": 120, "account_class": "divided"},
            ("renewal_risk", "critical", june(10, 10), "owner"),
        ),
        (
            RENEWAL_NEAR,
            {"days_to_renewal": 0, "account_class": "ambassador", "decision_maker_days": 180},
            ("renewal_risk", "critical", june(10, 10), "owner"),
        ),
        (SEGMENT_DROPPED, {"rise": 5.0, "z": 2.4, "voices": 30}, ("segment_drop", "medium", june(15, 10), "leader")),
        (BOUNCED, {"channel": "email"}, ("bounced_contact", "low", june(15, 10), "owner")),
        (WENT_SILENT, {"days": 21}, ("non_response", "low", june(15, 10), "owner")),
        (
            WENT_SILENT,
            {"days": 14, "stakeholder_type": "decision_maker", "tier": "key"},
            ("non_response", "medium", june(15, 10), "owner"),
        ),
        (
            ANSWERED,
            {"survey_type": "nps", "score": 9, "change": "new_promoter", "known_days": 0},
            ("new_promoter", "low", june(22, 10), "owner"),
        ),
        (
            ANSWERED,
            {"survey_type": "nps", "score": 7, "change": "detractor_to_passive"},
            ("recovered", "low", june(22, 10), "owner"),
        ),
    ],
)
def test_each_row_of_the_table(event: str, facts: dict[str, Any], expected: object) -> None:
    assert outcome(event, **facts) == expected


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (ANSWERED, {"survey_type": "nps", "score": 7}),
        (ANSWERED, {"survey_type": "nps", "score": 9, "follow_up_requested": False}),
        (ANSWERED, {"survey_type": "csat", "score": 3}),
        (ANSWERED, {"survey_type": "ces", "score": 3}),
        (ANSWERED, {"survey_type": "nps", "score": 8, "falls_in_a_row": 1}),
        (CLASS_CHANGED, {"account_class": "steady", "previous_class": "ambassador"}),
        (CLASS_CHANGED, {"account_class": "at_risk", "previous_class": "unknown"}),
        (RENEWAL_NEAR, {"days_to_renewal": 121, "account_class": "at_risk", "decision_maker_days": 400}),
        (RENEWAL_NEAR, {"days_to_renewal": 60, "account_class": "steady", "decision_maker_days": 179}),
        (SEGMENT_DROPPED, {"rise": 4.9, "z": 5.0, "voices": 900}),
        (SEGMENT_DROPPED, {"rise": 20.0, "z": 1.9, "voices": 40}),
        (SEGMENT_DROPPED, {"rise": 20.0, "z": 3.0, "voices": 29}),
        ("account_score.changed", {"survey_type": "nps", "score": 0}),
    ],
)
def test_what_needs_no_follow_up_gets_none(event: str, facts: dict[str, Any]) -> None:
    assert outcome(event, **facts) is None


def test_a_csat_of_two_is_not_a_detractor() -> None:
    assert kinds(survey_type="csat", score=2) == ["low_csat"]


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"survey_type": "nps", "score": 2}, "critical"),
        ({"survey_type": "nps", "score": 5}, "critical"),
        ({"survey_type": "nps", "score": 8, "change": "promoter_to_passive"}, "critical"),
        ({"survey_type": "nps", "score": 9, "change": "new_promoter"}, "medium"),
    ],
)
def test_a_premium_account_is_one_step_more_severe(facts: dict[str, Any], severity: str) -> None:
    assert matches(tier="premium", **facts)[0].severity == severity


def test_the_most_severe_comes_first() -> None:
    facts: dict[str, Any] = {"survey_type": "nps", "score": 3, "follow_up_requested": True, "falls_in_a_row": 2}
    assert kinds(**facts) == ["detractor", "follow_up_requested", "two_falls_in_a_row"]


def test_of_equal_severity_the_order_of_the_table_decides() -> None:
    facts: dict[str, Any] = {"survey_type": "nps", "score": 5, "follow_up_requested": True}
    found = matches(**facts)
    assert [match.rule.rule_id for match in found] == ["detractor_4_6", "follow_up_requested"]
    assert matches_of(reversed(ALL_ON), ANSWERED, facts, MONDAY_10, POLICY.calendar) == found


def test_a_rule_that_is_switched_off_does_not_fire() -> None:
    off = [replace(rule, enabled=False) for rule in DEFAULT_RULES]
    assert matches_of(off, ANSWERED, {"survey_type": "nps", "score": 0}, MONDAY_10, POLICY.calendar) == []


def test_every_shipped_rule_is_armed() -> None:
    assert [rule.rule_id for rule in DEFAULT_RULES if not rule.enabled] == []
    assert {rule.event for rule in DEFAULT_RULES} == set(EVENTS)


def test_reasons_say_what_happened_in_numbers() -> None:
    [found] = matches(survey_type="nps", score=8, previous_score=10, change="promoter_to_passive", tier="premium")
    assert found.reasons == (
        "fell from promoter (10) to passive (8)",
        "premium account: severity raised from high to critical",
    )


def test_conditions_are_data_that_survive_the_way_through_json() -> None:
    for rule in DEFAULT_RULES:
        assert conditions_from(conditions_document(rule.conditions)) == rule.conditions
        assert {condition.field for condition in rule.conditions} <= set(FIELDS)


@pytest.mark.parametrize("document", [{"shoe_size": {"min": 1}}, {"score": {"like": 1}}])
def test_conditions_on_what_does_not_exist_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        conditions_from(document)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (Condition("score", "max", 3), None),
        (Condition("score", "min", 3), "7"),
        (Condition("score", "max", 3), True),
        (Condition("score", "in", (1,)), None),
    ],
)
def test_a_condition_never_holds_for_what_is_missing_or_of_another_kind(condition: Condition, value: Any) -> None:
    assert not condition.holds({"score": value})


def test_every_rule_has_a_playbook_and_a_rule_id_of_its_own() -> None:
    assert len({rule.rule_id for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)
    assert all(len(rule.playbook) > 40 for rule in DEFAULT_RULES)
