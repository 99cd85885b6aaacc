"""Placeholders: a fixed few; whatever is unset never shows a brace or None, and values bring nothing along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.placeholders import PLACEHOLDERS, fault, filled, line, used

WORDS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=20)
PIECES = st.lists(WORDS | st.sampled_from([f"{{{name}}}" for name in PLACEHOLDERS]), max_size=8)
FALLBACKS = st.dictionaries(st.sampled_from(PLACEHOLDERS), WORDS)
VALUES = st.dictionaries(st.sampled_from(PLACEHOLDERS), st.none() | WORDS)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Hello {name},", "Ann Lee", "Hello Ann Lee,"),
        ("Hello {name},", None, "Hello,"),
        ("Hello {name},", "  ", "Hello,"),
        ("Bonjour\u00a0{name},", None, "Bonjour,"),
        ("{name}: hello", None, ": hello"),
        ("Hello {name} and {name},", "Ann", "Hello Ann and Ann,"),
        ("Hello {name},", "{us}", "Hello {us},"),
        ("Hello {name},", "Ann\r\nBcc: x@y.example", "Hello Ann Bcc: x@y.example,"),
        ("Hello {name},", "\u202eeeL nnA", "Hello eeL nnA,"),
        ("Hello {name},", "Zoe\u0308", "Hello Zoë,"),
    ],
)
def test_a_value_stands_where_its_name_stood(text: str, name: str | None, expected: str) -> None:
    assert filled(text, {"name": name, "us": "Northwind"}, {"name": ""}) == expected


def test_c22_a_fallback_stands_for_what_has_no_value() -> None:
    fallbacks = {"account": "your company", "us": "our company"}
    text = "How are {us} doing for {account}?"
    assert filled(text, {"us": "Northwind"}, fallbacks) == "How are Northwind doing for your company?"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{us} and {product}", None),
        ("no braces", None),
        ("{first_name}", "unknown_placeholder"),
        ("{}", "unknown_placeholder"),
        ("{us.__class__}", "unknown_placeholder"),
        ("{ us }", "unknown_placeholder"),
        ("{us", "stray_brace"),
        ("us}", "stray_brace"),
        ("{{us}}", "stray_brace"),
        ("{us}}", "stray_brace"),
    ],
)
def test_what_is_no_placeholder_is_a_fault(text: str, found: str | None) -> None:
    assert fault(text) == found


def test_the_score_is_a_placeholder_of_its_button_alone() -> None:
    assert fault("Send {score}") == "unknown_placeholder"
    assert fault("Send {score}", ["score"]) is None
    assert used("Send {score} to {us}") == {"score", "us"}


@given(pieces=PIECES, values=VALUES, fallbacks=FALLBACKS)
def test_no_brace_is_left_and_nothing_says_none(
    pieces: list[str], values: dict[str, str | None], fallbacks: dict[str, str]
) -> None:
    text = "".join(pieces)
    assert fault(text) is None
    shown = filled(text, values, fallbacks)
    assert not {"{", "}"} & set(shown)
    given_words = "".join(pieces) + "".join(value or "" for value in [*values.values(), *fallbacks.values()])
    assert "None" in given_words or "None" not in shown


@given(value=st.text())
def test_a_value_is_one_line_that_can_be_encoded(value: str) -> None:
    text = line(value)
    assert text == text.strip()
    assert len(text.splitlines()) <= 1
    assert text.encode().decode() == text
