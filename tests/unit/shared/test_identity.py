"""Addresses that stand for people have one form, other ids keep theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import canonical_stakeholder_id


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ADA@ED.example", "ada@ed.example"),
        ("Zoe\u0301@Acme.example", "zo\u00e9@acme.example"),
        ("C-17", "C-17"),
        ("+4512345678", "+4512345678"),
        ("Twitter@Acme", "Twitter@Acme"),
        ("Ann Lee@acme.example", "Ann Lee@acme.example"),
        ("A@B@acme.example", "A@B@acme.example"),
        ("A@acme.", "A@acme."),
        ("@acme.Example", "@acme.Example"),
        ("", ""),
    ],
)
def test_only_addresses_are_in_lower_case(value: str, expected: str) -> None:
    assert canonical_stakeholder_id(value) == expected


@given(st.text("Aa\u0130\u1e9e\u00df\u212a\u0301@. ", max_size=8) | st.text(max_size=40))
def test_the_form_is_one(value: str) -> None:
    once = canonical_stakeholder_id(value)
    assert canonical_stakeholder_id(once) == once
