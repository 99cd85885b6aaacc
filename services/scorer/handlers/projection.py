"""The projector: takes dirty accounts, computes them anew, writes down and publishes what is different."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scorer.domain.projection import AccountState, Moved, Policy, Projection, project
from services.scorer.domain.silence import Asked
from services.scorer.handlers.responses import refold
from services.scorer.handlers.score_event_builder import ScoreEventBuilder
from services.scorer.store import changes, dirty_accounts, months, moves, projection, responses
from services.scorer.store.counts import KEPT_NOW, save_counts
from services.scorer.store.dirty_accounts import FIRST_REVISION, DirtyAccount
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.isolation import of_the_items
from shared.telemetry.logging import get_logger
from shared.topics import ACCOUNT_SCORES, SCORE_EVENTS

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProjectedAccount:
    """One account: what it was, what came out, and the events about people and about the account itself."""

    state: AccountState
    found: Projection
    about: list[Event]
    score: Event | None
    sequence: int


class Projector:
    """Projects accounts, in transactions of its own."""

    def __init__(self, database: Database, clock: Clock, policy: Policy) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._turn = asyncio.Lock()

    async def project_due(self, limit: int, *, gently: bool = False) -> int:
        """Project the accounts that have waited longest and that nobody else projects; returns how many. `gently`
        leaves half of the time to whoever else is at work in this process. Where that fails because of one of them all
        are set apart, and `project_apart` finds out which. Raises `Unavailable`."""
        claimed: list[str] = []

        async def work(tx: WriteTx) -> int:
            claimed[:] = await dirty_accounts.claim(tx, self._clock.now(), limit)
            if not claimed:
                return 0
            return await self._project_claimed(tx, claimed, gently=gently)

        try:
            return await self._database.retrying(work)
        except Exception as error:
            if not claimed or not of_the_items(error):
                raise
            log.warning("projection_failed", accounts=len(claimed), exc_info=error)
        await self._database.retrying(lambda tx: dirty_accounts.set_apart(tx, claimed, self._clock.now()))
        return len(claimed)

    async def project_apart(self) -> bool:
        """Project one account that was set apart and is due, if there is one; returns whether. One that fails by
        itself is due again later. Raises `Unavailable`."""
        claimed: list[str] = []

        async def work(tx: WriteTx) -> bool:
            account_id = await dirty_accounts.claim_failed(tx, self._clock.now())
            if account_id is None:
                return False
            claimed[:] = [account_id]
            await self._project_claimed(tx, claimed, gently=False)
            await dirty_accounts.rejoin(tx, account_id)
            return True

        try:
            return await self._database.retrying(work)
        except Exception as error:
            if not claimed or not of_the_items(error):
                raise
            log.error("account_not_projected", account_id=claimed[0], exc_info=error)
        await self._database.retrying(lambda tx: dirty_accounts.note_failure(tx, claimed[0], self._clock.now()))
        return True

    async def rebuild(self, account_ids: Sequence[str]) -> int:
        """Work out accounts anew from what was recorded, live values included. Only a score that comes out
        differently is published; returns how many did. What was dirty before is published as ever before that. Raises
        `Unavailable`."""
        return await self._database.retrying(lambda tx: self._rebuild(tx, account_ids))

    async def _project_claimed(self, tx: WriteTx, account_ids: Sequence[str], *, gently: bool) -> int:
        # Nothing is locked for those who write answers while this reads and computes: what they commit later raises
        # the revision, and a later projection reads it.
        async with self._database.read() as snapshot:
            dirty = await dirty_accounts.read(snapshot, account_ids)
            states, sequences = await projection.read_accounts(snapshot, account_ids)
        now = self._clock.now()
        done = await self._compute(states, sequences, now, dirty, gently=gently)
        done = await _without_busy_silences(tx, done)
        await _write(tx, done, dirty, now)
        return len(done)

    async def _rebuild(self, tx: WriteTx, account_ids: Sequence[str]) -> int:
        await dirty_accounts.hold(tx, account_ids)
        changed = await changes.touched(tx, account_ids)
        await responses.lock(tx, changed)  # before the dirty rows, as whoever writes answers does
        # The rows of all accounts, also of those that were not dirty: whoever writes can come between no two of them.
        all_accounts = dict.fromkeys(account_ids, False)
        await dirty_accounts.mark(tx, all_accounts, self._clock.now())
        locked = await dirty_accounts.lock(tx, account_ids)
        await self._project_locked(tx, [account for account in locked if account.revision > FIRST_REVISION])
        await refold(tx, changed)
        await dirty_accounts.mark(tx, all_accounts, self._clock.now())
        done = await self._project_locked(tx, await dirty_accounts.lock(tx, account_ids), silently=True)
        return sum(account.score is not None for account in done)

    async def _project_locked(
        self, tx: WriteTx, dirty: Sequence[DirtyAccount], *, silently: bool = False
    ) -> list[ProjectedAccount]:
        """Project accounts whose rows are locked, within one transaction."""
        states, sequences = await projection.read_accounts(tx, [account.account_id for account in dirty])
        now = self._clock.now()
        done = await self._compute(states, sequences, now, dirty, silently=silently)
        await _write(tx, done, dirty, now)
        return done

    async def _compute(
        self,
        states: Sequence[AccountState],
        sequences: Mapping[str, int],
        now: datetime,
        dirty: Sequence[DirtyAccount],
        *,
        silently: bool = False,
        gently: bool = False,
    ) -> list[ProjectedAccount]:
        account_events = {account.account_id for account in dirty if account.account_events}
        done = []
        for state in states:
            sequence = sequences.get(state.account_id, 0)
            aloud = state.account_id in account_events or _is_due(state, now)
            # Readers of the same process wait for one account, not for all of them.
            async with self._turn:
                began = time.perf_counter()
                done.append(self._project(state, sequence, now, account_events=aloud, silently=silently))
                pause = 0.0
                if gently:
                    pause = time.perf_counter() - began
                await asyncio.sleep(pause)
        return done

    def _project(
        self, state: AccountState, sequence: int, now: datetime, *, account_events: bool, silently: bool
    ) -> ProjectedAccount:
        found = project(state, now, self._policy)
        builder = ScoreEventBuilder(state.account_id, sequence, now)
        about: list[Event] = []
        score = None
        if not silently:
            about += builder.people(found, state.types)
        if found.changed:
            score = builder.score(found.snapshot, quiet=not account_events)
        if not silently:
            about += builder.recovery(found, quiet=not account_events)
        if not silently and account_events:
            about += builder.account(found)
        return ProjectedAccount(state, found, about, score, builder.sequence)


def _is_due(state: AccountState, now: datetime) -> bool:
    """Whether time alone has changed the account: an answer entered or left a window, or a silence is due."""
    if state.last_snapshot is None or state.last_snapshot.recompute_at is None:
        return False
    return state.last_snapshot.recompute_at <= now


async def _without_busy_silences(tx: WriteTx, done: Sequence[ProjectedAccount]) -> list[ProjectedAccount]:
    """All but accounts with a silence to be noted in an invitation that somebody is just writing to: whoever writes may
    wait for a projector, so no projector waits for him. These accounts stay due."""
    asked = []
    for account in done:
        asked += [(account.state.account_id, silent) for silent in account.found.silent]
    if not asked:
        return list(done)
    busy = await projection.busy(tx, asked)
    return [account for account in done if account.state.account_id not in busy]


async def _write(tx: WriteTx, done: Sequence[ProjectedAccount], dirty: Sequence[DirtyAccount], now: datetime) -> None:
    if not done:
        return
    written: list[str] = []
    about: list[Event] = []
    scores: list[Event] = []
    for account in done:
        written.append(account.state.account_id)
        about += account.about
        if account.score is not None:
            scores.append(account.score)
    await _save(tx, done, now)
    await months.forget(tx, written)
    # Late, since accounts share their lock with many others, and it is held for as long as events are written: what
    # keeps two projectors of one account apart is that one of them has claimed it.
    await tx.lock_accounts(written)
    await tx.emit(SCORE_EVENTS, *about)
    await tx.emit(ACCOUNT_SCORES, *scores)
    done_ids = set(written)
    await dirty_accounts.delete(tx, [account for account in dirty if account.account_id in done_ids], now)


async def _save(tx: WriteTx, done: Sequence[ProjectedAccount], now: datetime) -> None:
    snapshots, kept, pairs, silences = [], [], [], []
    moved: list[Moved] = []
    invited: list[tuple[str, Asked]] = []
    for account in done:
        account_id, found = account.state.account_id, account.found
        moved += account.state.moved
        invited += [(account_id, asked) for asked in account.state.asked if asked.moved]
        snapshots.append((account_id, account.sequence, found.snapshot, found.recompute_at))
        for window, counts in found.snapshot.counts.items():
            kept.append((account_id, window, KEPT_NOW, counts))
        for series, pair in found.pairs.items():
            pairs.append((account_id, series, pair))
        for asked in found.silent:
            silences.append((account_id, asked))
    await moves.move_answers(tx, moved)
    await moves.move_invitations(tx, invited)
    await projection.save_snapshots(tx, snapshots, now)
    await save_counts(tx, kept)
    await projection.save_pairs(tx, pairs)
    await projection.save_silences(tx, silences, now)
