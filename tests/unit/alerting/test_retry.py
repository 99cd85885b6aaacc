"""When a delivery is tried again: schedule, jitter, Retry-After, and how it ends."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.alerting.courier.domain.retry import (
    DEFAULT_SCHEDULE,
    NextStep,
    RetryPolicy,
    Status,
    after_attempt,
    after_lost_lease,
    parsed_schedule,
)
from services.alerting.outbound.domain.outcomes import (
    LONGEST_REST_S,
    Failure,
    Outcome,
    failure_of_status,
    retry_after_seconds,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = RetryPolicy()
OK = Outcome(None, 200)
REFUSED = Outcome(Failure.HTTP_5XX, 500)


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def least(low: float, high: float) -> float:
    return low


def walk(policy: RetryPolicy, outcome: Outcome) -> list[NextStep]:
    """The decisions after each attempt when all end alike."""
    steps = [after_attempt(0, outcome, policy, middle)]
    while steps[-1].status is Status.PENDING:
        steps.append(after_attempt(steps[-1].step, outcome, policy, middle))
    return steps


def test_the_default_schedule_survives_a_weekend() -> None:
    steps = walk(POLICY, REFUSED)
    assert len(steps) == 10
    assert [step.wait for step in steps[:-1]] == pytest.approx(DEFAULT_SCHEDULE)
    assert sum(DEFAULT_SCHEDULE) == pytest.approx(75.6 * 3600, rel=0.001)
    assert steps[-1] == NextStep(Status.EXHAUSTED, 9)


def test_an_empty_schedule_allows_one_attempt() -> None:
    assert walk(RetryPolicy(()), REFUSED) == [NextStep(Status.EXHAUSTED, 0)]


def test_only_2xx_is_success() -> None:
    assert [code for code in range(100, 600) if failure_of_status(code) is None] == list(range(200, 300))
    assert failure_of_status(302) is Failure.HTTP_3XX
    assert failure_of_status(101) is Failure.HTTP_1XX
    assert failure_of_status(404) is Failure.HTTP_4XX
    assert failure_of_status(599) is Failure.HTTP_5XX


@pytest.mark.parametrize("code", [400, 401, 403, 404, 415])
def test_a_crm_that_is_being_configured_is_tried_again(code: int) -> None:
    outcome = Outcome(failure_of_status(code), code)
    assert after_attempt(0, outcome, POLICY, middle).status is Status.PENDING


def test_jitter_spreads_a_burst_over_a_fifth_to_either_side() -> None:
    """Given 200 equal failures at one instant, then the next attempts spread over 20 % to either side and are not all
    in one bucket of 1 %."""
    # A seed, so that the test always sees the same burst; not a secret.
    spread = random.Random(7).uniform
    waits = [after_attempt(1, REFUSED, POLICY, spread).wait or 0 for _ in range(200)]
    assert all(240 <= wait <= 360 for wait in waits)
    assert min(waits) < 250
    assert max(waits) > 350
    assert max(Counter(int(wait / 3) for wait in waits).values()) < 20


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Failure.HTTP_4XX, 429),
        Outcome(Failure.HTTP_5XX, 502),
        Outcome(Failure.HTTP_5XX, 504),
        Outcome(Failure.TIMEOUT),
    ],
    ids=["429", "502", "504", "timeout"],
)
def test_a_busy_receiver_gets_a_minute(outcome: Outcome) -> None:
    assert after_attempt(0, outcome, POLICY, least).wait == 60
    assert after_attempt(0, outcome, RetryPolicy(busy_wait=0), middle).wait == 5
    assert after_attempt(1, outcome, POLICY, middle).wait == 300


@pytest.mark.parametrize(
    ("step", "asked", "wait"),
    [
        pytest.param(0, 1, 5, id="not sooner than the step"),
        pytest.param(0, 1800, 1800, id="obeyed beyond twice the step"),
        pytest.param(0, 90_000, 3600, id="at most an hour early on"),
        pytest.param(3, 90_000, 14_400, id="at most twice the step later"),
        pytest.param(3, 9_000, 9_000, id="obeyed between"),
    ],
)
def test_retry_after_is_obeyed_within_bounds(step: int, asked: float, wait: float) -> None:
    outcome = Outcome(Failure.HTTP_5XX, 503, retry_after=asked)
    assert after_attempt(step, outcome, POLICY, middle).wait == wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        (format_datetime(NOW + timedelta(minutes=3), usegmt=True), 180.0),
        (format_datetime(NOW - timedelta(minutes=3), usegmt=True), None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
        ("1.5", 2.0),
        ("0.2", 1.0),
        ("1.", None),
        (".5", None),
        ("12345678901", LONGEST_REST_S),
        ("9" * 400, LONGEST_REST_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_REST_S),
        ("\xb2", None),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_blocked_is_final() -> None:
    assert after_attempt(0, Outcome(Failure.BLOCKED), POLICY, middle) == NextStep(Status.BLOCKED, 0)


def test_gone_is_held_rather_than_tried_again() -> None:
    assert after_attempt(2, Outcome(Failure.HTTP_4XX, 410), POLICY, middle) == NextStep(Status.HELD, 2)


def test_a_manual_attempt_after_the_end_is_not_followed_by_another() -> None:
    assert after_attempt(9, REFUSED, POLICY, middle, single=True) == NextStep(Status.EXHAUSTED, 9)
    assert after_attempt(0, REFUSED, POLICY, middle, single=True) == NextStep(Status.EXHAUSTED, 0)
    assert after_attempt(9, OK, POLICY, middle, single=True) == NextStep(Status.DELIVERED, 9)


def test_what_was_delivered_stays_delivered_when_a_resend_fails() -> None:
    ended = after_attempt(3, REFUSED, POLICY, middle, single=True, delivered_before=True)
    assert ended == NextStep(Status.DELIVERED, 3)


def test_an_interrupted_attempt_costs_no_step() -> None:
    assert after_attempt(2, Outcome(Failure.INTERRUPTED), POLICY, middle) == NextStep(Status.PENDING, 2, 0.0)


@pytest.mark.parametrize("step", [0, 3, 9])
def test_a_delivery_waits_for_the_proxy_and_uses_up_no_gap(step: int) -> None:
    verdict = after_attempt(step, Outcome(Failure.PROXY), RetryPolicy(busy_wait=60), lambda low, high: high)
    assert verdict == NextStep(Status.PENDING, step, 72.0)


def test_a_lost_lease_costs_an_attempt_but_not_the_message() -> None:
    assert after_lost_lease(0, 1, POLICY) == NextStep(Status.PENDING, 1, 0.0)
    assert after_lost_lease(9, 10, POLICY) == NextStep(Status.PENDING, 9, 0.0)
    assert after_lost_lease(0, 1, RetryPolicy(())) == NextStep(Status.PENDING, 0, 0.0)


def test_a_message_that_kills_its_sender_comes_to_an_end() -> None:
    assert after_lost_lease(9, 15, POLICY).status is Status.EXHAUSTED


def test_the_schedule_is_read_from_its_setting() -> None:
    assert parsed_schedule("5, 300,0.05") == (5, 300, 0.05)
    assert parsed_schedule(" ") == ()


@pytest.mark.parametrize("text", ["5,soon", "-1", "nan", "inf", "9999999", ",".join(["1"] * 51)])
def test_a_schedule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"gaps|float"):
        parsed_schedule(text)
