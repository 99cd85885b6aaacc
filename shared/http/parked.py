"""`/v1/dead-letters` and `/v1/conflicts`: what a service put aside, why, and the way back. Mounted by every service."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from shared.access.caller import Caller
from shared.api.parked import ParkedContent, ParkedRecord, Replayed
from shared.db import parked
from shared.db.engine import Database
from shared.db.parked import Content, Facts, Kind, WhenDropped
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import AnyCaller, Manager, Reader
from shared.http.deps import TheClock, TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router
from shared.telemetry.logging import get_logger

Reason = Annotated[str | None, Query(max_length=64, description="Only those parked for this reason.")]

_OWN = "own-conflict"
log = get_logger(__name__)


class NotTaken(BaseModel):
    """What a key has sent and what was not taken, as that key itself may know it. Why is not said: it would tell a key
    that cannot read what is stored."""

    id: UUID
    reason: Literal["not_taken"] = "not_taken"
    response_id: str | None = Field(description="As it was sent.")
    account_id: str | None = Field(description="As it was sent.")
    event_id: str | None = Field(description="As it was answered.")
    parked_at: datetime


async def list_dead_letters(
    caller: Reader, database: TheDatabase, reason: Reason = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ParkedRecord]:
    """Never shows what is in them. A key limited to an owner sees none: nobody knows whose they are."""
    return await _page(database, caller, "dead_letter", reason, limit, cursor)


async def list_conflicts(
    caller: AnyCaller, database: TheDatabase, reason: Reason = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ParkedRecord] | Page[NotTaken]:
    """The first record stands; these are kept to be looked at, of each sender the newest 1,000 for 30 days. A key that
    cannot read, or only the accounts of one owner, sees what it has sent itself, as `not_taken`."""
    if "read" in caller.scopes and caller.owner_email is None:
        return await _page(database, caller, "conflict", reason, limit, cursor)
    if "ingest" not in caller.scopes:
        caller.require("read")
    return await _page_of_own(database, caller, reason, limit, cursor)


async def show_dead_letter(parked_id: UUID, caller: Manager, database: TheDatabase) -> ParkedContent:
    """Shows what people may have written, so it takes the scope to manage."""
    return await _content(database, caller, "dead_letter", parked_id)


async def show_conflict(parked_id: UUID, caller: Manager, database: TheDatabase) -> ParkedContent:
    """Shows what people may have written, so it takes the scope to manage."""
    return await _content(database, caller, "conflict", parked_id)


async def replay(
    parked_id: UUID, request: Request, caller: Manager, database: TheDatabase, clock: TheClock
) -> Replayed:
    """The record as it was read, not a new one; what became of it is counted in place of the dead letter."""
    _refuse_limited(caller)
    async with database.write() as tx:
        facts = await parked.put_back(tx, parked_id, clock.now())
        if facts is None:
            raise _not_found()
    request.app.state.plumbing.relay.wake()
    log.info("dead_letter_replayed", parked_id=str(parked_id), topic=facts.topic, by=caller.key_id)
    return Replayed(id=parked_id, topic=facts.topic)


def _drop_with(when_dropped: WhenDropped | None) -> Callable[..., Awaitable[None]]:
    async def drop(parked_id: UUID, caller: Manager, database: TheDatabase, clock: TheClock) -> None:
        """Its count stays; its content is gone from here. 409 for an erasure, a withdrawal or an objection: these are
        tried until they work."""
        _refuse_limited(caller)
        async with database.write() as tx:
            dropped = await parked.drop_parked(tx, "dead_letter", parked_id)
            if dropped is None:
                raise _not_found()
            if when_dropped is not None:
                await when_dropped(tx, dropped, clock.now())
        log.info("dead_letter_dropped", parked_id=str(parked_id), by=caller.key_id)

    return drop


def router_for(when_dropped: WhenDropped | None = None) -> Router:
    """The routes, for a service that does this about a record that is dropped."""
    router = Router(tags=["parked records"])
    letters, letter = "/v1/dead-letters", "/v1/dead-letters/{parked_id}"
    router.get(letters, summary="Records that could not be handled, the newest first")(list_dead_letters)
    router.get("/v1/conflicts", summary="Records that contradict what stands, the newest first")(list_conflicts)
    router.get(letter, summary="One dead letter with its content")(show_dead_letter)
    router.get("/v1/conflicts/{parked_id}", summary="One conflict with its content")(show_conflict)
    router.post(f"{letter}/replay", status_code=202, summary="Have a dead letter tried again")(replay)
    dropping = router.delete(
        letter, status_code=204, response_class=Response, summary="Drop a dead letter for good", name="drop"
    )
    dropping(_drop_with(when_dropped))
    return router


async def _page(
    database: Database, caller: Caller, kind: Kind, reason: str | None, limit: int, cursor: str | None
) -> Page[ParkedRecord]:
    after = _position(cursor, kind)
    if caller.owner_email is not None:
        return Page(items=[])
    async with database.read() as tx:
        records = await parked.list_parked(tx, kind, reason=reason, after=after, limit=limit + 1)
    page = page_of(records, limit, lambda facts: (facts.parked_at, str(facts.id)), kind)
    return Page(items=[ParkedRecord(**asdict(facts)) for facts in page.items], next_cursor=page.next_cursor)


async def _page_of_own(
    database: Database, caller: Caller, reason: str | None, limit: int, cursor: str | None
) -> Page[NotTaken]:
    after = _position(cursor, _OWN)
    if reason not in (None, "not_taken"):
        return Page(items=[])  # searching by the stored reason would reveal it
    async with database.read() as tx:
        conflicts = await parked.list_conflicts_of(tx, caller.key_id, after=after, limit=limit + 1)
    page = page_of(conflicts, limit, lambda row: (row[0].parked_at, str(row[0].id)), _OWN)
    return Page(items=[_not_taken(*row) for row in page.items], next_cursor=page.next_cursor)


def _position(cursor: str | None, purpose: str) -> tuple[datetime, UUID] | None:
    """The cursor's position: parked_at and id of the last record of the page before."""
    if not cursor:
        return None
    parked_at, parked_id = read_cursor(cursor, purpose, paging.instant, paging.uuid)
    return parked_at, parked_id


