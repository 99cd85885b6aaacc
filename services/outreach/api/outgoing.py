"""The queue of calls of other services, for operators: what is stuck, and to try it again."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Query

from services.outreach.store import sending
from services.outreach.store.sending import QueuedCall
from shared.access.caller import Caller
from shared.api.outgoing import OutgoingCallView, OutgoingState
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Manager
from shared.http.deps import TheClock, TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
router = Router(prefix="/v1/outgoing", tags=["operations"])
Entry = Annotated[int, Path(ge=1, le=2**31 - 1, description="Names the call.")]


@router.get("", summary="Calls of other services that wait or are stuck")
async def list_outgoing(
    caller: Manager,
    database: TheDatabase,
    state: Annotated[OutgoingState, Query(description="`stuck`: the service refused it.")] = "stuck",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OutgoingCallView]:
    """The oldest first. What was taken is kept for 7 days."""
    after = 0
    if cursor:
        [after] = read_cursor(cursor, f"outgoing {state}", paging.integer)
    if caller.owner_email is not None:
        return Page(items=[])
    async with database.read() as tx:
        calls = await sending.calls(tx, state, after, limit + 1)
    page = page_of(calls, limit, _position, f"outgoing {state}")
    return Page(items=[_view(call) for call in page.items], next_cursor=page.next_cursor)


@router.post("/{entry}/retry", status_code=202, summary="Make a stuck call again")
async def retry_outgoing(entry: Entry, caller: Manager, database: TheDatabase, clock: TheClock) -> OutgoingCallView:
    """At once. 404 for a call that is not stuck."""
    _refuse_limited(caller)
    async with database.write() as tx:
        retried = await sending.retry(tx, entry, clock.now())
        calls = await sending.calls(tx, "waiting", entry - 1, 1)
    if not retried:
        raise _not_found()
    log.info("outgoing_call_retried", entry=entry, by=caller.key_id)
    return _view(calls[0])


def _refuse_limited(caller: Caller) -> None:
    if caller.owner_email is not None:
        raise _not_found()


def _not_found() -> NotFound:
    return NotFound("not_found", "there is no such stuck call")


def _position(call: QueuedCall) -> tuple[int]:
    return (call.entry,)


def _view(call: QueuedCall) -> OutgoingCallView:
    ask_id = None
    if call.ask_id is not None:
        ask_id = str(call.ask_id)
    return OutgoingCallView.model_validate(asdict(call) | {"ask_id": ask_id})
