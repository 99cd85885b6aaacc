"""How an endpoint fares: when its breaker opens and closes, when it is disabled, what an operator hears of it.

Decided from attempts that ended, one after the other; the state is kept in the endpoint's row, so it holds for
all senders and survives each of them. While the breaker is open deliveries wait and spend no attempt; one probe
at a time is let through.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting.courier.domain.retry import RETRY_AFTER_CAP_S
from services.alerting.outbound.domain.outcomes import Failure, Outcome

SLOT_SECONDS = 30
"""Recent attempts are counted in slots of half a minute."""
SUCCESS_STEP = timedelta(seconds=1)
ENOUGH = 10
LEVELS: tuple[int, ...] = (50, 70, 90, 100)
"""Percents of a limit at which an operator hears of it."""
IN_A_ROW = "failures_in_a_row"
FAILING = "failing"
_OUR_OWN = (Failure.INTERRUPTED, Failure.INTERNAL, Failure.LOST, Failure.SEALED, Failure.PROXY)
_ASKING_FOR_REST = (429, 503)

Slot = tuple[int, int, int]
"""Number since 1970, successes, failures."""


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """The breaker opens after `in_a_row` failures in a row, or when at least `share` of at least `least` attempts
    within `window` failed; a probe goes out every `probe_every`. An endpoint is disabled after `disable_after` of
    nothing but failures on at least `least_days` days (UTC); a silence as long as that begins the count anew.
    """

    in_a_row: int = 10
    share: float = 0.7
    least: int = 10
    window: timedelta = timedelta(minutes=5)
    probe_every: timedelta = timedelta(seconds=30)
    disable_after: timedelta = timedelta(days=5)
    least_days: int = 2


@dataclass(frozen=True, slots=True)
class Health:
    """What an endpoint's row keeps. `first_failure_at` is since when it has only failed, on `failure_days` days;
    any 2xx clears it. `recent` counts attempts. The breaker is open when `breaker_opened_at` is set, and
    `breaker_until` is when the next probe may go; until `rest_until` the receiver asked to be left alone.
    """

    consecutive_failures: int = 0
    first_failure_at: datetime | None = None
    failure_days: int = 0
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None
    recent: tuple[Slot, ...] = ()
    breaker_opened_at: datetime | None = None
    breaker_until: datetime | None = None
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LevelReached:
    """A level of a limit that was reached: failures in a row (`since` the first), or time of only failures."""

    kind: str
    level: int
    since: datetime


@dataclass(frozen=True, slots=True)
class HealthUpdate:
    """The health after an attempt, which levels it reached, and whether the endpoint is to be disabled."""

    health: Health
    reached: tuple[LevelReached, ...] = ()
    disable: bool = False


def after_ended(
    health: Health, outcome: Outcome, started_at: datetime, at: datetime, policy: HealthPolicy
) -> HealthUpdate:
    """Judge one attempt that ended at `at`. What we stopped ourselves says nothing about the endpoint."""
    if outcome.failure in _OUR_OWN:
        return HealthUpdate(health)
    if outcome.failure is None:
        return HealthUpdate(_succeeded(health, started_at, at, policy))
    after = _rested(_failed(health, at, policy), outcome, at)
    since = after.first_failure_at or at
    reached = []
    in_a_row, failing = _level_in_a_row(after, policy), _level_of_time(health, after, at, policy)
    if in_a_row is not None:
        reached.append(LevelReached(IN_A_ROW, in_a_row, since))
    if failing is not None:
        reached.append(LevelReached(FAILING, failing, since))
    return HealthUpdate(_opened(after, at, policy), tuple(reached), disable=_worn_out(after, at, policy))


def worth_writing(before: Health, after: Health, policy: HealthPolicy) -> bool:
    """Whether the change is worth a write: of successes alone, one a second is enough once many are counted."""
    if replace(before, recent=(), last_success_at=None) != replace(after, recent=(), last_success_at=None):
        return True
    if before.last_success_at is None or after.last_success_at is None:
        return before != after
    few = sum(counted(before.recent, after.last_success_at, policy.window)) < ENOUGH * policy.least
    return few or after.last_success_at - before.last_success_at >= SUCCESS_STEP


def counted(recent: Iterable[Slot], at: datetime, window: timedelta) -> tuple[int, int]:
    """Successes and failures within the window."""
    successes = failures = 0
    for _, good, bad in _within(recent, at, window):
        successes += good
        failures += bad
    return successes, failures


def _succeeded(health: Health, started_at: datetime, at: datetime, policy: HealthPolicy) -> Health:
    """A 2xx ends every row of failures. It closes the breaker, unless the attempt began before the breaker opened."""
    after = replace(
        health,
        consecutive_failures=0,
        first_failure_at=None,
        failure_days=0,
        last_success_at=at,
        recent=_tallied(health.recent, at, policy.window, success=True),
    )
    if health.breaker_opened_at is not None and started_at >= health.breaker_opened_at:
        return replace(after, breaker_opened_at=None, breaker_until=None, recent=())
    return after


def _failed(health: Health, at: datetime, policy: HealthPolicy) -> Health:
    silent = health.last_failure_at is not None and at - health.last_failure_at >= policy.disable_after
    begins = health.first_failure_at is None or silent
    first_failure_at, failure_days = health.first_failure_at, health.failure_days
    if begins:
        first_failure_at, failure_days = at, 1
    elif health.last_failure_at is None or health.last_failure_at.date() != at.date():
        failure_days += 1
    return replace(
        health,
        consecutive_failures=health.consecutive_failures + 1,
        first_failure_at=first_failure_at,
        failure_days=failure_days,
        last_failure_at=at,
        recent=_tallied(health.recent, at, policy.window, success=False),
    )


def _rested(health: Health, outcome: Outcome, at: datetime) -> Health:
    """A 429 or 503 that says when to come back is meant for all messages, not only for this one."""
    if outcome.status_code not in _ASKING_FOR_REST or not outcome.retry_after:
        return health
    until = at + timedelta(seconds=min(outcome.retry_after, RETRY_AFTER_CAP_S))
    return replace(health, rest_until=max(until, health.rest_until or until))


def _opened(health: Health, at: datetime, policy: HealthPolicy) -> Health:
    if health.breaker_opened_at is not None:
        return health
    good, bad = counted(health.recent, at, policy.window)
    mostly = good + bad >= policy.least and bad >= policy.share * (good + bad)
    if not mostly and health.consecutive_failures < policy.in_a_row:
        return health
    return replace(health, breaker_opened_at=at, breaker_until=at + policy.probe_every)


def _level_in_a_row(after: Health, policy: HealthPolicy) -> int | None:
    """The highest level that exactly this failure reached; None where it reached none."""
    for level in reversed(LEVELS):
        if _least(policy.in_a_row, level) == after.consecutive_failures:
            return level
    return None


def _level_of_time(before: Health, after: Health, at: datetime, policy: HealthPolicy) -> int | None:
    """The highest level of the time of only failures that was reached since the failure before."""
    if _worn_out(after, at, policy):
        return LEVELS[-1]
    if after.first_failure_at is None or before.last_failure_at is None or before.first_failure_at is None:
        return None
    percent_before = (before.last_failure_at - after.first_failure_at) / policy.disable_after * 100
    percent_now = (at - after.first_failure_at) / policy.disable_after * 100
    for level in reversed(LEVELS[:-1]):
        if percent_before < level <= percent_now:
            return level
    return None


def _worn_out(health: Health, at: datetime, policy: HealthPolicy) -> bool:
    return (
        health.first_failure_at is not None
        and at - health.first_failure_at >= policy.disable_after
        and health.failure_days >= policy.least_days
    )


def _least(limit: int, level: int) -> int:
    """The smallest count that is at least `level` percent of the limit."""
    return -(-limit * level // 100)


def _tallied(recent: Iterable[Slot], at: datetime, window: timedelta, *, success: bool) -> tuple[Slot, ...]:
    slots = {slot[0]: slot for slot in _within(recent, at, window)}
    number, good, bad = slots.get(_slot(at), (_slot(at), 0, 0))
    if success:
        good += 1
    else:
        bad += 1
    slots[number] = (number, good, bad)
    return tuple(slots[key] for key in sorted(slots))


def _within(recent: Iterable[Slot], at: datetime, window: timedelta) -> list[Slot]:
    return [slot for slot in recent if slot[0] > _slot(at - window)]


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // SLOT_SECONDS
