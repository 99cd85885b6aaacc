"""How long words are kept, and what is left of an answer without them."""

from datetime import timedelta

import pytest

from shared.settings import CommonSettings, InvalidSettings
from shared.words import KEPT_FOR_EVER, WordRetention, without_words
from tests.support.events import NOW

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def test_words_are_forgotten_so_many_days_after_the_answer_was_given() -> None:
    retention = WordRetention(400)
    assert retention.forgotten_before(NOW) == NOW - 400 * DAY
    assert retention.unsaid(NOW - 400 * DAY - SECOND, NOW) == {"comment", "answers"}
    assert retention.unsaid(NOW - 400 * DAY, NOW) == frozenset()


def test_without_days_words_are_kept_for_ever() -> None:
    assert KEPT_FOR_EVER.forgotten_before(NOW) is None
    assert KEPT_FOR_EVER.unsaid(NOW - 10_000 * DAY, NOW) == frozenset()


def test_without_words_numbers_and_choices_stay() -> None:
    rating = {"question_id": "speed", "type": "rating", "value": 4}
    choice = {"question_id": "why", "type": "choice", "value": "price"}
    text = {"question_id": "more", "type": "text", "value": "Call me"}
    values = {"score": 3, "comment": "Late", "answers": [rating, choice, text]}
    assert without_words(values) == {"score": 3, "comment": None, "answers": [rating, choice, {**text, "value": ""}]}
    assert text["value"] == "Call me", "what was given is as it was"
    assert without_words({"score": 3, "answers": None}) == {"score": 3, "answers": None}


@pytest.mark.parametrize(("days", "taken"), [("0", True), ("29", False), ("30", True)])
def test_words_are_kept_for_ever_or_for_a_month_at_least(
    monkeypatch: pytest.MonkeyPatch, days: str, taken: bool
) -> None:
    monkeypatch.setenv("TELLBACK_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("TELLBACK_DATABASE_URL", "postgresql://localhost/tellback")
    monkeypatch.setenv("TELLBACK_SECRET_KEY", "7f3a9c1e5b2d8f604a6c3e1b9d7f5a28")
    monkeypatch.setenv("TELLBACK_COMMENT_KEEP_DAYS", days)
    if taken:
        assert CommonSettings.load().words == WordRetention(int(days))
        return
    with pytest.raises(InvalidSettings, match="TELLBACK_COMMENT_KEEP_DAYS: must be 30 or more, or 0"):
        CommonSettings.load()
