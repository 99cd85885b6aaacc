"""The pseudonym of an erased person: a keyed hash, the same in every service, from which nobody can derive the ids; and
the redaction of the person's names in texts about others."""

import hmac
import json
import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

REDACTED = "[erased]"

Subject = Callable[[str, str], str]
"""(account_id, stakeholder_id) -> the person's pseudonym in the journals of erasure."""


def subject_by(secret: str) -> Subject:
    """The hash keyed by a secret of the deployment: HMAC-SHA256 of the length-prefixed ids, in hex with `erased-`
    before it, so that it can replace a stakeholder_id."""
    key = secret.encode()

    def subject(account_id: str, stakeholder_id: str) -> str:
        message = f"{len(account_id)}:{account_id}{stakeholder_id}".encode()
        return "erased-" + hmac.new(key, message, sha256).hexdigest()

    return subject


def subjects_by(secrets: Iterable[str]) -> tuple[Subject, ...]:
    """The hash under each of the deployment's secrets: new ones are made by the first, and looked up by all."""
    return tuple(map(subject_by, secrets))


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
