"""What was changed: its lines, and the one that the next invitation repeats; its words in each language."""

from datetime import UTC, datetime

import pytest

from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.page_words import page_words
from services.outreach.handlers.loop_backs import NewLoopBack, lines_of

AT = datetime(2026, 6, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("One.", ["One."]),
        ("One.\nTwo.", ["One.", "Two."]),
        ("\n  One.  \r\n\r\n Two. \n\n", ["One.", "Two."]),
    ],
)
def test_empty_lines_part_paragraphs_and_are_none(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines
    assert NewLoopBack(text, "en", AT, account_id="acme").line == lines[-1]


@pytest.mark.parametrize("language", COMPLETE)
@pytest.mark.parametrize("name", ["loop_back_subject", "loop_back_thanks", "mail_heard"])
def test_its_words_are_there_in_every_language(language: str, name: str) -> None:
    said = page_words(language).say(name)
    assert said
    if language != "en":
        assert said != page_words("en").say(name)


def test_another_language_has_english_words() -> None:
    assert page_words("pl").say("loop_back_subject") == page_words("en").say("loop_back_subject")
