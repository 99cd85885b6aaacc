"""How an endpoint's breaker, its notices and its being disabled follow from attempts."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.courier.domain.endpoint_health import (
    FAILING,
    IN_A_ROW,
    Health,
    HealthPolicy,
    HealthUpdate,
    after_ended,
    worth_writing,
)
from services.alerting.outbound.domain.outcomes import Failure, Outcome

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OK = Outcome(None, 200)
FAIL = Outcome(Failure.HTTP_5XX, 500)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
POLICY = HealthPolicy()
HEALTHY = Health()


def after(
    *attempts: tuple[timedelta, Outcome], health: Health = HEALTHY, policy: HealthPolicy = POLICY
) -> tuple[Health, list[HealthUpdate]]:
    """Attempts that take no time, at these distances from Monday."""
    updates = []
    for distance, outcome in attempts:
        update = after_ended(health, outcome, MONDAY + distance, MONDAY + distance, policy)
        updates.append(update)
        health = update.health
    return health, updates


def levels(updates: list[HealthUpdate], kind: str) -> list[tuple[int, int]]:
    """(index of the attempt, level) of the notices of a kind."""
    return [
        (index, reached.level)
        for index, update in enumerate(updates)
        for reached in update.reached
        if reached.kind == kind
    ]


def test_the_breaker_opens_at_the_tenth_failure_in_a_row_and_no_sooner() -> None:
    nine, _ = after(*((SECOND * n, FAIL) for n in range(9)))
    assert nine.breaker_opened_at is None
    ten, _ = after((SECOND * 9, FAIL), health=nine)
    assert ten.breaker_opened_at == MONDAY + SECOND * 9
    assert ten.breaker_until == MONDAY + SECOND * 39


def test_a_success_in_between_begins_the_row_anew() -> None:
    health, _ = after(*((timedelta(minutes=n), FAIL) for n in range(9)), (timedelta(minutes=9), OK))
    assert (health.consecutive_failures, health.first_failure_at, health.failure_days) == (0, None, 0)
    again, _ = after(*((timedelta(minutes=10 + n), FAIL) for n in range(9)), health=health)
    assert again.consecutive_failures == 9


@pytest.mark.parametrize(("failures", "opens"), [(6, False), (7, True)])
def test_the_breaker_opens_when_seven_of_ten_failed(failures: int, opens: bool) -> None:
    outcomes = [OK] * (10 - failures) + [FAIL] * failures
    health, _ = after(*((SECOND * n, outcome) for n, outcome in enumerate(outcomes)))
    assert (health.breaker_opened_at is not None) is opens


def test_what_failed_more_than_five_minutes_ago_does_not_count() -> None:
    policy = HealthPolicy(in_a_row=100)
    health, _ = after(
        *((SECOND * n, FAIL) for n in range(9)), (timedelta(minutes=6), FAIL), policy=policy
    )  # fmt: skip
    assert health.breaker_opened_at is None
    assert len(health.recent) == 1


def test_a_probe_that_succeeds_closes_the_breaker_and_one_that_fails_does_not() -> None:
    opened, _ = after(*((SECOND * n, FAIL) for n in range(10)))
    still, _ = after((SECOND * 40, FAIL), health=opened)
    assert still.breaker_opened_at == opened.breaker_opened_at
    closed, _ = after((SECOND * 70, OK), health=still)
    assert (closed.breaker_opened_at, closed.breaker_until, closed.recent) == (None, None, ())


def test_a_success_that_was_under_way_before_does_not_close_the_breaker() -> None:
    opened, _ = after(*((SECOND * n, FAIL) for n in range(10)))
    late = after_ended(opened, OK, MONDAY + SECOND * 8, MONDAY + SECOND * 11, POLICY).health
    assert late.breaker_opened_at == opened.breaker_opened_at
    assert late.consecutive_failures == 0


@pytest.mark.parametrize(
    "failure", [Failure.INTERRUPTED, Failure.INTERNAL, Failure.LOST, Failure.SEALED, Failure.PROXY]
)
def test_what_we_stopped_ourselves_says_nothing(failure: Failure) -> None:
    assert after_ended(Health(), Outcome(failure), MONDAY, MONDAY, POLICY) == HealthUpdate(Health())


def test_notices_come_at_half_and_more_of_a_threshold_of_twenty_each_once() -> None:
    policy = HealthPolicy(in_a_row=20, least=1000)
    _, updates = after(*((SECOND * n, FAIL) for n in range(30)), policy=policy)
    assert levels(updates, IN_A_ROW) == [(9, 50), (13, 70), (17, 90), (19, 100)]


def test_a_threshold_of_one_makes_one_notice() -> None:
    _, updates = after((SECOND, FAIL), policy=HealthPolicy(in_a_row=1))
    assert levels(updates, IN_A_ROW) == [(0, 100)]


def test_five_days_of_only_failures_disable_with_notices_on_the_way() -> None:
    hours = [0, 30, 59, 61, 70, 85, 100, 109, 119, 121]
    health, updates = after(*((timedelta(hours=hour), FAIL) for hour in hours))
    assert [found.disable for found in updates] == [False] * 9 + [True]
    assert levels(updates, FAILING) == [(3, 50), (5, 70), (7, 90), (9, 100)]
    assert health.first_failure_at == MONDAY
    assert health.failure_days == 6


def test_one_success_within_the_five_days_clears_it() -> None:
    _, updates = after((timedelta(), FAIL), (3 * DAY, OK), (3 * DAY, FAIL), (6 * DAY, FAIL))
    assert not any(found.disable for found in updates)


def test_a_failure_after_a_long_silence_begins_the_count_anew() -> None:
    health, updates = after((timedelta(), FAIL), (11 * DAY, FAIL))
    assert not any(found.disable or levels([found], FAILING) for found in updates)
    assert (health.first_failure_at, health.failure_days) == (MONDAY + 11 * DAY, 1)


def test_failures_of_one_day_alone_do_not_disable() -> None:
    hour = HealthPolicy(disable_after=timedelta(hours=1))
    minutes = [0, 30, 59, 61, 90]
    _, updates = after(*((timedelta(minutes=each), FAIL) for each in minutes), policy=hour)
    assert not any(found.disable for found in updates)
    next_day = HealthPolicy(disable_after=timedelta(hours=14))
    _, updates = after((timedelta(), FAIL), (timedelta(hours=8), FAIL), (timedelta(hours=16), FAIL), policy=next_day)
    assert [found.disable for found in updates] == [False, False, True]


@pytest.mark.parametrize(
    ("status", "retry_after", "rests"), [(429, 120, 120), (503, 30, 30), (503, None, None), (500, 120, None)]
)
def test_a_receiver_that_says_when_to_come_back_is_left_alone(
    status: int, retry_after: float | None, rests: float | None
) -> None:
    outcome = Outcome(Failure.HTTP_5XX, status, retry_after=retry_after)
    health, _ = after((timedelta(), outcome))
    assert health.rest_until == (None if rests is None else MONDAY + timedelta(seconds=rests))


def test_rest_is_an_hour_at_most_and_never_cut_short() -> None:
    long, _ = after((timedelta(), Outcome(Failure.HTTP_4XX, 429, retry_after=86_400)))
    assert long.rest_until == MONDAY + timedelta(hours=1)
    then, _ = after((SECOND, Outcome(Failure.HTTP_4XX, 429, retry_after=5)), health=long)
    assert then.rest_until == long.rest_until


def test_under_load_successes_are_written_once_a_second_and_failures_always() -> None:
    busy, _ = after(*((SECOND * n / 100, OK) for n in range(120)))
    next_one, _ = after((SECOND * 1.5, OK), health=busy)
    later, _ = after((SECOND * 3, OK), health=busy)
    failed, _ = after((SECOND * 1.5, FAIL), health=busy)
    assert [worth_writing(busy, health, POLICY) for health in (next_one, later, failed)] == [False, True, True]
    quiet, _ = after((SECOND, OK))
    again, _ = after((SECOND * 1.1, OK), health=quiet)
    assert worth_writing(quiet, again, POLICY)
    assert worth_writing(HEALTHY, quiet, POLICY)
    assert not worth_writing(quiet, quiet, HealthPolicy(least=0))
