"""When a delivery is tried again, and when it is over: pure rules over one attempt's outcome.

The schedule is a list of gaps in seconds: with n gaps there are at most n + 1 attempts. Numbers: the working
group's advice for Standard Webhooks, stretched so that an endpoint may be down over a weekend (10 attempts in
75.6 hours).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.alerting.outbound.domain.outcomes import Failure, Outcome

DEFAULT_SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
JITTER = 0.2
RETRY_AFTER_CAP_S = 3600.0
LONGEST_GAP_S = 30 * 86_400.0
LOST_ATTEMPTS_ALLOWED = 5
_BUSY = (429, 502, 504)


class Status(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    BLOCKED = "blocked"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The gaps between attempts, and the least wait after an answer that says "busy" (seconds)."""

    schedule: tuple[float, ...] = DEFAULT_SCHEDULE
    busy_wait: float = 60.0


@dataclass(frozen=True, slots=True)
class NextStep:
    """What follows an attempt: the new status, the steps of the schedule used up, seconds until the next
    attempt."""

    status: Status
    step: int
    wait: float | None = None


def wait_before_retry(
    step: int, outcome: Outcome, policy: RetryPolicy, uniform: Callable[[float, float], float]
) -> float:
    """Seconds until the attempt after gap number `step`: the gap with ±20 % jitter, longer when the receiver
    asks.

    429, 502, 504 and timeouts wait at least `busy_wait`. Retry-After is obeyed from the gap up to the larger
    of twice the gap and an hour. `uniform(a, b)` gives the randomness.
    """
    gap = policy.schedule[step]
    wait = gap * uniform(1 - JITTER, 1 + JITTER)
    if outcome.status_code in _BUSY or outcome.failure is Failure.TIMEOUT:
        wait = max(wait, policy.busy_wait * uniform(1, 1 + JITTER))
    if outcome.retry_after is not None:
        wait = max(wait, min(outcome.retry_after, max(2 * gap, RETRY_AFTER_CAP_S)))
    return wait


def after_attempt(
    step: int,
    outcome: Outcome,
    policy: RetryPolicy,
    uniform: Callable[[float, float], float],
    *,
    single: bool = False,
    delivered_before: bool = False,
) -> NextStep:
    """What becomes of a delivery whose attempt ended so.

    `step` counts the gaps used before this attempt. A `single` attempt (a test, or a manual one after the
    schedule was over) is never followed by an automatic one; one that was `delivered_before` stays delivered. While
    the proxy fails a delivery waits and uses up no gap, since the receiver was not asked.
    """
    if outcome.failure is None:
        return NextStep(Status.DELIVERED, step)
    if outcome.failure is Failure.INTERRUPTED:
        return NextStep(Status.PENDING, step, 0.0)
    if single:
        return NextStep(_resting(outcome, delivered_before), step)
    if outcome.failure is Failure.PROXY:
        return NextStep(Status.PENDING, step, policy.busy_wait * uniform(1, 1 + JITTER))
    if outcome.failure is Failure.BLOCKED:
        return NextStep(Status.BLOCKED, step)
    if outcome.status_code == 410:
        return NextStep(Status.HELD, step)
    if step >= len(policy.schedule):
        return NextStep(Status.EXHAUSTED, step)
    return NextStep(Status.PENDING, step + 1, wait_before_retry(step, outcome, policy, uniform))


def after_lost_lease(step: int, attempts: int, policy: RetryPolicy) -> NextStep:
    """What becomes of a delivery whose sender died: the attempt is spent, the message is not.

    `attempts` are those in which the proxy has not failed. It is tried again at once; after five such attempts beyond
    the schedule it counts as exhausted, so that a message that kills its sender each time comes to an end.
    """
    if attempts > len(policy.schedule) + LOST_ATTEMPTS_ALLOWED:
        return NextStep(Status.EXHAUSTED, step)
    return NextStep(Status.PENDING, min(step + 1, len(policy.schedule)), 0.0)


def parsed_schedule(text: str) -> tuple[float, ...]:
    """A schedule from its setting: seconds, comma separated; empty means one attempt only.

    Raises ValueError for anything else, and for more than 50 gaps or one over 30 days.
    """
    gaps = tuple(float(part) for part in text.split(",") if part.strip())
    check_schedule(gaps)
    return gaps


def check_schedule(gaps: Sequence[float]) -> None:
    """Raise ValueError unless there are at most 50 gaps, each from 0 to 30 days."""
    if len(gaps) > 50 or not all(0 <= gap <= LONGEST_GAP_S for gap in gaps):
        raise ValueError("at most 50 gaps of 0 to 2592000 seconds")


def _resting(outcome: Outcome, delivered_before: bool) -> Status:
    if delivered_before:
        return Status.DELIVERED
    if outcome.failure is Failure.BLOCKED:
        return Status.BLOCKED
    return Status.EXHAUSTED
