"""Work beside the consumer: the projector, pending changes, months that have ended, the self-check and a gauge."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import cycle

from services.scorer.domain.counts import count_account
from services.scorer.domain.months import KEPT_WINDOWS, months_upto
from services.scorer.domain.projection import Policy, project
from services.scorer.domain.windows import STANDARD_WINDOWS
from services.scorer.handlers.months import keep_months
from services.scorer.handlers.pending import DROPPED_AT_ONCE, Pending, give_up
from services.scorer.handlers.projection import Projector
from services.scorer.handlers.words import forget_words
from services.scorer.store import dirty_accounts, feed, months, projection
from services.scorer.store.counts import KEPT_NOW, read_counts
from services.scorer.store.import_rows import forget_lines
from services.scorer.store.loads import load_announced
from shared.background import Periodic, patiently
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.pieces import in_pieces
from shared.isolation import Held, of_the_items
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import (
    accounts_not_projected,
    aggregate_drift,
    feed_lag_seconds,
    oldest_dirty_account_seconds,
    projection_seconds,
)
from shared.words import WordRetention

log = get_logger(__name__)
IDLE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 1.0
"""While the database is away: everybody waits for the figures once it is back."""
LOAD_SECONDS = 0.75
"""So long after a large batch was seen the next one may follow."""
REST_SECONDS = 5.0
"""While some replica writes one large batch after the other, a projector does a little each 5 s."""
LULL_SECONDS = 0.25
"""So long after a batch answers still count as coming in."""
FEW_ACCOUNTS = 10
"""Most in a transaction while answers come in: what is done for all of them at once holds up readers of the same
process."""
LANES = 2
"""Transactions at once: one computes while PostgreSQL works for the other."""
PENDING_SECONDS = 60.0
WORDS_SECONDS = 3_600.0
LINES_KEPT = timedelta(days=30)
"""How long the lines of an import are kept; its counts stay."""
MONTH_ACCOUNTS = 50
MONTH_SECONDS = 5.0
FEED_SECONDS = 10.0
BUSY_ACCOUNTS = 1_000
"""While so many accounts wait to be projected, the machine has better things to do than months that have ended."""


class ProjectorJob:
    """Projects dirty accounts as soon as it is woken, and looks every second for those of other replicas and those that
    time alone has changed; and, beside that, those that were set apart because of a failure."""

    def __init__(
        self, database: Database, clock: Clock, projector: Projector, accounts: int, wake_relay: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._projector = projector
        self._accounts = accounts
        self._wake_relay = wake_relay
        self._wake = asyncio.Event()
        self._woken_at = self._load_at = -LOAD_SECONDS

    def wake(self) -> None:
        """Say that accounts became dirty."""
        self._woken_at = time.monotonic()
        self._wake.set()

    async def run(self) -> None:
        """One of `LANES`: project until cancelled."""
        while True:
            self._wake.clear()
            done = await patiently("projector", self.project_once, LONGEST_PAUSE_SECONDS)
            if done == 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), IDLE_SECONDS)
            else:
                await self._let_pass()

    def apart(self) -> Periodic:
        """Project what was set apart, one account after the other."""
        return Periodic("projector-apart", IDLE_SECONDS, self._project_apart)

    async def _project_apart(self) -> bool:
        async with self._database.read_once() as tx:
            oldest, failing = await dirty_accounts.waiting(tx)
        accounts_not_projected.set(failing)
        waited = 0.0
        if oldest is not None:
            waited = max(0.0, (self._clock.now() - oldest).total_seconds())
        oldest_dirty_account_seconds.set(waited)
        tried = await self.apart_once()
        if tried:
            self._wake_relay()
        return tried > 0

    async def apart_once(self) -> int:
        """Project one account that was set apart and is due; returns how many were tried. Raises `Unavailable`."""
        return int(await self._projector.project_apart())

    async def _let_pass(self) -> None:
        """Rest while a load is written: an account that becomes dirty many times is projected once, and the consumer
        gets the machine."""
        until = time.monotonic() + REST_SECONDS
        while time.monotonic() < until:
            if not await self._load():
                return
            await asyncio.sleep(LULL_SECONDS)

    async def _load(self) -> bool:
        """Whether a large batch was at hand just now, here or in another replica."""
        if await patiently("projector", self._load_announced, LONGEST_PAUSE_SECONDS):
            self._load_at = time.monotonic()
        return time.monotonic() - self._load_at < LOAD_SECONDS

    async def _load_announced(self) -> int:
        async with self._database.read_once() as tx:
            return await load_announced(tx)

    async def project_once(self) -> int:
        """Project some accounts; returns how many. While answers come in these are few at a time, and half of
        the time is left to others. Raises `Unavailable`."""
        gently = time.monotonic() - self._woken_at < LULL_SECONDS
        limit = self._accounts
        if gently:
            limit = min(FEW_ACCOUNTS, limit)
        began = time.monotonic()
        done = await self._projector.project_due(limit, gently=gently)
        if done:
            projection_seconds.observe(time.monotonic() - began)
            self._wake_relay()
        return done


class PendingJob:
    """Looks, now and then, after changes whose response has not come, and forgets lines of old imports."""

    def __init__(self, database: Database, clock: Clock, pending: Pending, days: int) -> None:
        self._database = database
        self._clock = clock
        self._pending = pending
        self._days = days
        self._held: Held[str] = Held("pending_changes")

    def periodic(self) -> Periodic:
        """The look once a minute."""
        return Periodic("pending-changes", PENDING_SECONDS, self._look, self._held)

    async def _look(self) -> bool:
        return await self.look_once() == DROPPED_AT_ONCE

    async def look_once(self) -> int:
        """Settle what was missed and give up what is too old; returns how many amendments were given up. Raises
        `Unavailable`."""

        await self._held.each(await self._pending.overdue(self._database, self._held.now()), self._settle)
        await in_pieces(self._database, lambda tx: forget_lines(tx, self._clock.now() - LINES_KEPT))
        dropped = await self._database.retrying(lambda tx: give_up(tx, self._clock, self._days))
        if dropped:
            log.warning("pending_changes_dropped", amendments=dropped, days=self._days)
        return dropped

    async def _settle(self, response_ids: Sequence[str]) -> None:
        await self._database.retrying(lambda tx: self._pending.settle(tx, response_ids))


class WordKeeper:
    """Forgets, once an hour, the words of answers that were given long enough ago."""

    def __init__(self, database: Database, clock: Clock, retention: WordRetention) -> None:
        self._database = database
        self._clock = clock
        self._retention = retention

    def periodic(self) -> Periodic:
        """The look once an hour."""
        return Periodic("words", WORDS_SECONDS, self.look_once)

    async def look_once(self) -> None:
        """Forget all that are too old by now, some in a transaction. Raises `Unavailable`."""
        now = self._clock.now()
        before = self._retention.forgotten_before(now)
        if before is not None:
            await in_pieces(self._database, lambda tx: forget_words(tx, before, now))


class MonthKeeper:
    """Counts the months that have ended, where nobody has yet or something in them changed since: what trends are
    summed from. It rests as long as it worked; nobody waits for it, until then trends are counted from answers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._held: Held[str] = Held("months")

    def periodic(self) -> Periodic:
        """The counting every few seconds."""
        return Periodic("months", MONTH_SECONDS, self._keep_and_rest, self._held)

    async def _keep_and_rest(self) -> bool:
        began = time.monotonic()
        kept = await self.keep_once()
        if kept:
            await asyncio.sleep(time.monotonic() - began)
        return kept > 0

    async def keep_once(self) -> int:
        """Count the months of some accounts that lack any; returns of how many. One whose months cannot be counted is
        passed over for a while. Raises `Unavailable`."""
        now = self._clock.now()
        async with self._database.read() as tx:
            if await dirty_accounts.count(tx) > BUSY_ACCOUNTS:
                return 0
            due = await months.due(tx, now, MONTH_ACCOUNTS, self._held.now())

        kept = 0

        async def keep(account_ids: Sequence[str]) -> None:
            nonlocal kept
            kept += await self._database.retrying(lambda tx: keep_months(tx, now, account_ids))

        await self._held.each(due, keep)
        return kept


