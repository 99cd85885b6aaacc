"""What a row of a file is to an answer that is known, rule by rule."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.amendments import Change, Subject, fold
from shared.events.files import Mode, Origin, RowVerdict, compared, digests_of, import_of, judge, origin_in
from shared.events.responses import ResponseRecorded
from tests.support.events import NOW
from tests.support.files import row

IMPORT = UUID("0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a")
ACME = Subject("acme", "ann", "nps")
STORED: dict[str, Any] = {
    "score": 9,
    "comment": "good",
    "touchpoint": None,
    "follow_up_requested": False,
    "answers": [],
    "attributes": {"plan": "gold", "seats": 3},
    "answered_at": NOW,
}


def origin(mode: Mode = "upsert", line: int = 2, minutes: int = 0) -> Origin:
    return Origin(IMPORT, line, mode, NOW + timedelta(minutes=minutes))


def data_of(of: Origin, **fields: Any) -> ResponseRecorded:
    data = row(of, "r1", **fields).data
    assert isinstance(data, ResponseRecorded)
    return data


def judged(
    *changes: Change, mode: Mode = "upsert", minutes: int = 0, person_id: str = "ann", **fields: Any
) -> RowVerdict:
    of = origin(mode, minutes=minutes)
    return judge(of, data_of(of, **fields), person_id, ACME, compared(STORED), changes)


def call(minutes: int = 0, **changes: Any) -> Change:
    return Change(UUID(int=minutes + 1), "amended", "acme", None, NOW + timedelta(minutes=minutes), changes)


def test_a_header_names_the_row_that_it_was_made_of() -> None:
    made = origin("only_new", 1_000_000)
    assert origin_in(made.header()) == made
    assert import_of(made.header()) == IMPORT


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        f"{IMPORT}:2:upsert:",
        f"{IMPORT}:2:clear:2026-06-01T12:00:00Z",
        f"{IMPORT}:2:upsert:2026-06-01T12:00:00",
    ],
)
def test_a_header_of_another_form_names_no_row(header: str | None) -> None:
    assert origin_in(header) is None


def test_a_row_that_says_what_stands_is_the_same_and_stores_nothing() -> None:
    assert judged(comment="good", attributes={"plan": "gold", "seats": 3.0}) == RowVerdict("same")


def test_a_row_changes_what_it_says_otherwise() -> None:
    verdict = judged(score=4, comment="good")
    assert (verdict.outcome, verdict.fields) == ("amended", [])
    assert verdict.change is not None
    assert verdict.change.changes == {"score": 4, "comment": "good"}


@pytest.mark.parametrize("empty", [{"comment": None}, {"comment": ""}, {"attributes": {}}])
def test_an_empty_cell_clears_nothing(empty: dict[str, Any]) -> None:
    assert judged(**empty).outcome == "same"


def test_what_a_call_has_set_stays_unless_the_file_overwrites() -> None:
    verdict = judged(call(comment=None), comment="again", minutes=5)
    assert (verdict.outcome, verdict.code, verdict.fields) == ("kept", "kept_here", ["comment"])
    assert judged(call(comment=None), comment="again", minutes=5, mode="overwrite").outcome == "amended"
    assert judged(call(9, comment=None), comment="again", minutes=5, mode="overwrite").outcome == "kept"


def test_a_file_that_only_adds_changes_nothing() -> None:
    verdict = judged(score=4, mode="only_new")
    assert verdict == RowVerdict("kept", "only_new", ["score"])


def test_what_no_amendment_can_change_is_kept_as_first_recorded() -> None:
    later = NOW + timedelta(days=1)
    assert judged(answered_at=later) == RowVerdict("kept", "kept_here", ["answered_at"])
    verdict = judged(answered_at=later, score=4)
    assert (verdict.outcome, verdict.fields) == ("amended", ["answered_at"])


def test_an_id_of_somebody_else_and_a_withdrawn_answer_are_conflicts() -> None:
    assert judged(person_id="bob", stakeholder_id="bob", score=4) == RowVerdict("conflict", "row_of_another")
    withdrawn = Change(UUID(int=1), "withdrawn", "acme", None, NOW)
    assert judged(withdrawn, score=4) == RowVerdict("conflict", "withdrawn_here")


def test_a_row_by_any_id_of_the_person_changes_the_answer_and_an_address_as_id_is_no_difference() -> None:
    merged = Subject("acme", "ann", "nps", given_stakeholder_id="C-17")
    of = origin()
    recorded = compared({**STORED, "stakeholder_id": "C-17", "email": None})
    for stakeholder_id in ("C-17", "ann", "a@x.example"):
        data = data_of(of, stakeholder_id=stakeholder_id, email="a@x.example", score=4)
        verdict = judge(of, data, "ann", merged, recorded, [])
        assert verdict.change is not None
        assert (verdict.outcome, verdict.change.stakeholder_id) == ("amended", "C-17")
        assert fold(merged, [verdict.change]).values == {"score": 4}
        assert "stakeholder_id" not in verdict.fields
        assert ("email" in verdict.fields) is (stakeholder_id != "a@x.example")


def test_a_row_that_sets_back_an_earlier_file_is_stored() -> None:
    earlier = judged(score=4).change
    assert earlier is not None
    back = judge(origin(line=3), data_of(origin(line=3), score=9), "ann", ACME, compared(STORED), [earlier])
    assert back.outcome == "amended"
    assert back.change is not None


def test_of_two_rows_of_a_file_about_one_answer_the_later_counts() -> None:
    ids = [Origin(IMPORT, line, "upsert", NOW).change_id for line in (2, 3, 10, 1_000, 1_000_000)]
    assert ids == sorted(ids)
    assert len({str(made) for made in ids}) == 5


def test_digests_are_of_what_says_anything() -> None:
    assert digests_of(data_of(origin())) == {}
    assert digests_of(data_of(origin(), attributes={"plan": "gold"})).keys() == {"attributes"}
    assert compared({"attributes": {"x": 100.0}}) == compared({"attributes": {"x": 100}})
