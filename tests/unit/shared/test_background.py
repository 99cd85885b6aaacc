"""Background tasks: a failure ends no process and no other task, and the task is started again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from shared.background import Background, Periodic, patiently
from shared.errors import Halt, Unavailable
from shared.isolation import Held
from tests.support.polling import eventually


class Exits:
    """Counts how often the process would have been ended."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
async def exits() -> Exits:
    return Exits()


@pytest.fixture
async def background(exits: Exits) -> AsyncIterator[Background]:
    background = Background(exits)
    yield background
    await background.stop()


def metric(name: str, task: str) -> float:
    return REGISTRY.get_sample_value(name, {"task": task}) or 0.0


class FailingAtFirst:
    """A task that fails with these errors, one a run, and then works until it is cancelled."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.working = False

    async def run(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.working = True
        await asyncio.Event().wait()


async def test_work_that_fails_is_begun_anew_and_says_so(background: Background, exits: Exits) -> None:
    work = FailingAtFirst(ZeroDivisionError())
    background.start("anew", work.run)
    await eventually(lambda: background.failing == {"anew": "unexpected"})
    assert metric("tellback_task_failing", "anew") == 1
    await eventually(lambda: work.working)
    await eventually(lambda: not background.failing)
    assert metric("tellback_task_failing", "anew") == 0
    assert metric("tellback_task_failures_total", "anew") == 1
    assert exits.count == 0


async def test_a_cancellation_that_nobody_asked_for_is_a_failure(background: Background) -> None:
    """As aiokafka lets one out when a consumer is closed before its tasks have begun."""
    work = FailingAtFirst(asyncio.CancelledError())
    background.start("cancelled", work.run)
    await eventually(lambda: background.failing == {"cancelled": "unexpected"})
    await eventually(lambda: work.working)


async def test_other_work_goes_on_meanwhile(background: Background) -> None:
    others = FailingAtFirst()
    background.start("others", others.run)
    background.start("broken", FailingAtFirst(ZeroDivisionError()).run)
    await eventually(lambda: "broken" in background.failing)
    assert others.working
    assert "others" not in background.failing


async def test_what_an_operator_must_decide_ends_no_process(background: Background, exits: Exits) -> None:
    background.start("halted", FailingAtFirst(Halt("dead_letter_limit")).run)
    await eventually(lambda: background.failing == {"halted": "dead_letter_limit"})
    assert exits.count == 0


async def test_without_memory_the_process_ends(background: Background, exits: Exits) -> None:
    background.start("memory", FailingAtFirst(MemoryError()).run)
    await eventually(lambda: exits.count == 1)


async def test_work_that_is_done_is_not_begun_anew(background: Background) -> None:
    runs: list[int] = []

    async def once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError

    background.start("once", once)
    await eventually(lambda: len(runs) == 2)
    await eventually(lambda: not background.failing)
    await background.stop()
    assert len(runs) == 2


HOUR = 3_600.0


class Looks:
    """Periodic work that returns or raises these values, one a call; afterwards there is nothing to do."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.count = 0

    async def __call__(self) -> bool | None:
        self.count += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def repeated(periodic: Periodic) -> AsyncIterator[None]:
    task = asyncio.create_task(periodic.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_periodic_work_goes_on_at_once_while_there_is_more_and_then_rests() -> None:
    looks = Looks(True, True, False)
    async with repeated(Periodic("more", HOUR, looks)):
        await eventually(lambda: looks.count == 3)


async def test_periodic_work_comes_again_after_the_interval() -> None:
    looks = Looks()
    async with repeated(Periodic("again", 0.001, looks)):
        await eventually(lambda: looks.count >= 3)


async def test_whoever_is_woken_waits_for_no_interval() -> None:
    looks = Looks()
    periodic = Periodic("woken", HOUR, looks)
    async with repeated(periodic):
        await eventually(lambda: looks.count == 1)
        periodic.wake()
        await eventually(lambda: looks.count == 2)


async def test_what_is_woken_during_a_look_is_looked_for_again() -> None:
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            periodic.wake()

    periodic = Periodic("meanwhile", HOUR, look)
    async with repeated(periodic):
        await eventually(lambda: looks == 2)


async def test_what_is_held_is_looked_for_as_soon_as_it_may_be_tried() -> None:
    held: Held[str] = Held("held")
    held.failed("one", ZeroDivisionError())
    looks = Looks()
    async with repeated(Periodic("held", HOUR, looks, held)):
        await eventually(lambda: looks.count == 2)


async def test_what_is_away_is_counted_and_waited_for(background: Background) -> None:
    looks = Looks(Unavailable("database_unavailable"), Unavailable("database_unavailable"), False)
    background.start("away", Periodic("away", 0.001, looks).run)
    await eventually(lambda: looks.count >= 3)
    assert metric("tellback_task_waits_total", "away") == 2
    assert background.failing == {}


async def test_what_nobody_foresaw_ends_the_periodic_work_for_whoever_begins_it_anew() -> None:
    with pytest.raises(ZeroDivisionError):
        await Periodic("broken", HOUR, Looks(ZeroDivisionError())).run()


async def test_patient_work_answers_once_what_it_needs_is_there() -> None:
    looks = Looks(Unavailable("kafka_unavailable"), True)
    assert await patiently("once", looks, 0.001) is True
