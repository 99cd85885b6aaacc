"""Items are worked through together; a failing item is found, passed over, and tried again."""

from collections.abc import Sequence

import pytest

from shared.db.engine import DatabaseUnavailable, StatementTimedOut, TransactionLost
from shared.isolation import Held, of_the_items, pause_after


class Time:
    """Monotonic seconds under the control of a test."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Acts:
    """Fails whenever a broken item is among the given ones."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.done: list[str] = []
        self.calls = 0

    async def __call__(self, items: Sequence[str]) -> None:
        self.calls += 1
        if self.broken.intersection(items):
            raise ZeroDivisionError
        self.done += items


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 6, 7, 10_000)] == [1, 2, 4, 32, 60, 60]


async def test_all_that_work_are_done_together() -> None:
    acts = Acts()
    held: Held[str] = Held("test")
    assert list(await held.each(["a", "b"], acts)) == ["a", "b"]
    assert acts.calls == 1


async def test_the_one_that_fails_is_passed_over_and_the_others_are_done() -> None:
    acts, now = Acts("b"), Time()
    held: Held[str] = Held("test", now)
    assert list(await held.each(["a", "b", "c"], acts)) == ["a", "c"]
    assert held.now() == ["b"]
    assert held.rest(3_600) == 1, "whoever looks once an hour looks again as soon as it may be tried"
    now.seconds += 1.5
    assert held.now() == []
    assert held.rest(3_600) == 3_600
    await held.each(["b"], acts)
    now.seconds += 1.5
    assert held.now() == ["b"], "the second pause is longer"
    now.seconds += 1
    acts.broken.clear()
    assert list(await held.each(["b"], acts)) == ["b"]
    assert not len(held)


async def test_trouble_of_the_database_is_nobodys_fault() -> None:
    async def away(_items: Sequence[str]) -> None:
        raise DatabaseUnavailable

    held: Held[str] = Held("test")
    with pytest.raises(DatabaseUnavailable):
        await held.each(["a", "b"], away)
    assert not len(held)


def test_only_a_statement_that_runs_too_long_is_an_items_fault_among_what_the_database_says() -> None:
    assert of_the_items(StatementTimedOut())
    assert not of_the_items(TransactionLost())
    assert not of_the_items(MemoryError())
