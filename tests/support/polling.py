"""Polling with a deadline: tests never sleep for a guessed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")
INTERVAL = 0.02


@overload
async def eventually(probe: Callable[[], Awaitable[T]], timeout: float = ...) -> T: ...
@overload
async def eventually(probe: Callable[[], T], timeout: float = ...) -> T: ...
async def eventually(probe: Callable[[], Any], timeout: float = 10.0) -> Any:
    """Call `probe` (plain or async) until its result is true, and return that result.

    AssertionError counts as "not yet". At the deadline (seconds) the last one is raised, else one that shows
    the last result.
    """
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        result = None
        try:
            result = probe()
            if inspect.isawaitable(result):
                result = await result
            if result:
                return result
        except AssertionError as error:
            failure = error
        if time.monotonic() >= deadline:
            raise failure or AssertionError(f"not within {timeout:g} s; last result: {result!r}")
        await asyncio.sleep(INTERVAL)