class SelfCheck:
    """Computes a sample of snapshots anew, all the time, and counts those that differ (`aggregate_drift`): in their
    figures, in the stored pairs of people, in the counts kept as of now, or in those of months, one window after the
    other."""

    def __init__(self, database: Database, policy: Policy, accounts: int, seconds: float) -> None:
        self._database = database
        self._policy = policy
        self._accounts = self._at_once = accounts
        self._seconds = seconds
        self._windows = cycle(KEPT_WINDOWS)

    def periodic(self) -> Periodic:
        """The check every few seconds."""
        return Periodic("self-check", self._seconds, self._check)

    async def _check(self) -> None:
        """While an account cannot be looked at fewer are taken at a time, down to one, so that those of which it is
        none are checked."""
        try:
            await self.check_once()
            self._at_once = min(2 * self._at_once, self._accounts)
        except Exception as error:
            if not of_the_items(error):
                raise
            log.error("self_check_failed", accounts=self._at_once, exc_info=error)
            self._at_once = max(1, self._at_once // 2)

    async def check_once(self) -> int:
        """How many of a random sample differ from what their answers say as of the moment they were computed. Dirty
        accounts are left out, since they are known to be stale. Raises `Unavailable`."""
        window = next(self._windows)
        async with self._database.read() as tx:
            computed = await projection.sample(tx, self._at_once)
            account_ids = list(computed)
            states, _ = await projection.read_accounts(tx, account_ids)
            kept = await read_counts(tx, account_ids, STANDARD_WINDOWS, [KEPT_NOW])
            valid = await months.valid_upto(tx, account_ids)
            ends: set[datetime] = set()
            for upto in set(valid.values()):
                ends.update(months_upto(upto))
            past = await read_counts(tx, account_ids, [window], sorted(ends))
        drifted = []
        for state in states:
            await asyncio.sleep(0)  # readers of the same process wait for one account, not for all of them
            account_id = state.account_id
            found = project(state, computed[account_id], self._policy)
            counted = {(name, KEPT_NOW): counts for name, counts in found.snapshot.counts.items()}
            same = counted == kept[account_id]
            if account_id in valid:
                facts, ends_valid = state.facts(), months_upto(valid[account_id])
                true = {(window.name, month): count_account(facts, window, month) for month in ends_valid}
                same = same and true.items() <= past[account_id].items()
            if found.changed or found.pairs or not same:
                drifted.append(account_id)
        aggregate_drift.set(len(drifted))
        if drifted:
            log.error("aggregate_drift", accounts=len(drifted), checked=len(states))
        return len(drifted)


def feed_lag(database: Database) -> Periodic:
    """Measures how far behind those are kept who copy the responses."""

    async def measure() -> None:
        async with database.read_once() as tx:
            feed_lag_seconds.set(await feed.lag_seconds(tx))

    return Periodic("feed-lag", FEED_SECONDS, measure)
