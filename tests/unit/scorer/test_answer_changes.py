"""What is told of a series, given what was told before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.scorer.domain.answer_changes import Entry, Pair, Series, SeriesChange, compare, pair_at

START = datetime(2026, 6, 1, tzinfo=UTC)
ANN = Series("ann", "nps", "relationship")


def entry(name: str, minute: int, score: int, **fields: Any) -> Entry:
    moment = START + timedelta(minutes=minute)
    return Entry(name, ANN, moment, moment, score, **fields)


def look(told: Pair | None, *entries: Entry) -> SeriesChange:
    live = sorted((response for response in entries if response.live), key=lambda response: response.order)
    return compare(ANN, told, live, {response.response_id: response for response in entries})


def pair(*entries: Entry) -> Pair:
    found = pair_at(entries, len(entries))
    assert found is not None
    return found


A, B, C = entry("a", 1, 9), entry("b", 2, 7), entry("c", 3, 3)


def test_everything_after_the_told_answer_is_told_oldest_first() -> None:
    story = look(pair(A), A, C, B)
    assert story.corrected is None
    assert [(answer.entry.response_id, answer.pair.change("nps")) for answer in story.answered] == [
        ("b", "promoter_to_passive"),
        ("c", "passive_to_detractor"),
    ]
    assert story.pair == pair(A, B, C)
    assert story.pair is not None
    assert story.pair.falls_in_a_row == 2


def test_nothing_new_is_no_story() -> None:
    story = look(pair(A, B), A, B)
    assert (story.corrected, list(story.answered)) == (None, [])


@pytest.mark.parametrize(
    ("told", "now", "cause_response", "cause"),
    [
        pytest.param(pair(A, B), (A, entry("b", 2, 7, withdrawn=True)), "b", "withdrawn", id="latest withdrawn"),
        pytest.param(pair(A, B), (A, entry("b", 2, 7, erased=True)), "b", "erased", id="latest erased"),
        pytest.param(pair(A, B), (A, entry("b", 2, 7, test=True, revision=2)), "b", "amended", id="latest a test"),
        pytest.param(pair(A, B), (A, entry("b", 2, 4, revision=2)), "b", "amended", id="latest amended"),
        pytest.param(pair(A, B), (entry("a", 1, 8, revision=2), B), "a", "amended", id="previous amended"),
        pytest.param(pair(A, B), (entry("a", 1, 9, withdrawn=True), B), "a", "withdrawn", id="previous withdrawn"),
        pytest.param(pair(A, C), (A, B, C), "b", "late", id="one between"),
        pytest.param(pair(A, C), (A, entry("b", 2, 7, revision=3), C), "b", "amended", id="one back from test"),
        pytest.param(pair(B), (A, B), "a", "late", id="one before"),
    ],
)
def test_a_correction_names_who_brought_it_about(
    told: Pair, now: tuple[Entry, ...], cause_response: str, cause: str
) -> None:
    corrected = look(told, *now).corrected
    assert corrected is not None
    assert (corrected.cause_response.response_id, corrected.cause) == (cause_response, cause)
    assert corrected.old == told


def test_a_wish_to_be_called_corrects_the_latest_only() -> None:
    assert look(pair(A, B), A, entry("b", 2, 7, follow_up_requested=True)).corrected is not None
    assert look(pair(A, B), entry("a", 1, 9, follow_up_requested=True), B).corrected is None


def test_history_is_told_neither_as_answer_nor_as_correction() -> None:
    old = entry("o", 2, 3, quiet=True)
    story = look(pair(A), A, old)
    assert list(story.answered) == []
    assert story.pair is not None
    assert not story.pair.fresh
    corrected = look(story.pair, A, entry("o", 2, 3, quiet=True, withdrawn=True)).corrected
    assert corrected is not None
    assert corrected.publishable  # Ann's 9 is her latest again, and a rule may act on that
    silent = look(pair(entry("p", 1, 5, quiet=True), old), old, entry("p", 1, 5, quiet=True, withdrawn=True)).corrected
    assert silent is not None
    assert not silent.publishable


def test_only_the_last_one_known_is_told_as_the_latest_whether_it_is_quiet_or_not() -> None:
    assert [answer.latest for answer in look(None, A, B, C).answered] == [False, False, True]
    assert [answer.latest for answer in look(None, A, entry("b", 2, 7, quiet=True)).answered] == [False]
