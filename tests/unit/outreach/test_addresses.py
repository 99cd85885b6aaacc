"""An address has one form in which it is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.addresses import canonical_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ann.Lee@ACME.example ", "ann.lee@acme.example"),
        ("ann+news@acme.example", "ann+news@acme.example"),
        ("a.n.n@acme.example", "a.n.n@acme.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BU\u0308CHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
        ("MU\u0308LLER@acme.example", "müller@acme.example"),
        ("ann@mail_1.acme.example", None),
        ("ann", None),
        ("@acme.example", None),
        ("ann@", None),
        ("ann@localhost", None),
        ("ann lee@acme.example", None),
        ("ann\u202e@acme.example", None),
        ("ann\n@acme.example", None),
        ("ann@acme..example", None),
        ("ann@-acme.example", None),
        ("a" * 250 + "@acme.example", None),
        ("\ud800@acme.example", None),
    ],
)
def test_an_address_in_its_one_form(text: str, expected: str | None) -> None:
    if expected is not None:
        assert canonical_address(text) == expected
        return
    with pytest.raises(ValueError, match="must"):
        canonical_address(text)


@given(text=st.emails())
def test_the_one_form_stays_as_it_is_in_any_case(text: str) -> None:
    try:
        once = canonical_address(text)
    except ValueError:
        return
    assert canonical_address(once) == once
    assert canonical_address(f" {text.upper()}") == once


@given(text=st.text(max_size=40))
def test_whatever_is_given_is_an_address_or_refused(text: str) -> None:
    try:
        found = canonical_address(text)
    except ValueError:
        return
    local, _, domain = found.rpartition("@")
    assert local
    assert domain.isascii()
