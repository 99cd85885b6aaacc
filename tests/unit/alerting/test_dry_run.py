"""Dry-run: what rules would have done with past events."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.alerting.domain.default_rules import ANSWERED, DEFAULT_RULES, SCORE_DROPPED, WENT_SILENT
from services.alerting.domain.dry_run import DryRunOutcome, PastTrigger, Trigger, dry_run
from services.alerting.domain.rules import Rule, conditions_from
from tests.unit.alerting.builders import MONDAY_10, POLICY

WEEK = timedelta(days=7)


def past(
    number: int, after_days: float, event: str = ANSWERED, person: str | None = "jane", **facts: Any
) -> PastTrigger:
    at = MONDAY_10 + timedelta(days=after_days)
    return PastTrigger(Trigger(UUID(int=number), event, at, "acme", person, f"r{number}", facts))


def score(number: int, days: float, value: int, person: str = "jane") -> PastTrigger:
    return past(number, days, person=person, survey_type="nps", score=value)


def roles(found: list[DryRunOutcome]) -> list[tuple[int, str]]:
    return [(outcome.past.trigger.event_id.int, outcome.role) for outcome in found]


def run(*events: PastTrigger, rules: tuple[Rule, ...] = DEFAULT_RULES) -> list[tuple[int, str]]:
    return roles(dry_run(rules, events, POLICY.calendar, WEEK))


def test_a_follow_up_that_would_be_open_takes_more_of_the_same() -> None:
    found = run(score(3, 8, 1), score(1, 0, 2), score(2, 6.9, 5), score(4, 0, 2, person="bob"))
    assert found == [(1, "opened"), (4, "opened"), (2, "repeated"), (3, "opened")]


def test_what_no_rule_wants_is_not_there() -> None:
    assert run(score(1, 0, 8)) == []


def test_a_stronger_one_that_would_be_open_takes_it_in() -> None:
    fall = past(2, 1, survey_type="nps", score=8, change="promoter_to_passive")
    assert run(score(1, 0, 2), fall) == [(1, "opened"), (2, "inhibited")]
    assert run(score(1, 0, 2), replace(fall, trigger=replace(fall.trigger, at=MONDAY_10 + WEEK))) == [
        (1, "opened"),
        (2, "opened"),
    ]


def test_each_kind_that_holds_on_an_event_makes_a_follow_up() -> None:
    """Given a detractor who asks for a follow-up as well, then a dry-run of either rule counts its own follow-up."""
    asks = past(1, 0, survey_type="nps", score=5, follow_up_requested=True)
    found = dry_run(DEFAULT_RULES, [asks], POLICY.calendar, WEEK)
    assert [(outcome.match.rule.rule_id, outcome.role) for outcome in found] == [
        ("detractor_4_6", "opened"),
        ("follow_up_requested", "opened"),
    ]


def test_of_a_kind_only_the_strongest_rule_makes_a_follow_up() -> None:
    mild = replace(DEFAULT_RULES[1], conditions=DEFAULT_RULES[0].conditions)
    found = dry_run((mild, DEFAULT_RULES[0]), [score(1, 0, 2)], POLICY.calendar, WEEK)
    assert [(outcome.match.rule.rule_id, outcome.role) for outcome in found] == [("detractor_0_3", "opened")]


def test_a_burst_takes_in_the_detractor_who_completes_it() -> None:
    """Given the eighth detractor of a day, then the burst opens, and the person's own follow-up is inside it."""
    found = dry_run(DEFAULT_RULES, [past(1, 0, survey_type="nps", score=2, burst=8)], POLICY.calendar, WEEK)
    assert [(outcome.match.rule.kind, outcome.role) for outcome in found] == [
        ("detractor", "inhibited"),
        ("detractor_burst", "opened"),
    ]


def test_what_is_about_the_account_is_taken_in_by_anybody_at_it() -> None:
    drop = replace(
        next(rule for rule in DEFAULT_RULES if rule.kind == "account_score_drop"), inhibited_by=("detractor",)
    )
    dropped = past(2, 1, SCORE_DROPPED, None, points=25.0)
    rules = (*(rule for rule in DEFAULT_RULES if rule.kind == "detractor"), drop)
    assert run(score(1, 0, 2), dropped, rules=rules) == [(1, "opened"), (2, "inhibited")]


def test_what_waits_for_an_answer_closes_with_it() -> None:
    found = run(past(1, 0, WENT_SILENT, days=21), score(2, 1, 9), past(3, 2, WENT_SILENT, days=21))
    assert found == [(1, "opened"), (3, "opened")]


def test_a_changed_rule_is_evaluated_as_it_would_be() -> None:
    deep = replace(DEFAULT_RULES[0], conditions=conditions_from({"score": {"max": 1}}))
    assert run(score(1, 0, 2), score(2, 1, 1), rules=(deep,)) == [(2, "opened")]
