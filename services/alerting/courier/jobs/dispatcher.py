"""Sends webhooks: takes due deliveries, makes the attempts, writes down how they ended.

One loop a process turns over the database: a turn is one transaction that records what has ended and takes
what is due; it is over before any request is made. A turn starts at once when something was enqueued or has
ended, so a webhook leaves within milliseconds of the commit that caused it.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.alerting.courier.domain.deliveries import DueAttempt, EndedAttempt, SendingRules
from services.alerting.courier.gateways.sender import Sender
from services.alerting.courier.jobs.claims import Claims
from services.alerting.courier.jobs.lanes import Lanes
from services.alerting.courier.store import queue, upkeep
from services.alerting.courier.store.health import HealthEffects, OperatorNotice
from services.alerting.courier.store.queue import Claimed
from services.alerting.courier.store.record import AttemptPolicies, AttemptResult, RecordedAttempts, record
from services.alerting.outbound.domain.outcomes import Failure, Outcome
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Unavailable
from shared.ids import uuid7
from shared.isolation import of_the_items
from shared.stopping import WEBHOOKS, within
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
REAP_SECONDS = 1.0
SWEEP_SECONDS = 15.0
PURGE_SECONDS = 300.0
AWAY_SECONDS = 0.5
RECORD_SECONDS = 0.05
"""How long an outcome may wait to be written down while there is enough to send."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one transaction brought: work taken, attempts recorded, and when the next one is due."""

    claimed: Claimed
    recorded: RecordedAttempts
    next_due: datetime | None


