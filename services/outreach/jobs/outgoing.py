"""Makes the calls of the other services that are queued: several asks at once, those of one ask in order. No
transaction is open during a call; one that was made and not written down is made again under the same key, which
changes nothing there."""

import asyncio
from datetime import timedelta
from typing import Final

from services.outreach.gateways.services import NoKey, OtherServices
from services.outreach.store import sending
from services.outreach.store.sending import ClaimedCall
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Forbidden, TellbackError, TooMany, Unauthorized, Unavailable
from shared.isolation import of_the_items, pause_after
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
AT_ONCE: Final = 8
SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
OBSERVE_SECONDS: Final = 15.0
NOT_THE_CALL: Final = (Unavailable, TooMany, Unauthorized, Forbidden)
"""Errors that say nothing against the call: it is made again. A key that does not do is mended by an operator."""


class OutgoingSender:
    """The sender of one process; others may work beside it."""

    def __init__(self, database: Database, clock: Clock, services: OtherServices) -> None:
        self._database = database
        self._clock = clock
        self._services = services
        self._stuck = 0
        self._refusal: str | None = None
        self.sending = Periodic("outgoing", SECONDS, self.round)
        self.observing = Periodic("outgoing-depth", OBSERVE_SECONDS, self._observe)

    def wake(self) -> None:
        """Something may be due."""
        self.sending.wake()

    @property
    def remarks(self) -> list[str]:
        """What somebody has to look at."""
        found: list[str] = []
        if self._stuck:
            found.append(f"{self._stuck} calls are stuck: GET /v1/outgoing?state=stuck says why")
        if self._refusal is not None:
            found.append(f"answers wait to be told: {self._refusal}")
        return found

    async def round(self) -> bool:
        """Make the calls that are due; returns whether there may be more now."""
        if not self._services.ready:
            self._refusal = NoKey().code
            return False
        now = self._clock.now()
        calls = await self._database.retrying(lambda tx: sending.claim(tx, now, AT_ONCE))
        results = await asyncio.gather(*(self._make(call) for call in calls), return_exceptions=True)
        for call, result in zip(calls, results, strict=True):
            if isinstance(result, Exception):
                if not of_the_items(result):
                    raise result
                log.error("outgoing_call_broke", entry=call.entry, exc_info=result)  # made again after its lease
        return True in results

    async def _make(self, call: ClaimedCall) -> bool:
        """Make one call and write down what became of it; returns whether the service took or refused it."""
        try:
            await self._services.call(call.service, call.method, call.path, call.body, call.key)
        except NOT_THE_CALL as error:
            self._refusal = error.code
            due_at = self._clock.now() + timedelta(seconds=_pause(call, error))
            await self._database.retrying(lambda tx: sending.again(tx, call.entry, due_at))
            return False
        except TellbackError as error:
            reason = _reason(error)
            log.error("outgoing_call_stuck", entry=call.entry, service=call.service, reason=reason)
            await self._database.retrying(lambda tx: sending.stuck(tx, call.entry, reason))
            self._stuck += 1
            return True
        self._refusal = None
        now = self._clock.now()
        await self._database.retrying(lambda tx: sending.taken(tx, call.entry, now))
        return True

    async def _observe(self) -> bool:
        """Count what waits and what is stuck, and delete what was taken long ago."""
        now = self._clock.now()
        async with self._database.read() as tx:
            depth = await sending.depth(tx)
        for state, count in depth.items():
            metrics.outgoing_calls.labels(state).set(count)
        self._stuck = depth["stuck"]
        if not depth["waiting"]:
            self._refusal = None
        purged = await self._database.retrying(lambda tx: sending.purge(tx, now))
        return purged == sending.PURGED_AT_ONCE


def _pause(call: ClaimedCall, error: TellbackError) -> float:
    """Seconds until the next attempt: longer each time, and as long as the service wants."""
    pause = pause_after(call.attempts, LONGEST_PAUSE_SECONDS)
    if error.retry_after is None:
        return pause
    return max(pause, float(min(error.retry_after, LONGEST_PAUSE_SECONDS)))


def _reason(error: TellbackError) -> str:
    """The code of the refusal, with the fields at fault."""
    fields = []
    for item in error.errors or ():
        fields.append(f"{item['field']}: {item['code']}")
    return ", ".join([error.code, *fields])[:500]
