"""From a decision to a task: opening, adding an occurrence, being taken in, being corrected."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerting.domain.decisions import decide
from services.alerting.domain.default_rules import ANSWERED, DEFAULT_RULES
from services.alerting.domain.people import Account, Staff, addressed_to, title_of
from services.alerting.domain.severity import rank
from services.alerting.domain.tasks import Contact, Step, Task
from services.alerting.domain.triggers import MAX_REASONS, Trigger, add_occurrence, corrected, fired, inhibit
from tests.unit.alerting.builders import ACME, JANE, MONDAY_10, NOBODY_ELSE, OWNER, POLICY, SPONSOR, answered, opened

LEADER = Contact("Lea Leader", "lea@supplier.example")


def again(task: Task, trigger: Trigger) -> Step:
    decision = decide(DEFAULT_RULES, trigger.event, trigger.facts, trigger.at, POLICY.calendar)
    return add_occurrence(task, trigger, decision)


def test_a_deep_detractor_goes_to_the_owner_and_informs_the_sponsor() -> None:
    task = opened()
    assert (task.owner, task.owner_source, task.informed) == (OWNER, "directory", (SPONSOR,))
    assert task.title == "Detractor (2): Jane Doe, Acme"


def test_the_task_keeps_the_rule_and_the_calendar_it_was_opened_by() -> None:
    policy = opened().policy
    assert policy["rule"]["rule_id"] == "detractor_0_3"
    assert policy["rule"]["due"] == {"amount": 4, "unit": "business_hours"}
    assert policy["business_time"] == {
        "time_zone": "UTC",
        "weekdays": [0, 1, 2, 3, 4],
        "opens_minute": 540,
        "closes_minute": 1080,
        "holidays": [],
    }


@pytest.mark.parametrize(
    ("recipient", "account", "staff", "owner", "source"),
    [
        ("owner", ACME, Staff(NOBODY_ELSE), OWNER, "directory"),
        ("owner", Account("acme"), Staff(NOBODY_ELSE), NOBODY_ELSE, "default"),
        ("sponsor", ACME, Staff(NOBODY_ELSE), SPONSOR, "directory"),
        ("sponsor", Account("acme", owner=OWNER), Staff(NOBODY_ELSE), OWNER, "directory"),
        ("sponsor", Account("acme"), Staff(NOBODY_ELSE), NOBODY_ELSE, "default"),
        ("leader", ACME, Staff(NOBODY_ELSE, LEADER), LEADER, "directory"),
        ("leader", ACME, Staff(NOBODY_ELSE), OWNER, "directory"),
    ],
)
def test_who_is_missing_is_replaced_by_the_next(
    recipient: str, account: Account, staff: Staff, owner: Contact, source: str
) -> None:
    found = addressed_to(recipient, account, staff)  # type: ignore[arg-type]
    assert (found.owner, found.source) == (owner, source)
    assert bool(found.reasons) == (source == "default" or (recipient == "sponsor" and not account.sponsor.known))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 300)), min_size=1, max_size=12))
def test_severity_never_falls_and_due_never_moves_later(answers: list[tuple[int, int]]) -> None:
    task = opened(answered(6))
    for score, hours in answers:
        trigger = answered(score)
        before, task = task, again(task, _at(trigger, hours)).task
        assert rank(task.severity) <= rank(before.severity)
        assert task.due_at <= before.due_at
        assert task.occurrences == before.occurrences + 1
        assert task.version == before.version + 1


def test_reasons_are_said_once_and_do_not_grow_without_end() -> None:
    task = opened()
    assert again(task, answered(2)).task.reasons == task.reasons
    many = opened(reasons=tuple(f"reason {number}" for number in range(MAX_REASONS)))
    kept = again(many, answered(1)).task.reasons
    assert len(kept) == MAX_REASONS
    assert kept[-1] == "scored 1 of 10: a deep detractor"


def test_an_open_task_takes_in_a_weaker_trigger_with_all_that_stood_behind_it() -> None:
    trigger = answered(8, change="promoter_to_passive", previous_score=9, falls_in_a_row=2)
    decision = decide(DEFAULT_RULES, ANSWERED, trigger.facts, trigger.at, POLICY.calendar)
    step = inhibit(opened(), trigger, decision)
    assert step.task.inhibited == ("promoter_to_passive", "two_falls_in_a_row")
    assert (step.task.occurrences, step.task.severity) == (1, "critical")
    assert step.entry.action == "inhibited"


def test_a_correction_says_so_and_never_makes_it_milder() -> None:
    six = decide(DEFAULT_RULES, ANSWERED, answered(6).facts, MONDAY_10, POLICY.calendar).chosen
    task = opened(answered(2))
    step = corrected(task, MONDAY_10, "the answer was amended", six, ("follow_up_requested",))
    assert (step.task.severity, step.task.due_at) == (task.severity, task.due_at)
    assert step.task.inhibited == ("follow_up_requested",)
    assert "the answer was amended" in step.task.reasons


def test_what_fired_is_kept_with_every_rule_that_held() -> None:
    trigger = answered(3, follow_up_requested=True)
    decision = decide(DEFAULT_RULES, ANSWERED, trigger.facts, trigger.at, POLICY.calendar)
    kept = fired(opened().follow_up_id, "opened", trigger, decision)
    assert kept.kind == "detractor"
    assert [match["rule_id"] for match in kept.matches] == ["detractor_0_3", "follow_up_requested"]
    assert kept.matches[0]["due_at"] == "2026-06-08T14:00:00+00:00"


def test_a_title_fits_into_a_crm() -> None:
    long = Account("acme", name="A" * 300)
    assert len(title_of("Detractor", {"score": 2}, long, JANE)) == 130
    assert title_of("Account score dropped", {}, Account("acme"), None) == "Account score dropped: acme"


def _at(trigger: Trigger, hours: int) -> Trigger:
    return Trigger(
        trigger.event_id,
        trigger.event,
        trigger.at + timedelta(hours=hours),
        trigger.account_id,
        trigger.stakeholder_id,
        trigger.response_id,
        trigger.facts,
    )
