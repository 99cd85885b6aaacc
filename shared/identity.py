"""Who is who: an address that stands for a person is the same in any case. Domains build on this module, so it imports
the standard library alone."""

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def canonical_stakeholder_id(value: str) -> str:
    """The id of a person in its one form: NFC, and in lower case where it is an address (one `@`, no blank, a dot in
    the domain). Any other id keeps its case."""
    value = unicodedata.normalize("NFC", value)
    if _ADDRESS.fullmatch(value):
        return unicodedata.normalize("NFC", value.lower())
    return value
