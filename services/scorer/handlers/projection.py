"""The projector: takes marked accounts, computes them anew, writes down and tells what is different."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scorer.domain.projection import AccountState, Policy, Projection, project
from services.scorer.handlers.responses import refold
from services.scorer.handlers.telling import Telling
from services.scorer.store import changes, marks, months, projection
from services.scorer.store.counts import KEPT_NOW, save_counts
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.isolation import of_the_items
from shared.telemetry.logging import get_logger
from shared.topics import ACCOUNT_SCORES, SCORE_EVENTS

log = get_logger(__name__)
TRIES = 3
"""So often accounts are looked for whose marks nobody is just setting."""


@dataclass(frozen=True, slots=True)
class Work:
    """One account: what it was, what came out, and what is told about people and about the account itself."""

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

    async def project_marked(self, limit: int, *, gently: bool = False) -> int:
        """Project the oldest marked accounts that nobody else projects; returns how many. `gently` leaves half of the
        time to whoever else is at work in this process. Where that fails because of one of them all are set apart, and
        `project_apart` finds out which. Raises `Unavailable`."""
        taken: list[str] = []
        try:
            return await self._database.retrying(lambda tx: self._project_marked(tx, limit, taken, gently=gently))
        except Exception as error:
            if not taken or not of_the_items(error):
                raise
            log.warning("projection_failed", accounts=len(taken), exc_info=error)
        await self._database.retrying(lambda tx: marks.set_apart(tx, taken, self._clock.now()))
        return len(taken)

    async def project_apart(self) -> bool:
        """Project one account that was set apart and is due, if there is one; returns whether. One that fails by
        itself is due again later. Raises `Unavailable`."""
        taken: list[str] = []
        try:
            return await self._database.retrying(lambda tx: self._project_apart(tx, taken))
        except Exception as error:
            if not taken or not of_the_items(error):
                raise
            log.error("account_not_projected", account_id=taken[0], exc_info=error)
        await self._database.retrying(lambda tx: marks.note_failure(tx, taken[0], self._clock.now()))
        return True

    async def rebuild(self, account_ids: Sequence[str]) -> int:
        """Work out accounts anew from what was recorded, live values included. Only a score that comes out
        differently is told; returns how many did. What is marked is told as ever before that. Raises `Unavailable`."""
        return await self._database.retrying(lambda tx: self._rebuild(tx, account_ids))

    async def _project_marked(self, tx: WriteTx, limit: int, taken: list[str], *, gently: bool) -> int:
        taken[:] = await self._take(tx, limit)
        return await self._project_taken(tx, taken, gently=gently) if taken else 0

    async def _project_apart(self, tx: WriteTx, taken: list[str]) -> bool:
        account_id = await marks.hold_apart(tx, self._clock.now())
        if account_id is None:
            return False
        async with self._database.write() as beside:
            taken[:] = await marks.take(beside, [account_id])
        if taken:
            await self._project_taken(tx, taken, gently=False)
            await marks.join(tx, account_id)
        return bool(taken)

    async def _project_taken(self, tx: WriteTx, taken: Sequence[str], *, gently: bool) -> int:
        # Nothing is locked for those who write answers while this reads and computes. What they commit after the marks
        # were taken may be in what is read, together with its mark; in a later projection it is for certain.
        async with self._database.read() as look:
            loud = {mark.account_id: mark.loud for mark in await marks.read(look, taken)}
            states, sequences = await projection.read_accounts(look, taken)
        now = self._clock.now()
        done = await self._work(states, sequences, now, loud, gently=gently)
        done = await _without_busy_silences(tx, done)
        await _write(tx, done, now)
        return len(done)

    async def _take(self, tx: WriteTx, limit: int) -> list[str]:
        """Hold accounts and take their marks; where some are just being set, more of those after them."""
        held: list[str] = []
        taken: list[str] = []
        for _ in range(TRIES):
            more = await marks.hold_oldest(tx, limit - len(taken), held)
            if not more:
                break
            async with self._database.write() as beside:
                free = await marks.take(beside, more)
            held += more
            taken += free
            if len(free) == len(more):
                break
        return taken

    async def _rebuild(self, tx: WriteTx, account_ids: Sequence[str]) -> int:
        await marks.hold(tx, account_ids)
        marked = await marks.take_waiting(tx, account_ids)
        await self._project_locked(tx, {mark.account_id: mark.loud for mark in marked})
        await refold(tx, await changes.touched(tx, account_ids))
        await marks.mark(tx, dict.fromkeys(account_ids, False), self._clock.now())
        await marks.take_waiting(tx, account_ids)
        done = await self._project_locked(tx, dict.fromkeys(account_ids, False), silently=True)
        return sum(work.score is not None for work in done)

    async def _project_locked(self, tx: WriteTx, loud: Mapping[str, bool], *, silently: bool = False) -> list[Work]:
        """Project accounts whose marks are locked, within one transaction."""
        states, sequences = await projection.read_accounts(tx, list(loud))
        now = self._clock.now()
        done = await self._work(states, sequences, now, loud, silently=silently)
        await _write(tx, done, now)
        return done

    async def _work(
        self,
        states: Sequence[AccountState],
        sequences: Mapping[str, int],
        now: datetime,
        loud: Mapping[str, bool],
        *,
        silently: bool = False,
        gently: bool = False,
    ) -> list[Work]:
        done = []
        for state in states:
            account_id, sequence = state.account_id, sequences.get(state.account_id, 0)
            # Readers of the same process wait for one account, not for all of them.
            async with self._turn:
                began = time.perf_counter()
                done.append(self._one(state, sequence, now, loud=loud[account_id], silently=silently))
                await asyncio.sleep(time.perf_counter() - began if gently else 0)
        return done

    def _one(self, state: AccountState, sequence: int, now: datetime, *, loud: bool, silently: bool) -> Work:
        found = project(state, now, self._policy)
        telling = Telling(state.account_id, sequence, now)
        about = [] if silently else list(telling.people(found, state.types))
        score = telling.score(found.snapshot) if found.changed else None
        if not silently:
            about += telling.recovery(found)
        if not silently and (loud or _is_due(state, now)):
            about += telling.account(found)
        return Work(state, found, about, score, telling.sequence)


def _is_due(state: AccountState, now: datetime) -> bool:
    """Whether time alone has changed the account, which is told aloud; the sweeper may not have come by yet."""
    border = state.told.next_border if state.told else None
    return border is not None and border <= now


async def _without_busy_silences(tx: WriteTx, done: Sequence[Work]) -> list[Work]:
    """The work but for accounts with a silence to be noted in an invitation that somebody is just writing to: whoever
    writes may wait for a projector, so no projector waits for him. Their marks stay."""
    asked = [(work.state.account_id, silent) for work in done for silent in work.found.silent]
    busy = await projection.busy(tx, asked) if asked else set()
    return [work for work in done if work.state.account_id not in busy]


async def _write(tx: WriteTx, done: Sequence[Work], now: datetime) -> None:
    if not done:
        return
    account_ids = [work.state.account_id for work in done]
    await _save(tx, done, now)
    await months.forget(tx, account_ids)
    # Late, since accounts share their lock with many others, and it is held for as long as events are written: what
    # keeps two projectors of one account apart is that one of them holds it.
    await tx.lock_accounts(account_ids)
    await tx.emit(SCORE_EVENTS, *(event for work in done for event in work.about))
    await tx.emit(ACCOUNT_SCORES, *(work.score for work in done if work.score is not None))
    await marks.delete(tx, account_ids)


async def _save(tx: WriteTx, done: Sequence[Work], now: datetime) -> None:
    await projection.save_snapshots(
        tx,
        [(work.state.account_id, work.sequence, work.found.snapshot, work.found.next_border) for work in done],
        now,
    )
    await save_counts(
        tx,
        [
            (work.state.account_id, window, KEPT_NOW, counts)
            for work in done
            for window, counts in work.found.snapshot.counts.items()
        ],
    )
    await projection.save_pairs(
        tx, [(work.state.account_id, series, pair) for work in done for series, pair in work.found.pairs.items()]
    )
    await projection.save_silences(
        tx, [(work.state.account_id, asked) for work in done for asked in work.found.silent], now
    )