class Dispatcher:
    """The sending side of one process. `wake` may be called at any time from the event loop."""

    def __init__(self, database: Database, clock: Clock, sender: Sender, rules: SendingRules) -> None:
        self._database = database
        self._clock = clock
        self._sender = sender
        self._rules = rules
        self._name = f"{socket.gethostname()}-{os.getpid()}-{uuid7().hex[-8:]}"
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping = self._away = self._turning = False
        self._lanes = Lanes(rules.in_flight, time.monotonic)
        self._claims = Claims(database, clock, self._name, rules)
        self._running: set[asyncio.Task[None]] = set()
        self._done: list[EndedAttempt] = []
        self._soon: asyncio.TimerHandle | None = None
        self._chores: dict[str, float] = {}
        self._uniform = random.SystemRandom().uniform

    def wake(self) -> None:
        """Something may be due."""
        self._awake.set()

    def drop(self, endpoint_id: str) -> None:
        """An endpoint changed: what was taken for it is given back, and taken anew as things stand then."""
        self._lanes.drop(endpoint_id)
        self._awake.set()

    async def run(self) -> None:
        """Send until stopped; then let attempts end for a while, and write down what became of them. After a failure
        it may be run again, and goes on with what it had taken."""
        try:
            while not self._stopping:
                self._awake.clear()
                await self._rest(await self._turn())
        except asyncio.CancelledError:
            await self._drain()
            raise
        await self._drain()

    async def stop(self) -> None:
        """Take no more, and wait until all that was taken is written down."""
        self._stopping = True
        self._awake.set()
        await within(WEBHOOKS, self._ended.wait())

    async def _turn(self) -> Turn | None:
        """One transaction, then start what it took. None while the database is away, or where an outcome could not be
        written down."""
        done, self._done = self._done, []
        back = self._lanes.unattempted(everything=self._stopping)
        low, self._turning = self._lanes.low, True
        try:
            turn = await self._database.retrying(lambda tx: self._work(tx, done, back))
        except Unavailable as error:
            self._done = done + self._done
            # What was not given back is freed by its lease, like anything of a sender that is gone.
            if not self._away:
                log.warning("webhooks_wait", code=error.code)
            self._away = True
            return None
        except Exception as error:
            self._done = done + self._done
            if not of_the_items(error):
                raise
            if self._done:
                await self._record_apart()
                return None
            turn = await self._take_singly(error)
        finally:
            self._turning = False
        self._away = False
        self._report_all(turn.recorded)
        self._lanes.add(turn.claimed.work, turn.claimed.filled, low)
        self._start()
        return turn

    def _report_all(self, recorded: RecordedAttempts) -> None:
        for result in recorded.results:
            self._report(result)
        for notice in recorded.effects.notices:
            _warn(notice)
        for endpoint_id in recorded.effects.closed:
            self._lanes.drop(endpoint_id)

    async def _record_apart(self) -> None:
        """Write down each outcome by itself. One with which that fails is left: its lease runs out, and the attempt
        counts as lost."""
        while self._done:
            done = self._done.pop(0)
            try:
                self._report_all(await self._database.retrying(partial(record, done=[done], policies=self._policies())))
            except Unavailable:
                self._done.insert(0, done)
                raise
            except Exception as error:
                log.error("webhook_outcome_lost", delivery_id=done.work.delivery_id, exc_info=error)

    async def _take_singly(self, error: Exception) -> Turn:
        """A turn that takes row by row, after one that failed. Raises the error where no row is at fault."""
        work, found = await self._claims.take_singly(self._room, self._lanes.ahead)
        if not found:
            self._lanes.add(work)
            self._start()
            raise error
        return Turn(Claimed(work, more=True), RecordedAttempts([], HealthEffects()), None)

    @property
    def _room(self) -> int:
        return 0 if self._stopping else self._lanes.room

    def _policies(self) -> AttemptPolicies:
        return AttemptPolicies(self._rules.retry, self._rules.health, self._clock.now(), self._uniform)

    def _start(self) -> None:
        for work in self._lanes.start():
            task = asyncio.create_task(self._attempt(work))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _work(self, tx: WriteTx, done: list[EndedAttempt], back: list[DueAttempt]) -> Turn:
        now = self._clock.now()
        recorded = await record(tx, done, self._policies())
        await queue.give_back(tx, back, self._name, now)
        await self._upkeep(tx, now)
        claimed = await self._claims.take(tx, now, self._room, self._lanes.ahead)
        next_due = None if claimed.work else await queue.next_due(tx, now)
        return Turn(claimed, recorded, next_due)

    async def _upkeep(self, tx: WriteTx, now: datetime) -> None:
        """Now and then: what dead senders held, what a race left over, what is past its time."""
        if self._time_for("reap", min(REAP_SECONDS, self._rules.lease / 2)):
            await self._reap(tx, now)
        if self._time_for("sweep", SWEEP_SECONDS):
            await upkeep.resolve_races(tx)
        if self._time_for("purge", PURGE_SECONDS):
            days = (self._rules.body_days, self._rules.held_days, self._rules.log_days)
            if await upkeep.purge(tx, *(now - timedelta(days=number) for number in days)):
                self._chores["purge"] = 0.0  # with the next turn, so that however much there is, it becomes less

    async def _reap(self, tx: WriteTx, now: datetime) -> None:
        if lost := await upkeep.reap(tx, now, self._rules.retry):
            log.warning("webhook_attempts_lost", count=lost)

    def _time_for(self, chore: str, seconds: float) -> bool:
        moment = asyncio.get_running_loop().time()
        if moment < self._chores.get(chore, 0.0):
            return False
        self._chores[chore] = moment + seconds
        return True

    async def _rest(self, turn: Turn | None) -> None:
        """Wait for a wake-up, the next due delivery, or the poll; not at all when there may be more to take and this
        turn, or what ended during it, made place."""
        if turn is None:
            await asyncio.sleep(AWAY_SECONDS)
            return
        if turn.claimed.more or ((turn.claimed.work or self._done) and self._lanes.low):
            return
        seconds = self._rules.poll
        if turn.next_due is not None:
            seconds = min(seconds, max(0.0, (turn.next_due - self._clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()

    async def _attempt(self, work: DueAttempt) -> None:
        started_at, began = self._clock.now(), time.monotonic()
        try:
            outcome = await self._sender.send(work, started_at)
        except asyncio.CancelledError:
            outcome = Outcome(Failure.INTERRUPTED)
        except Exception as error:  # a fault of ours with one delivery must not stop the others
            log.error("webhook_attempt_broke", delivery_id=work.delivery_id, exc_info=error)
            outcome = Outcome(Failure.INTERNAL)
        self._done.append(EndedAttempt(work, started_at, outcome))
        if outcome.status_code == 410:
            self._lanes.drop(work.endpoint_id)
        success = outcome.failure is None
        runs_low = self._lanes.finished(work, time.monotonic() - began, success=success)
        if not success or self._stopping or (runs_low and not self._turning):
            self._awake.set()
        if self._stopping:
            return
        self._start()
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(RECORD_SECONDS, self._record_soon)

    def _record_soon(self) -> None:
        self._soon = None
        self._awake.set()

    async def _drain(self) -> None:
        """Give back what waits, let running attempts end for some seconds, stop the others, record them
        all."""
        self._stopping = True
        await self._turn()
        if self._running:
            await asyncio.wait(self._running, timeout=self._rules.stop_grace)
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # If this fails their leases run out, and another sender takes them up, with the same webhook-id.
        await self._turn()
        if self._soon is not None:
            self._soon.cancel()
        self._ended.set()

    def _report(self, result: AttemptResult) -> None:
        attempt = result.attempt
        outcome = "delivered"
        if attempt.outcome.failure is not None:
            outcome = attempt.outcome.failure.value
        metrics.webhook_deliveries_total.labels(outcome).inc()
        metrics.webhook_attempt_duration_seconds.observe(attempt.outcome.duration_ms / 1000)
        facts = {
            "delivery_id": attempt.work.delivery_id,
            "endpoint_id": attempt.work.endpoint_id,
            "attempt": attempt.work.number,
            "outcome": outcome,
            "status_code": attempt.outcome.status_code,
            "ms": attempt.outcome.duration_ms,
            "status": result.status.value,
        }
        if result.given_up:
            log.error("webhook_given_up", **facts)
        elif attempt.outcome.failure is not None:
            log.warning("webhook_failed", **facts)
        else:
            log.debug("webhook_delivered", **facts)


def _warn(notice: OperatorNotice) -> None:
    facts = {"endpoint_id": notice.endpoint_id, "kind": notice.kind, "percent": notice.level, "since": notice.subject}
    if notice.level == 100:
        log.error("webhook_endpoint_failing", **facts)
    else:
        log.warning("webhook_endpoint_failing", **facts)
