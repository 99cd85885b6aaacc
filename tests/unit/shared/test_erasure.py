"""The names of an erased person are removed from texts about others, and nothing else is."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.db.erasures import person_in
from shared.erasure import Names

JANE = Names(("jd-7", "Jane Doe", "jane@acme.example", None, ""), "acme")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Call Jane Doe.", "Call [erased]."),
        ("call JANE DOE\nnow", "call [erased]\nnow"),
        ("mail jane@acme.example, not mary.jane@acme.example", "mail [erased], not mary.[erased]"),
        ("Jane Doering and xjane@acme.example stay", "Jane Doering and xjane@acme.example stay"),
        ("(jd-7) is not jd-70", "([erased]) is not jd-70"),
        ("", ""),
    ],
)
def test_names_go_as_whole_words_and_in_any_case(text: str, left: str) -> None:
    assert JANE.redacted(text) == left


def test_the_longest_name_is_found_first() -> None:
    assert Names(("Jane", "Jane Doe"), "acme").redacted("Jane Doe and Jane") == "[erased] and [erased]"


def test_texts_are_found_wherever_a_document_holds_them() -> None:
    document: Any = {"task": {"title": "Jane Doe", "score": 7, "owner": None}, "reasons": ["jd-7 turned", True]}
    redacted = {"task": {"title": "[erased]", "score": 7, "owner": None}, "reasons": ["[erased] turned", True]}
    assert JANE.redacted(document) == redacted


def test_a_name_that_the_account_has_too_is_none() -> None:
    assert Names(("acme", None), "acme").redacted("acme pays late") == "acme pays late"


def test_characters_that_mean_something_to_a_search_are_only_characters() -> None:
    names = Names(('50%_"off"\\', "a.b"), "acme")
    assert names.redacted('take 50%_"off"\\ from a.b, not axb') == "take [erased] from [erased], not axb"
    assert names.patterns() == [r'%50\%\_"off"\\%', r"%50\%\_\\" + r'"off\\"\\\\%', "%a.b%"]


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"recorded_at": "2026-06-01T12:00:00Z"}, datetime(2026, 6, 1, 12, tzinfo=UTC)),
        (
            {"recorded_at": "2026-06-01T12:00:00Z", "answered_at": "2026-06-01T09:00:00Z"},
            datetime(2026, 6, 1, 9, tzinfo=UTC),
        ),
        ({"recorded_at": "2026-06-01T12:00:00Z", "at": "2026-06-01T08:00:00Z"}, datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ({"recorded_at": "2026-06-01T12:00:00Z", "at": "2026-06-01T13:00:00Z"}, datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ({"at": "2026-06-01T08:00:00Z"}, datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_record_is_as_old_as_what_it_tells_of(times: dict[str, str], at: datetime) -> None:
    value = json.dumps({"account_id": "acme", "stakeholder_id": "jane"} | times).encode()
    assert person_in(value) == ("acme", "jane", at)
