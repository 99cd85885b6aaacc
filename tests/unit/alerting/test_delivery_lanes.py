"""What a sender holds in memory: width, turns, work ahead, and what it gives back."""

from services.alerting.courier.domain.deliveries import DueAttempt, Trigger
from services.alerting.courier.jobs.lanes import MOST_AHEAD, WAIT_SECONDS, Lanes


class Time:
    """Monotonic seconds under the control of a test."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def work(number: int, endpoint_id: str = "ep", width: int = 4) -> DueAttempt:
    return DueAttempt(
        delivery_id=f"{endpoint_id}-{number}",
        endpoint_id=endpoint_id,
        url="http://127.0.0.1/",
        format="json",
        max_in_flight=width,
        number=1,
        trigger=Trigger.AUTOMATIC,
        actor=None,
        message_id=f"msg_{number}",
        event_type="follow_up.opened",
        body=b"{}",
        sealed_headers=None,
        sealed_secrets=(),
    )


def ids(items: list[DueAttempt]) -> list[str]:
    return [item.delivery_id for item in items]


def test_a_lane_is_as_wide_as_its_endpoint_allows() -> None:
    lanes = Lanes(200, Time())
    lanes.add(work(number, width=2) for number in range(5))
    first = lanes.start()
    assert ids(first) == ["ep-0", "ep-1"]
    assert lanes.start() == []
    assert lanes.finished(first[0], 0.1, success=True) is False
    assert ids(lanes.start()) == ["ep-2"]


def test_endpoints_take_turns_under_the_limit_of_the_process() -> None:
    lanes = Lanes(3, Time())
    lanes.add([*(work(number, "a") for number in range(3)), *(work(number, "b") for number in range(3))])
    assert ids(lanes.start()) == ["a-0", "b-0", "a-1"]
    assert lanes.room == 0


def test_a_lane_that_runs_low_wants_more_where_there_may_be_more() -> None:
    lanes = Lanes(100, Time())
    lanes.add([work(1), work(2)])
    first, second = lanes.start()
    assert lanes.finished(first, 0.1, success=True) is False, "the queue held no more"
    lanes.add((work(number) for number in range(3, 13)), {"ep"})
    started = lanes.start()
    assert lanes.finished(second, 0.1, success=True) is False, "seven wait, more than half of what may"
    assert not lanes.low
    lanes.start()
    assert lanes.finished(started[0], 0.1, success=True) is True
    assert lanes.low == {"ep"}


def test_a_lane_without_a_free_place_wants_nothing() -> None:
    lanes = Lanes(10, Time())
    lanes.add([work(number, width=2) for number in range(2)], {"ep"})
    first, _ = lanes.start()
    assert not lanes.low, "as many are running as may"
    assert lanes.finished(first, 10, success=True) is True


def test_where_a_turn_brought_nothing_no_more_is_wanted_until_an_attempt_has_ended() -> None:
    lanes = Lanes(100, Time())
    lanes.add([work(1), work(2)], {"ep"})
    first, second = lanes.start()
    assert lanes.finished(first, 0.1, success=True) is True
    assert lanes.low == {"ep"}
    lanes.add([], low=lanes.low)
    assert not lanes.low
    lanes.add([work(1, "other")], low=lanes.low)
    assert not lanes.low, "what comes for others changes nothing"
    assert lanes.finished(second, 0.1, success=True) is True


def test_nothing_is_wanted_where_the_process_holds_all_it_may() -> None:
    lanes = Lanes(2, Time())
    lanes.add([work(1), work(2)], {"ep"})
    lanes.start()
    assert (lanes.room, lanes.low) == (0, set())


def test_only_quick_endpoints_are_given_work_ahead() -> None:
    lanes = Lanes(10, Time())
    for endpoint_id, seconds, success in (
        ("quick", 0.01, True),
        ("middling", 0.15, True),
        ("slow", 2.0, True),
        ("bad", 0.01, False),
    ):
        lanes.add([work(1, endpoint_id)])
        (started,) = lanes.start()
        lanes.finished(started, seconds, success=success)
    assert lanes.ahead == {"quick": MOST_AHEAD, "middling": 2}


def test_one_failure_ends_the_work_ahead() -> None:
    lanes = Lanes(10, Time())
    lanes.add([work(1), work(2)])
    first, second = lanes.start()
    lanes.finished(first, 0.01, success=True)
    lanes.finished(second, 0.01, success=False)
    assert lanes.ahead == {}


def test_what_waits_too_long_is_given_back_once() -> None:
    now = Time()
    lanes = Lanes(10, now)
    lanes.add(work(number, width=1) for number in range(3))
    lanes.start()
    assert lanes.unattempted() == []
    now.seconds += WAIT_SECONDS + 0.1
    assert ids(lanes.unattempted()) == ["ep-1", "ep-2"]
    assert lanes.unattempted() == []
    assert lanes.room == 9


def test_a_dropped_lane_attempts_no_more() -> None:
    lanes = Lanes(10, Time())
    lanes.add([*(work(number, "a", width=1) for number in range(3)), work(9, "b", width=1)])
    running = lanes.start()
    lanes.drop("a")
    lanes.drop("unknown")
    for item in running:
        lanes.finished(item, 0.1, success=True)
    assert lanes.start() == []
    assert ids(lanes.unattempted()) == ["a-1", "a-2"]


def test_a_stopping_sender_gives_everything_back() -> None:
    lanes = Lanes(10, Time())
    lanes.add(work(number, width=1) for number in range(3))
    lanes.start()
    assert len(lanes.unattempted(everything=True)) == 2
