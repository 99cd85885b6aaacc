"""Who is who: the canonical form of a stakeholder's id, in which every door takes it and every service compares it.

Only ids of people have it. Ids of accounts and of all else keep their case, since partitions, locks and keys of records
follow from them.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from shared.ids import Identifier, canonical_id

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]*\.[^\s@]*")
"""One `@`, no blank, a dot in the domain."""


def canonical_stakeholder_id(value: str) -> str:
    """The canonical form of a stakeholder's id: an address in NFC and lower case, any other text unchanged.

    It does not look whether the text can be an id at all; `canonical_id` does.
    """
    normal = unicodedata.normalize("NFC", value)
    if not _ADDRESS.fullmatch(normal):
        return value
    return unicodedata.normalize("NFC", normal.lower())


def stakeholder_of(email: str) -> str:
    """The stakeholder_id of a person known by e-mail alone: the address in lower case, without any look-up. Raises
    ValueError for an address that can be no id."""
    return require_stakeholder_id(canonical_id(email).lower())


def require_stakeholder_id(value: str) -> str:
    """A stakeholder's id in canonical form. Raises ValueError for a text that can be no id."""
    return canonical_id(canonical_stakeholder_id(canonical_id(value)))


StakeholderIdentifier = Annotated[Identifier, AfterValidator(require_stakeholder_id)]
"""A pydantic type for a stakeholder's id; for requests only, as `Identifier`."""
