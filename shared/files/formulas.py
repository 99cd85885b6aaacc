"""Text in the cells of a sheet, safe to be opened, and as it was when our own export is read again."""

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - Excel takes the wide signs for the narrow ones
"""What a sheet takes for the beginning of a formula (OWASP, CSV injection), and what `safe` makes of it."""


def safe(text: str) -> str:
    """The text, with an apostrophe before it where a sheet would run it as a formula. So it is where such apostrophes
    are there already: `plain` gives every text back."""
    if _FORMULA.match(text):
        return f"'{text}"
    return text


def plain(text: str) -> str:
    """The text of which `safe` made this one."""
    if text.startswith("'") and _FORMULA.match(text):
        return text[1:]
    return text
