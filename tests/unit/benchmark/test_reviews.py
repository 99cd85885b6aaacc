"""What of a review pack a client may see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.benchmark.domain.reviews import deed, happened, is_for, last_review, without_names, words_of

DONE: dict[str, Any] = {
    "follow_up_id": "f1",
    "kind": "detractor",
    "what_was_done": "Moved them before Bolt & Co.",
    "promise": {"what": "As fast as bolt", "by": "2026-12-01T00:00:00Z"},
    "reasons": ["scored 2"],
    "playbook": "call",
    "history": [{"comment": "never again"}],
    "outcome": "resolved",
}


def test_internal_notes_stay_inside() -> None:
    assert (
        deed(DONE, "client").keys().isdisjoint({"reasons", "playbook", "severity", "root_cause", "result", "history"})
    )
    assert deed(DONE, "internal")["reasons"] == ["scored 2"]


@pytest.mark.parametrize(
    ("kind", "outcome", "shown"),
    [
        ("detractor", "resolved", True),
        ("detractor", None, True),
        ("detractor", "dismissed", False),
        ("new_promoter", "resolved", False),
        ("renewal_risk", None, False),
        ("manual", None, False),
    ],
)
def test_a_client_sees_what_answers_to_what_was_said(kind: str, outcome: str | None, shown: bool) -> None:
    follow_up = {"kind": kind, "outcome": outcome}
    assert is_for("client", follow_up) is shown
    assert is_for("internal", follow_up)


def test_names_of_others_leave_free_texts_alone_and_nothing_else() -> None:
    pack = {"said": [{"comment": "BOLT gets more. Bolts are fine.", "kind": "bolt"}], "done": [deed(DONE, "client")]}
    found = without_names(pack, ["Bolt & Co.", "Bolt"], "Acme")
    assert found["said"] == [{"comment": "another customer gets more. Bolts are fine.", "kind": "bolt"}]
    assert found["done"][0]["what_was_done"] == "Moved them before another customer"
    assert found["done"][0]["promise"]["what"] == "As fast as another customer"


def test_a_name_within_the_own_name_stays() -> None:
    assert without_names({"comment": "Acme Logistics"}, ["Acme"], "Acme Logistics") == {"comment": "Acme Logistics"}
    assert without_names({"comment": "Acme"}, [], None) == {"comment": "Acme"}


def test_a_name_of_two_letters_is_taken_out_in_its_own_case_only() -> None:
    said = {"comment": "BP got it sooner, and IT noticed it."}
    assert without_names(said, ["BP", "IT"], "Acme") == {
        "comment": "another customer got it sooner, and another customer noticed it."
    }


def test_the_words_of_a_pack_are_its_free_texts() -> None:
    assert words_of({"said": [{"comment": "a", "kind": "b"}, {"comment": None}], "promise": {"what": "c"}}).split() == [
        "a",
        "c",
    ]


def test_the_last_review_is_the_last_one_held_before() -> None:
    marks = [
        {"kind": kind, "at": f"2026-0{month}-01T00:00:00Z"} for month, kind in ((1, "review_held"), (2, "incident"))
    ]
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert last_review(marks, moment) == datetime(2026, 1, 1, tzinfo=UTC)
    assert last_review(marks, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_period_is_open_below_and_closed_above() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    moments = [
        None,
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000001Z",
        "2026-02-01T00:00:00Z",
        "2026-02-01T00:00:01Z",
    ]
    assert [happened(moment, first, last) for moment in moments] == [False, False, True, True, False]
