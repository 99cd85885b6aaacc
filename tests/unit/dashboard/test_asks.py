"""Asks in words."""

import pytest

from services.dashboard.domain import asks


@pytest.mark.parametrize(
    ("state", "outcome", "reason", "words"),
    [
        pytest.param("sent", "answered", None, "▲ Answered", id="an outcome stands for the state"),
        pytest.param("sent", None, None, "Asked", id="asked"),
        pytest.param("skipped", None, "no_address", "Not asked: no e-mail address", id="a reason"),
        pytest.param("held", None, "some_new_reason", "Not yet: some new reason", id="a reason that is new"),
    ],
)
def test_what_became_of_an_ask(state: str, outcome: str | None, reason: str | None, words: str) -> None:
    assert asks.state_words(state, outcome, reason) == words


def test_every_reason_that_may_be_passed_is_a_reason_and_no_objection() -> None:
    assert asks.REASONS.keys() >= asks.OVERRIDABLE
    assert "objected" not in asks.OVERRIDABLE


def test_sums_show_their_parts() -> None:
    assert asks.sum_words({"sent": 12, "skipped": 3, "held": 0}, asks.STATES) == "12 asked + 3 not asked"
    assert asks.sum_words({"sent": 0}, asks.STATES) == "0"
    assert asks.sum_words({"answered": 2, "open": 1}, asks.OUTCOMES) == "2 answered + 1 open"


def test_reasons_are_counted_the_most_frequent_first() -> None:
    assert list(asks.counted_reasons(["objected", "floor", "floor"]).items()) == [("floor", 2), ("objected", 1)]


def test_a_file_of_links_holds_no_formula() -> None:
    text = asks.csv_of(("name", "url"), [("=1+1", "https://ask.example/s/x"), ('Ann "A", Lee', "")])
    assert text == 'name,url\r\n\'=1+1,https://ask.example/s/x\r\n"Ann ""A"", Lee",\r\n'


@pytest.mark.parametrize(
    ("who", "words"),
    [("key:k1", "Olivia"), ("key:k2", "A program"), ("tellback", "Tellback"), ("page", "the person")],
)
def test_who_changed_an_ask(who: str, words: str) -> None:
    assert asks.actor(who, {"k1": "Olivia"}) == words
