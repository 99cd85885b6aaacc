"""The pseudonym of an erased person: a keyed hash, the same in every service, from which nobody can derive the ids; and
the redaction of the person's names in texts about others."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from shared.key_ring import KEY_ID_LENGTH, hash_key

REDACTED = "[erased]"
_ERASED = "erased-"
KEY_ID_SQL = f"substring({{column}} from {len(_ERASED) + 1} for {KEY_ID_LENGTH})"
"""SQL for the id of the key under which a column holds a person's pseudonym."""

Subject = Callable[[str, str], str]
"""(account_id, stakeholder_id) -> the person's pseudonym in the journals of erasure."""


def subject_by(entry: str) -> Subject:
    """The hash under an entry of the ring: HMAC-SHA256 of the length-prefixed ids, in hex, with `erased-` and the id of
    the key before it, so that it can replace a stakeholder_id."""
    key = hash_key(entry)

    def subject(account_id: str, stakeholder_id: str) -> str:
        message = f"{len(account_id)}:{account_id}{stakeholder_id}".encode()
        return f"{_ERASED}{key.key_id}-{key.digest('erasures', message).hex()}"

    return subject


def key_id_of(subject: str) -> str:
    """The id of the key under which a pseudonym was made."""
    return subject.removeprefix(_ERASED).partition("-")[0]


def subjects_by(ring: Iterable[str]) -> tuple[Subject, ...]:
    """The hash under each entry of the ring: new ones are made by the first, and looked up by all."""
    return tuple(map(subject_by, ring))


class Names:
    """The names of a person: id, address, full name. Found in texts as whole words and in any case."""

    def __init__(self, names: Iterable[str | None], account_id: str) -> None:
        """A name that is also the account's id is left out, since in a text it cannot be told from the account."""
        self.all = sorted({name for name in names if name and name.strip() and name != account_id})
        longest_first = sorted(map(re.escape, self.all), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)

    def patterns(self) -> list[str]:
        """Patterns for `ilike` that find a name as plain text or as JSON writes it; they also match parts of words."""
        written = {text for name in self.all for text in (name, json.dumps(name, ensure_ascii=False)[1:-1])}
        return ["%" + re.sub(r"([\\%_])", r"\\\1", text) + "%" for text in sorted(written)]

    def redacted(self, value: Any) -> Any:
        """A JSON value with `[erased]` for the names in its texts."""
        match value:
            case str():
                return self._pattern.sub(REDACTED, value) if self.all else value
            case list():
                return [self.redacted(item) for item in value]
            case dict():
                return {key: self.redacted(item) for key, item in value.items()}
        return value
