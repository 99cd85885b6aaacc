"""Makes the calls of the other services that are queued: a claim takes many, those of a kind are made as one where
their service takes that, and what became of all is written down at once. No transaction is open during a call; one that
was made and not written down is made again with the same body, which changes nothing there."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.outreach.gateways.services import NoKey, OtherServices, are_one
from services.outreach.store import sending
from services.outreach.store.sending import ClaimedCall, Outcome
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Forbidden, TellbackError, TooMany, Unauthorized, Unavailable
from shared.isolation import of_the_items, pause_after
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
AT_ONCE: Final = 100
SECONDS: Final = 1.0
TOGETHER_SECONDS: Final = 0.1
"""The pause after calls were made: what is queued meanwhile is claimed by the next round together."""
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
        outcomes = await self._make_all(_groups(calls))
        await self._database.retrying(lambda tx: sending.settle(tx, self._clock.now(), outcomes))
        done = any(outcome.state != "waiting" for outcome in outcomes)
        if done and len(calls) < AT_ONCE:
            await asyncio.sleep(TOGETHER_SECONDS)
        return done

    async def _make_all(self, groups: Sequence[Sequence[ClaimedCall]]) -> list[Outcome]:
        made = await asyncio.gather(*map(self._make, groups))
        return [outcome for group in made for outcome in group]

    async def _make(self, calls: Sequence[ClaimedCall]) -> list[Outcome]:
        """Make one call, or several as one; returns what became of each. Of one that broke here nothing is said: it is
        made again after its lease."""
        try:
            errors = await self._errors(calls)
        except NOT_THE_CALL as error:
            errors = [error] * len(calls)
        except Exception as error:
            if not of_the_items(error):
                raise
            if len(calls) > 1:  # which says nothing against each of them
                log.warning("outgoing_calls_refused_together", path=calls[0].path, calls=len(calls))
                return await self._make_all([[call] for call in calls])
            if not isinstance(error, TellbackError):
                log.error("outgoing_call_broke", entry=calls[0].entry, exc_info=error)
                return []
            errors = [error]
        return [self._outcome(call, error) for call, error in zip(calls, errors, strict=True)]

    async def _errors(self, calls: Sequence[ClaimedCall]) -> list[TellbackError | None]:
        """For each call the error that refuses it by itself. Raises what refuses all of them."""
        first = calls[0]
        if len(calls) == 1:
            await self._services.call(first.service, first.method, first.path, first.body, first.key)
            return [None]
        bodies = [call.body for call in calls]
        return await self._services.call_as_one(first.service, first.method, first.path, bodies)

    def _outcome(self, call: ClaimedCall, error: TellbackError | None) -> Outcome:
        if error is None:
            self._refusal = None
            return Outcome(call.entry, "sent")
        if isinstance(error, NOT_THE_CALL):
            self._refusal = error.code
            return Outcome(call.entry, "waiting", self._clock.now() + timedelta(seconds=_pause(call, error)))
        reason = _reason(error)
        log.error("outgoing_call_stuck", entry=call.entry, service=call.service, reason=reason)
        self._stuck += 1
        return Outcome(call.entry, "stuck", stuck_reason=reason)

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


def _groups(calls: Sequence[ClaimedCall]) -> list[list[ClaimedCall]]:
    """Calls that may be made as one together, each other call by itself."""
    groups: dict[object, list[ClaimedCall]] = {}
    for call in calls:
        kind: object = call.entry
        if are_one(call.service, call.method, call.path):
            kind = call.service, call.path
        groups.setdefault(kind, []).append(call)
    return list(groups.values())


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
