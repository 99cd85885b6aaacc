"""A company's colour can be read, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.colours import (
    DARK_GROUNDS,
    ENOUGH,
    LIGHT_GROUNDS,
    Accent,
    contrast,
    is_colour,
    on_dark,
    on_light,
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_every_colour_can_be_read_in_both_schemes(colour: str) -> None:
    light, dark = on_light(colour), on_dark(colour)
    for shown, grounds in ((light, LIGHT_GROUNDS), (dark, DARK_GROUNDS)):
        assert is_colour(shown.accent)
        assert contrast(shown.accent, shown.on_accent) >= ENOUGH
        for ground in grounds:
            assert contrast(shown.accent, ground) >= ENOUGH


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert on_light("#0b5cad") == Accent("#0b5cad", "#ffffff")
    assert on_dark("#8cc2ff") == Accent("#8cc2ff", "#14171b")


@pytest.mark.parametrize("text", ["", "red", "#fff", "#FFFFFF", "#ffffff;", "ffffff", "#gggggg"])
def test_what_is_no_colour(text: str) -> None:
    assert not is_colour(text)
