"""Where one person stands."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from services.scorer.domain.answers import Answer
from services.scorer.domain.invitations import Invitation, Reply
from services.scorer.domain.states import DECISION_MAKER, Facts, KindOfAnswer, SilentAfter, state_of
from shared.events.directory import StakeholderType

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
THREE_WEEKS = timedelta(days=21)


def ago(days: float) -> datetime:
    """So many days before the moment in question."""
    return NOW - timedelta(days=days)


def given(*answers: tuple[float, int, str]) -> Facts:
    """A person with answers (days ago, score, nps_kind)."""
    found = [
        KindOfAnswer(Answer(f"r{number}", "ann", ago(days), score), kind)
        for number, (days, score, kind) in enumerate(answers)
    ]
    return Facts(found, found[-1].answer.answered_at if found else None, ())


def test_a_fall_is_seen_with_its_change() -> None:
    facts = given((200, 10, "relationship"), (100, 9, "relationship"), (3.5, 8, "relationship"))
    state = state_of(facts, NOW, THREE_WEEKS)
    assert (state["score"], state["category"], state["change"]) == (8, "passive", "promoter_to_passive")
    assert state["latest"]["response_id"] == "r2"
    assert state["previous"]["response_id"] == "r1"
    assert (state["falls_in_a_row"], state["days_since_answered"]) == (2, 3)


def test_answers_of_another_kind_are_no_comparison() -> None:
    facts = given((200, 10, "relationship"), (100, 2, "transactional"), (3, 9, "relationship"))
    state = state_of(facts, NOW, THREE_WEEKS)
    assert (state["previous"]["score"], state["change"], state["falls_in_a_row"]) == (10, None, 1)


def test_who_never_answered_has_no_score() -> None:
    state = state_of(given(), NOW, THREE_WEEKS)
    assert (state["score"], state["category"], state["latest"], state["change"]) == (None, None, None, None)
    assert (state["days_since_asked"], state["days_since_answered"], state["silent"]) == (None, None, False)


@pytest.mark.parametrize(
    ("asked", "heard", "reply", "silent"),
    [
        (21, None, None, True),
        (20.9, None, None, False),
        (30, 31, None, True),
        (30, 29, None, False),
        (30, None, 31, False),  # an import dated it to midnight, before the invitation of that day
    ],
)
def test_silence_is_an_invitation_without_an_answer(
    asked: float, heard: float | None, reply: float | None, silent: bool
) -> None:
    invitation = Invitation("ann", ago(asked), replies=(Reply(ago(reply)),) if reply else ())
    facts = Facts((), ago(heard) if heard else None, (invitation,))
    assert state_of(facts, NOW, THREE_WEEKS)["silent"] is silent


def test_a_new_invitation_does_not_end_the_silence() -> None:
    facts = Facts((), None, (Invitation("ann", ago(40)), Invitation("ann", ago(2))))
    state = state_of(facts, NOW, THREE_WEEKS)
    assert (state["silent"], state["days_since_asked"]) == (True, 2)


def test_decision_makers_are_silent_sooner() -> None:
    limits = SilentAfter()
    assert limits.of("decision_maker") == timedelta(days=14)
    assert limits.of("user") == limits.of(None) == timedelta(days=21)


def test_decision_makers_are_a_type_of_the_directory() -> None:
    assert DECISION_MAKER in get_args(StakeholderType)
