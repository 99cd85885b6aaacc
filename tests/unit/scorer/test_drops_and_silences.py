"""When a drop and a silence are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.scorer.domain.answer_changes import is_fresh
from services.scorer.domain.drops import DropRule, DropState
from services.scorer.domain.projection import AccountState, Policy, StoredSnapshot, project
from services.scorer.domain.silence import Asked, silences_of
from services.scorer.domain.states import SilentAfter

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = SilentAfter(21, 14)


def figures(change: float | None, respondents: int, before: int) -> dict[str, Any]:
    return {"change": change, "stakeholder_count": respondents, "previous": {"stakeholder_count": before}}


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (figures(-20.0, 5, 5), True),
        (figures(-19.99, 5, 5), False),
        (figures(-100.0, 4, 5), False),
        (figures(-100.0, 5, 4), False),
        (figures(30.0, 50, 50), False),
        (figures(None, 0, 5), False),
        (figures(-20.0, 5, 5) | {"previous": None}, False),
    ],
)
def test_a_drop_needs_points_and_respondents(found: dict[str, Any], holds: bool) -> None:
    assert DropRule(20, 5).holds(found) is holds


def test_a_drop_is_told_when_it_becomes_true_and_after_a_day_of_rest() -> None:
    state, told = DropState(), []
    for hours, holds in (
        (0, True),
        (1, True),
        (2, False),
        (3, True),
        (4, False),
        (27.9, True),
        (28, False),
        (52, True),
    ):
        state, tell = state.next(holds, NOW + timedelta(hours=hours))
        told += [hours] if tell else []
    assert told == [0, 52]


def asked(person: str, days_ago: float, **fields: Any) -> Asked:
    sent_at = NOW - timedelta(days=days_ago)
    values: dict[str, Any] = {"invitation_id": f"i-{person}", "recorded_at": sent_at} | fields
    return Asked(stakeholder_id=person, given_stakeholder_id=person, sent_at=sent_at, **values)


def test_silence_is_due_at_the_limit_of_the_persons_type() -> None:
    invitations = [asked("user", 20), asked("boss", 14), asked("late", 21)]
    found = silences_of(invitations, {}, {"boss": "decision_maker"}, LIMITS, NOW)
    assert [invitation.stakeholder_id for invitation in found.due] == ["boss", "late"]
    assert found.next_due == NOW + DAY


def test_any_answer_since_breaks_the_silence_and_each_is_told_once() -> None:
    invitations = [asked("ann", 30), asked("bob", 30), asked("eve", 30, settled_at=NOW - DAY)]
    heard = {"ann": NOW - 30 * DAY, "bob": NOW - 31 * DAY}
    found = silences_of(invitations, heard, {}, LIMITS, NOW)
    assert [invitation.stakeholder_id for invitation in found.due] == ["bob"]
    assert found.next_due is None


@pytest.mark.parametrize(
    "state",
    [
        AccountState("acme", asked=[asked("ann", 30, called_off=True)]),
        AccountState("acme", asked=[asked("ann", 30)], removed_people=frozenset({"ann"})),
        AccountState("acme", asked=[asked("ann", 30)], removed=True),
        AccountState("acme", asked=[asked("ann", 30)], closed_on=NOW.date()),
    ],
    ids=["called off", "person removed", "account removed", "account closed"],
)
def test_nobody_waits_for_who_is_gone_or_was_called_off(state: AccountState) -> None:
    assert state.waiting(NOW) == []
    assert project(state, NOW, Policy()).silent == ()


def test_a_drop_that_ends_is_told_once() -> None:
    told = StoredSnapshot("steady", {}, b"", DropState(dropped=True))
    again = StoredSnapshot("steady", {}, b"", DropState(dropped=False))
    assert project(AccountState("acme", last_snapshot=told), NOW, Policy()).recovered
    assert not project(AccountState("acme", last_snapshot=again), NOW, Policy()).recovered
    assert not project(AccountState("acme"), NOW, Policy()).recovered


@pytest.mark.parametrize(
    ("fields", "furthest"),
    [
        ({}, "sent"),
        ({"delivered_at": NOW}, "delivered"),
        ({"delivered_at": NOW, "opened_at": NOW}, "opened"),
        ({"opened_at": NOW, "started_at": NOW}, "started"),
        ({"delivered_at": NOW, "bounced_at": NOW}, "bounced"),
    ],
)
def test_a_silence_says_how_far_the_invitation_came(fields: dict[str, Any], furthest: str) -> None:
    assert asked("ann", 30, **fields).furthest == furthest


def test_fresh_is_at_most_thirty_days_between_giving_and_recording_and_never_quiet() -> None:
    assert is_fresh(NOW - 30 * DAY, NOW, quiet=False)
    assert not is_fresh(NOW - 30 * DAY - timedelta(microseconds=1), NOW, quiet=False)
    assert is_fresh(NOW + timedelta(minutes=5), NOW, quiet=False)
    assert not is_fresh(NOW, NOW, quiet=True)
