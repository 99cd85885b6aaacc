"""The name of an erased person: a keyed hash, the same in every service, from which nobody gets the ids
back."""

import hmac
from collections.abc import Callable
from hashlib import sha256

Subject = Callable[[str, str], str]
"""(account_id, stakeholder_id) -> the person's name in the journals of erasure."""


def subject_by(secret: str) -> Subject:
    """The hash keyed by the deployment's secret: HMAC-SHA256 of the length-prefixed ids, in hex with
    `erased-` before it, so that it can stand where a stakeholder_id stood."""
    key = secret.encode()

    def subject(account_id: str, stakeholder_id: str) -> str:
        message = f"{len(account_id)}:{account_id}{stakeholder_id}".encode()
        return "erased-" + hmac.new(key, message, sha256).hexdigest()

    return subject