def _not_taken(facts: Facts, content: Content) -> NotTaken:
    event_id = next((raw.decode("latin-1") for name, raw in content.headers if name == "ce_id"), None)
    return NotTaken(
        id=facts.id,
        response_id=_response_in(content.value),
        account_id=facts.account_id,
        event_id=event_id,
        parked_at=facts.parked_at,
    )


def _response_in(value: bytes | None) -> str | None:
    try:
        data = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    response_id = data.get("response_id")
    if not isinstance(response_id, str):
        return None
    return response_id


async def _content(database: Database, caller: Caller, kind: Kind, parked_id: UUID) -> ParkedContent:
    _refuse_limited(caller)
    async with database.read() as tx:
        record = await parked.find_parked(tx, kind, parked_id)
    if record is None:
        raise _not_found()
    facts, content = record
    value, encoding = _printable(content.value)
    return ParkedContent(
        **asdict(facts),
        key=_printable(content.key)[0],
        headers=[(name, raw.decode("utf-8", "replace")) for name, raw in content.headers],
        value=value,
        encoding=encoding,
    )


def _refuse_limited(caller: Caller) -> None:
    if caller.owner_email is not None:
        raise _not_found()


def _not_found() -> NotFound:
    return NotFound("not_found", "there is no such record")


def _printable(value: bytes | None) -> tuple[str | None, Literal["utf-8", "base64"]]:
    if value is None:
        return None, "utf-8"
    try:
        return value.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(value).decode(), "base64"
