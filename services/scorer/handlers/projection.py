"""The projector: takes marked accounts, computes them anew, writes down and tells what is different."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scorer.domain.projection import AccountState, Policy, Projection, project
from services.scorer.handlers.responses import refold
from services.scorer.handlers.telling import Telling
from services.scorer.store import changes, marks, months, projection
from services.scorer.store.marks import Mark
from services.scorer.store.sums import save_sums
from shared.clock import Clock
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.topics import ACCOUNT_SCORES, SCORE_EVENTS


@dataclass(frozen=True, slots=True)
class Work:
    """One account: what it was, what came out, and what is told about people and about the account itself."""

    state: AccountState
    found: Projection
    about: list[Event]
    score: Event | None
    sequence: int


class Projector:
    """Projects accounts inside the caller's transaction."""

    def __init__(self, clock: Clock, policy: Policy) -> None:
        self._clock = clock
        self._policy = policy

    async def project_marked(self, tx: WriteTx, limit: int) -> int:
        """Project the oldest marked accounts that nobody else holds; returns how many."""
        # The marks are locked before anything is read: what is committed later sets its mark again.
        taken = await marks.take(tx, limit)
        await self._project(tx, taken)
        return len(taken)

    async def rebuild(self, tx: WriteTx, account_ids: Sequence[str]) -> int:
        """Work out accounts anew from what was recorded, live values included. Only a score that comes out
        differently is told; returns how many did. What is marked is told as ever before that."""
        await self._project(tx, await marks.take_marked(tx, account_ids))
        await refold(tx, await changes.touched(tx, account_ids))
        taken = await marks.take_these(tx, account_ids, self._clock.now())
        return await self._project(tx, taken, silently=True)

    async def _project(self, tx: WriteTx, taken: Sequence[Mark], *, silently: bool = False) -> int:
        if not taken:
            return 0
        account_ids = [mark.account_id for mark in taken]
        states, sequences = await projection.read_accounts(tx, account_ids)
        now = self._clock.now()
        loud = {mark.account_id: mark.loud and not silently for mark in taken}
        done = []
        for state in states:
            account_id = state.account_id
            done.append(self._one(state, sequences.get(account_id, 0), now, loud=loud[account_id], silently=silently))
            await asyncio.sleep(0)  # readers of the same process wait for one account, not for all of them
        await _save(tx, done, now)
        await months.forget(tx, account_ids)
        # Late, since accounts share their lock with many others: the marks alone keep two projectors of one account
        # apart, and the lock is held for as long as events are written.
        await tx.lock_accounts(account_ids)
        await tx.emit(SCORE_EVENTS, *(event for work in done for event in work.about))
        scores = [work.score for work in done if work.score is not None]
        await tx.emit(ACCOUNT_SCORES, *scores)
        await marks.delete(tx, account_ids)
        return len(scores)

    def _one(self, state: AccountState, sequence: int, now: datetime, *, loud: bool, silently: bool) -> Work:
        found = project(state, now, self._policy)
        telling = Telling(state.account_id, sequence, now)
        about = [] if silently else list(telling.people(found, state.types))
        score = telling.score(found.snapshot) if found.changed else None
        if loud:
            about += telling.account(found)
        return Work(state, found, about, score, telling.sequence)


async def _save(tx: WriteTx, done: Sequence[Work], now: datetime) -> None:
    await projection.save_snapshots(
        tx,
        [(work.state.account_id, work.sequence, work.found.snapshot, work.found.next_border) for work in done],
        now,
    )
    await save_sums(tx, [(work.state.account_id, work.found.snapshot.counted) for work in done])
    await projection.save_pairs(
        tx, [(work.state.account_id, series, pair) for work in done for series, pair in work.found.pairs.items()]
    )
    await projection.save_silences(
        tx, [(work.state.account_id, asked) for work in done for asked in work.found.silent], now
    )
