"""The value of a cell: `10.0` is 10. An ambiguous cell is refused with a hint rather than guessed."""

import re
from decimal import Decimal


class CellError(Exception):
    """A cell that is refused: a stable `code` and a hint, which does not repeat the cell."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.hint = hint


_WHOLE = re.compile(r"(-?[0-9]{1,9})(?:\.0{1,9})?")
_AMOUNT = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,4})?")
_TRUE = frozenset({"true", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "no", "n", "0", "0.0"})


def whole_number(cell: str) -> int:
    """A whole number; `10.0` is 10. Raises CellError for `9,0`, `9/10`, words and digits that are not 0-9."""
    match = _WHOLE.fullmatch(cell.strip())
    if match is None:
        raise CellError("not_a_whole_number", "write a whole number in plain digits, such as 9 or 9.0")
    return int(match[1])


def amount(cell: str) -> Decimal:
    """A sum of money without thousands separators, at most four decimals."""
    if _AMOUNT.fullmatch(cell.strip()) is None:
        raise CellError("not_an_amount", "write an amount without separators, such as 120000 or 120000.50")
    return Decimal(cell.strip())


def flag(cell: str) -> bool:
    """A yes or a no, in the usual spellings."""
    word = cell.strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise CellError("not_a_flag", "write yes or no")


def words(cell: str) -> list[str]:
    """Several values in one cell, separated by `;`, `|` or `,`."""
    return [word.strip() for word in re.split(r"[;|,]", cell) if word.strip()]
