"""Which version of a resource a caller has seen before it changes it: said by `If-Match`, or in the body."""

import re
from typing import Annotated

from fastapi import Depends, Header

from shared.errors import Invalid


def _if_match(
    if_match: Annotated[str | None, Header(max_length=50, description="The version you saw.")] = None,
) -> int | None:
    """The version in If-Match: `"3"`, `W/"3"`, `3`; `*` is any."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?([1-9][0-9]{0,8})"?', if_match.strip())
    if match is None:
        raise Invalid("invalid_version", "If-Match holds the version that you saw")
    return int(match[1])


IfMatch = Annotated[int | None, Depends(_if_match)]


def version_seen(in_body: int | None, if_match: int | None) -> int | None:
    """The version that the caller has seen: that of the body before that of If-Match."""
    if in_body is not None:
        return in_body
    return if_match
