"""Text in the cells of a sheet, safe to be opened."""

from typing import Final

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel takes the wide signs for the narrow ones
"""What a sheet takes for the beginning of a formula (OWASP, CSV injection)."""


def safe(text: str) -> str:
    """The text, with an apostrophe before it where a sheet would run it as a formula."""
    if text.startswith(_FORMULAS):
        return f"'{text}"
    return text
