"""The live values of a response follow from the set of its changes."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scorer.domain.history import contradictions, defect
from shared.amendments import AMENDABLE, OF_A_FILE, Change, ChangeKind, Subject, answer_fits, fold, refusal

START = datetime(2026, 6, 1, tzinfo=UTC)
NPS = Subject("acme", "ann", "nps")


def change(number: int, minute: int, changes: dict[str, Any] | None = None, **fields: Any) -> Change:
    kind: ChangeKind = "withdrawn" if changes is None else "amended"
    values: dict[str, Any] = {"account_id": "acme", "stakeholder_id": None} | fields
    return Change(
        UUID(int=number), kind, recorded_at=START + timedelta(minutes=minute), changes=changes or {}, **values
    )


def test_the_result_is_the_same_in_every_order() -> None:
    changes = [
        change(1, 1, {"score": 1, "comment": "a"}),
        change(2, 2, {"score": 2}),
        change(3, 2, {"comment": None}),
        change(4, 3, {"touchpoint": "support"}),
    ]
    results = [fold(NPS, order) for order in itertools.permutations(changes)]
    assert all(result == results[0] for result in results)
    assert results[0].values == {"score": 2, "comment": None, "touchpoint": "support"}
    assert (results[0].fitted, results[0].changed_at) == (4, START + timedelta(minutes=3))


def test_at_the_same_moment_the_greater_event_id_wins() -> None:
    assert fold(NPS, [change(2, 1, {"score": 2}), change(1, 1, {"score": 1})]).values == {"score": 2}


@pytest.mark.parametrize(
    ("changes", "quiet"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([change(1, 1, {"score": 1}, quiet=True)], True, id="a quiet file"),
        pytest.param([change(1, 1, {"comment": "x"}, quiet=True)], False, id="of what is not told"),
        pytest.param(
            [change(1, 1, {"score": 1}), change(2, 2, {"test": True}, quiet=True)], True, id="and a file later"
        ),
        pytest.param([change(1, 1, {"score": 1}, quiet=True), change(2, 2, {"score": 2})], False, id="a call later"),
        pytest.param(
            [change(1, 1, {"score": 1}), change(2, 2, {"score": 2}, quiet=True, rank=OF_A_FILE)],
            False,
            id="a file that a call stands over",
        ),
        pytest.param([change(1, 1, {"score": 1}, quiet=True), change(2, 2)], False, id="a withdrawal later"),
    ],
)
def test_what_is_told_was_changed_quietly_where_its_last_change_was(changes: list[Change], quiet: bool) -> None:
    for order in itertools.permutations(changes):
        assert fold(NPS, order).quiet is quiet


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("comment", None),
        ("touchpoint", None),
        ("product", None),
        ("language", None),
        ("follow_up_requested", False),
        ("test", False),
        ("attributes", {}),
        ("answers", []),
    ],
)
def test_null_clears_a_field(name: str, left: Any) -> None:
    assert fold(NPS, [change(1, 1, {name: None})]).values == {name: left}


def test_every_amendable_field_of_the_design_is_known() -> None:
    assert set(AMENDABLE) == {
        "score",
        "comment",
        "answers",
        "attributes",
        "touchpoint",
        "product",
        "language",
        "follow_up_requested",
        "test",
    }


def test_fields_that_cannot_be_amended_or_are_not_known_yet_are_passed_over() -> None:
    assert fold(NPS, [change(1, 1, {"answered_at": "2020-01-01", "mood": 3, "score": 5})]).values == {"score": 5}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (change(1, 1, account_id="other"), "wrong_account"),
        (change(1, 1, {"score": 1}, stakeholder_id="bob"), "wrong_stakeholder"),
        (change(1, 1, {"score": 1}, survey_type="csat"), "wrong_response"),
        (change(1, 1, {"score": 1}, posted="0" * 32), "wrong_response"),
        (change(1, 1, {"score": 11}), "invalid_change"),
        (change(1, 1, {"score": "9"}), "invalid_change"),
        (change(1, 1, {"score": 9.0}), "invalid_change"),
        (change(1, 1, {"comment": ["a"]}), "invalid_change"),
        (change(1, 1, {"test": "yes"}), "invalid_change"),
        (change(1, 1, {"attributes": []}), "invalid_change"),
        (change(1, 1, {"answers": "none"}), "invalid_change"),
        (change(1, 1, {"touchpoint": "support", "score": 11}), "invalid_change"),
    ],
)
def test_a_change_that_does_not_fit_counts_nowhere_as_a_whole(wrong: Change, reason: str) -> None:
    assert refusal(NPS, wrong) == reason
    live = fold(NPS, [wrong])
    assert (live.values, live.withdrawn, live.fitted) == ({}, False, 0)


@pytest.mark.parametrize(
    ("survey_type", "entry", "fits"),
    [
        ("nps", {"question_id": "q", "type": "csat", "value": 5}, True),
        ("nps", {"question_id": "q", "type": "csat", "value": 6}, False),
        ("nps", {"question_id": "q", "type": "ces", "value": 7, "attribute": "onboarding"}, True),
        ("nps", {"question_id": "q", "type": "nps", "value": 7}, False),
        ("csat", {"question_id": "q", "type": "csat", "value": 4}, False),
        ("csat", {"question_id": "q", "type": "nps", "value": 7}, False),
        ("nps", {"question_id": "q", "type": "rating", "value": 4}, True),
        ("nps", {"question_id": "q", "type": "rating", "value": "4"}, False),
        ("nps", {"question_id": "q", "type": "rating", "value": 10**30}, False),
        ("nps", {"question_id": "q", "type": "text", "value": "because"}, True),
        ("nps", {"question_id": "q", "type": "choice", "value": True}, False),
        ("nps", {"question_id": 7, "type": "text", "value": "because"}, False),
        ("nps", {"question_id": "q", "type": "guess", "value": 1}, False),
        ("nps", "text", False),
    ],
)
def test_an_entry_is_never_a_second_score_and_stays_on_its_scale(survey_type: str, entry: Any, fits: bool) -> None:
    assert answer_fits(survey_type, entry) is fits


@pytest.mark.parametrize(
    ("survey_type", "score", "fine"),
    [("nps", 0, True), ("nps", 10, True), ("nps", -1, False), ("csat", 0, False), ("ces", 7, True), ("ces", 8, False)],
)
def test_a_score_must_be_on_the_scale_of_its_survey(survey_type: str, score: int, fine: bool) -> None:
    assert (defect(survey_type, score, START, ()) is None) is fine


def test_only_what_was_sent_is_compared_and_never_what_the_collector_adds() -> None:
    first = {"account_id": "acme", "stakeholder_id": "ann", "score": 9, "answered_at": START, "recorded_at": START}
    later = first | {"answered_at": START + timedelta(1), "recorded_at": START + timedelta(1)}
    assert contradictions(("score", "recorded_at"), later, first) == []
    assert contradictions(("score", "answered_at"), later | {"score": 8}, first) == ["answered_at", "score"]
    assert contradictions((), later | {"stakeholder_id": "bob"}, first) == ["stakeholder_id"]
