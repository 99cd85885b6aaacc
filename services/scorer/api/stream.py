"""Changes of scores and categories as they happen, as server-sent events."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Annotated, Any

from fastapi import Depends, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.requests import Request

from services.scorer.api.resources import Resources, Scorer
from services.scorer.api.stream_events import as_text, person_of, position_id, position_of, streamed
from services.scorer.store.reading.account import accounts_of_owner, require_account
from shared.access.caller import Caller
from shared.errors import TellbackError, Unauthorized, Unavailable
from shared.events.envelope import Event
from shared.http.auth import Reader, authenticate
from shared.http.health import health_of
from shared.http.params import PathId
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router
from shared.kafka.tail import Listener, Positions, Seen
from shared.telemetry.logging import get_logger

router = Router(tags=["stream"], dependencies=[Depends(no_repeats)])
log = get_logger(__name__)
TURN_SECONDS = 1.0
RETRY_MS = 2_000
AT_ONCE = 100
"""Events that are text at one time: what has come is shared by all streams, its text is each stream's own."""
EXAMPLE = (
    "id: 12.0.7_3.4.1\nevent: account_score.changed\n"
    'data: {"account_id":"acme","sequence":41,"class":"steady","scores":{"90d":{"latest":{"nps":40.0}}}}\n\n'
)
_SCHEMA = {"type": "string", "example": EXAMPLE}


class StreamQuery(Parameters):
    """Which accounts."""

    account_id: PathId | None = Field(default=None, description="Only this account.")


@router.get(
    "/v1/stream",
    response_class=StreamingResponse,
    responses={200: {"description": "Events without end.", "content": {"text/event-stream": {"schema": _SCHEMA}}}},
)
async def stream(
    request: Request,
    caller: Reader,
    resources: Resources,
    asked: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event received: the stream goes on behind it, anywhere.")
    ] = None,
) -> StreamingResponse:
    """Changes as they happen, as server-sent events: `account_score.changed` with the scores of all standard windows,
    `account_score.dropped`, `account_class.changed`, `stakeholder.category_changed` as /v1/changes shows it, and
    `stakeholder.answer_corrected` where a correction changed a category.

    Ids are positions that every replica understands. Events come at least once; those of one account in order, by
    `sequence`. Some positions are too old to go on from: then the first event is `reset`, and what is shown should be
    loaded anew. A comment comes as a sign of life, with the position so far. A client that cannot keep up is cut off
    and goes on from its position.
    """
    if asked.account_id is not None:
        async with resources.database.read() as tx:
            await require_account(tx, asked.account_id, caller.owner_email)
    resources.tail.require_room()
    now = await resources.tail.positions()
    since = None
    if last_event_id is not None:
        since = position_of(last_event_id, now)
    channel = Channel(resources, request, caller, asked.account_id)
    return StreamingResponse(channel.text(since), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@dataclass(slots=True)
class Channel:
    """One stream to one client."""

    resources: Scorer
    request: Request
    caller: Caller
    account_id: str | None

    async def text(self, since: Positions | None) -> AsyncIterator[str]:
        """What is sent, until the client goes, the key ends, or the process stops."""
        try:
            async with self.resources.tail.listening() as listener:
                position = dict(since or listener.start)
                yield f"retry: {RETRY_MS}\nid: {position_id(position)}\n\n"
                if since is not None:
                    async for piece in self._missed(since, listener.start, position):
                        yield piece
                    position.update(listener.start)
                async for piece in self._live(listener, position):
                    yield piece
        except TellbackError as error:
            # The client comes back with its position, and is answered with the reason if that still holds.
            log.info("stream_ended", code=error.code)

    async def _missed(self, since: Positions, until: Positions, position: Positions) -> AsyncIterator[str]:
        async for seen in self.resources.tail.between(since, until):
            if seen is None:
                yield as_text("reset", {"reason": "position_expired"}, position_id(position))
                continue
            for piece in await self._pieces([seen], position):
                yield piece

    async def _live(self, listener: Listener, position: Positions) -> AsyncIterator[str]:
        beat = self.resources.settings.stream_heartbeat_seconds
        due = time.monotonic() + beat
        while not (listener.lost or health_of(self.request.app).stopping):
            taken = await listener.take(min(TURN_SECONDS, beat))
            for first in range(0, len(taken), AT_ONCE):
                for piece in await self._pieces(taken[first : first + AT_ONCE], position):
                    yield piece
            if time.monotonic() >= due:
                await self._look_at_key()
                yield f": still here\nid: {position_id(position)}\n\n"
                due = time.monotonic() + beat

    async def _look_at_key(self) -> None:
        """A key may be revoked, or given to another owner's accounts, while the stream goes on."""
        try:
            caller = await authenticate(self.request.app.state.plumbing.keys, self.request.scope["headers"])
        except Unavailable:
            return
        caller.require("read")
        if caller.owner_email != self.caller.owner_email:
            raise Unauthorized("key_changed", "the key sees other accounts now")

    async def _pieces(self, seen: Sequence[Seen], position: Positions) -> list[str]:
        """The text of those that this client may see, each with the position behind it."""
        events: dict[int, Event] = {}
        shown: dict[int, tuple[str, dict[str, Any]]] = {}
        for index, record in enumerate(seen):
            event = record.event
            if event is None or self.account_id not in (None, event.account_id):
                continue
            found = streamed(event)
            if found is not None:
                events[index], shown[index] = event, found
        visible = await self._visible(events)
        pieces = []
        for index, record in enumerate(seen):
            position[record.place] = record.offset + 1
            if index in visible:
                name, data = shown[index]
                pieces.append(as_text(name, data, position_id(position)))
        return pieces

    async def _visible(self, events: Mapping[int, Event]) -> set[int]:
        """The numbers of the events that this client may see: not of other owners' accounts, nor, but for the
        correction that takes their answers back, of people who were erased since."""
        owner = self.caller.owner_email
        people, accounts = {}, set()
        for index, event in events.items():
            accounts.add(event.account_id)
            person = person_of(event)
            if person is not None:
                people[index] = person
        if not events or (owner is None and not people):
            return set(events)
        async with self.resources.database.read() as tx:
            overtaken = await self.resources.journal.overtaken(tx, list(people.values()))
            if owner is not None:
                accounts = await accounts_of_owner(tx, accounts, owner)
        erased = set(compress(people, overtaken))
        return {index for index, event in events.items() if event.account_id in accounts} - erased
