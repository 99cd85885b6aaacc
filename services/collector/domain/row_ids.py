"""Ids in files: addresses in lower case, and names that stand for ids without slashes."""

import re
import unicodedata
from dataclasses import dataclass, field

from shared.identity import canonical_stakeholder_id

NAMED_BY_ID = ("account_id", "stakeholder_id", "parent_account_id")
"""Fields in which a name may stand for an id."""
MOST_NAMES = 100_000
_SLASHES = re.compile(r"[/\\]")


class TooManyNames(Exception):
    """A file with more such names than are kept in memory."""


def id_of(field_name: str, text: str) -> str:
    """The id of a cell. `Lund A/S` is `Lund A-S`, since an id has no slash."""
    return _SLASHES.sub("-", _one_form(field_name, text))


def _one_form(field_name: str, text: str) -> str:
    text = text.strip()
    if field_name == "stakeholder_id":
        return canonical_stakeholder_id(text)
    return unicodedata.normalize("NFC", text)


@dataclass(slots=True)
class SlashedNames:
    """The names in a file that are ids only without their slashes: (field, id) -> the name that stands for it."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def see(self, field_name: str, cell: str) -> None:
        """Note the name in a cell. Raises TooManyNames."""
        if "/" in cell or "\\" in cell:
            name = _one_form(field_name, cell)
            self.names.setdefault((_kind(field_name), id_of(field_name, name)), name)
            if len(self.names) > MOST_NAMES:
                raise TooManyNames

    def clash(self, field_name: str, text: str) -> bool:
        """Whether another name of the file stands for the same id."""
        if not self.names:
            return False
        text = _one_form(field_name, text)
        return self.names.get((_kind(field_name), id_of(field_name, text)), text) != text


def _kind(field_name: str) -> str:
    """Accounts share their names, whichever field they are in."""
    return field_name.removeprefix("parent_")
