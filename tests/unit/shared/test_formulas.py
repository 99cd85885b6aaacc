"""A formula in a cell of an export is text, and is the same text when it is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.files.formulas import plain, safe


@pytest.mark.parametrize("text", ["=1+1", "+45", "-x", "@a", "\t=1", "＝1", "'=nice", "''=nice"])
def test_what_a_sheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["nice", "'tis", "", "1=1", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert (safe(text), plain(text)) == (text, text)


@given(st.text("'=+-@x", max_size=6) | st.text(max_size=20))
def test_every_text_comes_back(text: str) -> None:
    assert plain(safe(text)) == text
