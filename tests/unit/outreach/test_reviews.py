"""What of a review pack a client may pass on, and when a review is due."""

from datetime import date
from typing import Any

import pytest

from services.outreach.domain.reviews import copied, copied_scores, due_since, is_due, last_held, quarter_of


def score(people: int, nps: int | None = 20) -> dict[str, Any]:
    """A score of so many people."""
    return {
        "nps_rounded": nps,
        "stakeholder_count": people,
        "promoter_count": people,
        "passive_count": 0,
        "detractor_count": 0,
    }


def line(who: str | None, then: int, now: int) -> dict[str, Any]:
    """The score of one type of people, so many at each moment."""
    return {"stakeholder_type": who, "then": score(then), "now": score(now)}


def deed(**fields: Any) -> dict[str, Any]:
    """A follow-up about Ann that was closed."""
    given = {
        "stakeholder_id": "ann",
        "what_was_done": "Called.",
        "promise": None,
        "opened_at": "2026-05-01T08:00:00Z",
        "closed_at": "2026-05-02T23:30:00-02:00",
    }
    return given | fields


def pack(**fields: Any) -> dict[str, Any]:
    """A review pack of five people."""
    given = {
        "account": {"name": "Acme"},
        "period": {"from": "2026-03-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"},
        "scores": [line(None, 5, 5)],
        "changes": [{"to": "promoter"}, {"to": "detractor"}, {"to": "promoter"}],
        "said": [],
        "done": [],
        "open_points": [],
    }
    return given | fields


def shown(*lines: dict[str, Any]) -> list[str | None]:
    """The types of people whose scores are copied."""
    return [copied["stakeholder_type"] for copied in copied_scores(lines)]


def test_scores_by_type_are_copied_where_each_and_the_rest_are_of_three_people_or_of_nobody() -> None:
    assert shown(line(None, 6, 6), line("user", 3, 3), line("influencer", 3, 3)) == [None, "user", "influencer"]
    assert shown(line(None, 6, 9), line("user", 3, 3), line("influencer", 3, 3)) == [None, "user", "influencer"]
    assert shown(line(None, 3, 6), line("user", 3, 3), line("influencer", 0, 3)) == [None, "user", "influencer"]


@pytest.mark.parametrize(
    "lines",
    [
        (line(None, 5, 5), line("user", 3, 3), line("influencer", 2, 2)),
        (line(None, 6, 6), line("user", 3, 3), line("influencer", 3, 2)),
        (line(None, 6, 7), line("user", 3, 3), line("influencer", 3, 3)),
        (line(None, 4, 3), line("user", 3, 3)),
    ],
    ids=["two of a type", "two of a type now", "one without a type", "one without a type then"],
)
def test_no_score_by_type_tells_of_one_or_two_people_not_even_by_subtraction(lines: tuple[dict[str, Any], ...]) -> None:
    assert shown(*lines) == [None]


def test_the_figures_of_two_people_are_left_out() -> None:
    (everybody,) = copied_scores([line(None, 3, 2)])
    assert (everybody["nps_then"], everybody["nps_now"], everybody["people_now"]) == (20, None, 2)
    assert everybody["promoter_count"] is None
    figures = copied(pack(scores=[line(None, 3, 2)]), (), ()).figures
    assert (figures["became_promoters"], figures["became_detractors"]) == (None, None)
    figures = copied(pack(), (), ()).figures
    assert (figures["became_promoters"], figures["became_detractors"]) == (2, 1)


def test_deeds_say_what_was_done_and_promised_the_open_ones_last() -> None:
    promise = {"what": "A fixed contact", "by": "2026-07-01T09:00:00Z"}
    found = copied(
        pack(
            done=[deed(), deed(what_was_done=None)],
            open_points=[deed(closed_at=None, what_was_done=None, promise=promise)],
        ),
        (),
        (),
    )
    assert [excerpt.content for excerpt in found.excerpts] == [
        {"what_was_done": "Called.", "closed_on": "2026-05-03", "promised": None, "promised_by": None},
        {"what_was_done": None, "closed_on": None, "promised": "A fixed contact", "promised_by": "2026-07-01"},
    ]
    assert [excerpt.stakeholder_id for excerpt in found.excerpts] == ["ann", "ann"]
    assert found.figures["open_points"] == 1


def test_names_and_addresses_are_replaced_in_every_text_and_parts_of_words_are_not() -> None:
    said = {
        "response_id": "r1",
        "stakeholder_id": "ann",
        "comment": "ANN LEE and Annabel; ask al@x.example, (bo@y.example). Ann waits for 17.\r\n\u202eReally",
        "answered_at": "2026-05-01T08:00:00Z",
    }
    found = copied(pack(said=[said]), ["r1"], ["Ann Lee", "ann", "", "(unknown", "17", "a"])
    (excerpt,) = found.excerpts
    assert excerpt.content["comment"] == (
        "a colleague and Annabel; ask a colleague, (a colleague). a colleague waits for 17.\nReally"
    )
    assert found.unknown == ()


def test_a_comment_is_copied_only_if_it_was_chosen_and_is_there() -> None:
    said = []
    for number, comment in enumerate(("Good.", None, "Bad.")):
        said.append(
            {
                "response_id": f"r{number}",
                "stakeholder_id": "ann",
                "comment": comment,
                "answered_at": "2026-05-01T08:00:00Z",
            }
        )
    found = copied(pack(said=said), ["r0", "r1", "r9"], ())
    assert [excerpt.content["response_id"] for excerpt in found.excerpts] == ["r0"]
    assert found.unknown == ("r1", "r9")


def test_a_review_is_due_a_quarter_after_the_last_one() -> None:
    held_on = date(2026, 3, 2)
    assert due_since(held_on) == date(2026, 6, 1)
    assert not is_due(held_on, date(2026, 5, 31))
    assert is_due(held_on, date(2026, 6, 1))
    assert is_due(None, date(2026, 6, 1))


def test_quarters_are_those_of_the_calendar() -> None:
    days = (date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1), date(2026, 12, 31))
    assert [quarter_of(day) for day in days] == ["2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4"]


def test_the_last_review_is_the_latest_of_the_marks() -> None:
    marks = [
        {"kind": "review_held", "at": "2026-03-01T09:00:00Z"},
        {"kind": "incident", "at": "2026-05-01T09:00:00Z"},
        {"kind": "review_held", "at": "2026-04-01T09:00:00Z"},
    ]
    assert last_held(marks) == date(2026, 4, 1)
    assert last_held([]) is None
