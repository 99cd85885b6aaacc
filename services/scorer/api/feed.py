"""The changes of responses for those who keep a copy: where a reader begins or goes on, and what a page says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.scorer.store.reading.feed import (
    FeedQuestion,
    Position,
    changed_after,
    horizon,
    position_before,
    stretch_end,
)
from shared.access.caller import Caller
from shared.api.people import Response
from shared.db.transaction import ReadTx
from shared.errors import Forbidden, Gone, Invalid
from shared.http import paging
from shared.http.paging import Page, encode_cursor, read_cursor
from shared.http.params import Instant
from shared.http.query import refused

BEGIN_ANEW: Final[dict[str, Any]] = {"description": "The position is from before a restore: copy everything anew."}
"""The 410 in the OpenAPI document."""
_GOES_WITH: Final = frozenset(("account_id", "survey_type", "survey_id", "limit", "cursor"))
_PURPOSE = "changes of responses"
_INSTANT = TypeAdapter(Instant)


class DeletedResponse(BaseModel):
    """A response that a copy must not have any more. One that a copy never had is told of as well."""

    model_config = ConfigDict(json_schema_extra={"example": {"response_id": "r1", "deleted": True, "reason": "erased"}})

    response_id: str
    deleted: Literal[True]
    reason: Literal["withdrawn", "erased", "test"]


class ChangedResponses(Page[Response | DeletedResponse]):
    """One page of changes."""

    position: str = Field(description="Goes on behind this page: send it as `updated_since`; opaque.")


@dataclass(frozen=True, slots=True)
class Changes:
    """Changed responses, and the position behind them; `more` says that further ones are there already."""

    rows: Sequence[dict[str, Any]]
    position: str
    more: bool


def require_copyable(caller: Caller, given: Collection[str]) -> None:
    """Raises `Forbidden` for a key that is limited to an owner, whose accounts come and go; `Invalid` for parameters by
    which a response could leave what is chosen, since no copy would be told of it."""
    if caller.owner_email is not None:
        raise Forbidden("copy_needs_all", "a copy is kept with a key that is not limited to the accounts of an owner")
    for name in sorted({*given} - _GOES_WITH - {"updated_since"}):
        detail = f"updated_since goes with {', '.join(sorted(_GOES_WITH))} only"
        raise refused(name, "not_with_updated_since", detail)


async def changes_since(tx: ReadTx, since: str, asked: FeedQuestion, limit: int) -> Changes:
    """Up to `limit` responses that changed since a position or a time. Raises `Gone` for a position of another
    timeline, `Invalid` for a text that is neither."""
    end = await horizon(tx)
    begin = _read(since)
    if isinstance(begin, datetime):
        begin = await position_before(tx, end.timeline, begin)
    elif begin.timeline != end.timeline or begin > end:
        raise Gone("begin_anew", "the position is from before a restore: copy everything anew")
    stretch_ends = None
    if asked.is_of_some:
        stretch_ends = await stretch_end(tx, begin)
    found = await changed_after(tx, begin, stretch_ends or end, asked, limit + 1)
    rows = [row for _, row in found[:limit]]
    if len(found) > limit:
        last, _ = found[limit - 1]
        return Changes(rows, _text(last), more=True)
    # Whatever lies before the end was looked at: the next page need not go through it again.
    return Changes(rows, _text(stretch_ends or end), more=stretch_ends is not None)


def deleted_body(row: dict[str, Any]) -> dict[str, Any]:
    """What is told of a response that counts no more."""
    return {"response_id": row["response_id"], "deleted": True, "reason": row["deleted"]}


def _text(position: Position) -> str:
    return encode_cursor(position, _PURPOSE)


def _read(since: str) -> Position | datetime:
    try:
        return _INSTANT.validate_python(since)
    except ValidationError:
        pass
    try:
        return Position(*read_cursor(since, _PURPOSE, _number, _number, paging.text))
    except Invalid:
        detail = "must be an RFC 3339 time with an offset, or a position that this list gave out"
        raise refused("updated_since", "invalid_updated_since", detail) from None


def _number(value: Any) -> int:
    """A timeline, or the number of a transaction."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError
    return value
