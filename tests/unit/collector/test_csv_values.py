"""Values of cells, and cells that are refused rather than guessed."""

from decimal import Decimal

import pytest

from services.collector.domain.csv_values import CellError, amount, flag, whole_number, words


@pytest.mark.parametrize(("cell", "number"), [("9", 9), ("10.0", 10), (" 7 ", 7), ("0", 0), ("0.00", 0), ("-1", -1)])
def test_a_whole_number_may_be_written_with_a_zero_behind_the_point(cell: str, number: int) -> None:
    assert whole_number(cell) == number


@pytest.mark.parametrize("cell", ["9,0", "9/10", "N/A", "９", "9.5", "1e1", "+9", "1_0", "", "nine", "9" * 40])
def test_any_other_number_is_refused(cell: str) -> None:
    with pytest.raises(CellError) as refused:
        whole_number(cell)
    assert refused.value.code == "not_a_whole_number"
    assert cell not in refused.value.hint or cell in ("", "9")


@pytest.mark.parametrize(
    ("cell", "expected"), [("Yes", True), ("y", True), ("1", True), ("no", False), ("FALSE", False)]
)
def test_yes_and_no_in_the_usual_spellings(cell: str, expected: bool) -> None:
    assert flag(cell) is expected


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(CellError):
        flag("maybe")


def test_amounts_have_no_separators() -> None:
    assert amount("120000.50") == Decimal("120000.50")
    for cell in ("120,000", "1e5", "12.34567", "EUR 5"):
        with pytest.raises(CellError):
            amount(cell)


def test_several_values_in_a_cell() -> None:
    assert words("cleaning; security|catering, ") == ["cleaning", "security", "catering"]
