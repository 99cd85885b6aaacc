"""Work in the background: a failure ends no process and no other task, and the work is begun anew."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from shared.background import Background
from shared.errors import Halt
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


class Work:
    """Fails with these errors, one a run, and then works until it is cancelled."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.working = False

    async def run(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.working = True
        await asyncio.Event().wait()


async def test_work_that_fails_is_begun_anew_and_says_so(background: Background, exits: Exits) -> None:
    work = Work(ZeroDivisionError())
    background.start("anew", work.run)
    await eventually(lambda: background.failing == {"anew": "unexpected"})
    assert metric("tellback_task_failing", "anew") == 1
    await eventually(lambda: work.working)
    await eventually(lambda: not background.failing)
    assert metric("tellback_task_failing", "anew") == 0
    assert metric("tellback_task_failures_total", "anew") == 1
    assert exits.count == 0


async def test_other_work_goes_on_meanwhile(background: Background) -> None:
    others = Work()
    background.start("others", others.run)
    background.start("broken", Work(ZeroDivisionError()).run)
    await eventually(lambda: "broken" in background.failing)
    assert others.working
    assert "others" not in background.failing


async def test_what_an_operator_must_decide_ends_no_process(background: Background, exits: Exits) -> None:
    background.start("halted", Work(Halt("dead_letter_limit")).run)
    await eventually(lambda: background.failing == {"halted": "dead_letter_limit"})
    assert exits.count == 0


async def test_without_memory_the_process_ends(background: Background, exits: Exits) -> None:
    background.start("memory", Work(MemoryError()).run)
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
