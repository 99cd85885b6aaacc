"""The digest of a posted response, which binds a change to the very response that it is meant for.

A response_id may be known to others, who may post under it as well; the first that was recorded stands. A change from a
browser carries the digest of the response that this browser posted, and counts only if that one was recorded.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.clock import rfc3339
from shared.events.responses import Answer

_BYTES = 16
_ALWAYS = ("account_id", "stakeholder_id")


def posted(response: Mapping[str, Any]) -> str:
    """The digest of a response as it was recorded, field -> value: the first 16 bytes, in hex, of the SHA-256 of the
    canonical JSON of the fields that the client itself sent. Defaults that were filled in do not change it, so a
    repeated post has the same digest."""
    content = {name: response.get(name) for name in (*_ALWAYS, *response["sent"])}
    return sha256(_AS_JSON(_canonical(content)).encode()).digest()[:_BYTES].hex()


def _canonical(content: dict[str, Any]) -> dict[str, Any]:
    """The fields with negative zero as zero, since the tables store no negative zero."""
    attributes = content.get("attributes")
    if not attributes:
        return content
    zeros = {name: 0.0 for name, value in attributes.items() if isinstance(value, float) and value == 0}
    return content | {"attributes": attributes | zeros}


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Answer):
        return value.model_dump()
    raise TypeError(f"no part of a response: {type(value).__name__}")


_AS_JSON = json.JSONEncoder(default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
