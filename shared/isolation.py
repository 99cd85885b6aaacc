"""Work through items so that a failing item stops no other: it is passed over for a while, each time longer."""

import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Generic, TypeVar

from shared.db.engine import StatementTimedOut, misfits
from shared.errors import Transient, Unavailable
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_HOLD_SECONDS = 300.0

Item = TypeVar("Item", bound=Hashable)


def pause_after(failures: int, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """Seconds until the next try after `failures` failures in a row: 1, 2, 4 and on, up to `longest`."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 30), longest))


def of_the_items(error: Exception) -> bool:
    """Whether the items may cause the failure, so that other items may succeed. Trouble of the database, a schema of
    another release and a lack of memory concern all items; a statement that always times out does not."""
    if isinstance(error, StatementTimedOut):
        return True
    return not (isinstance(error, Unavailable | Transient | MemoryError) or misfits(error))


class Held(Generic[Item]):
    """Items that failed lately and are passed over until their pause is over: 1 s, doubling up to five minutes. Kept in
    this process alone: after a restart every item is tried once more. `work` names the kind of work, for logs."""

    def __init__(self, work: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._monotonic = monotonic
        self._failures: dict[Item, tuple[int, float]] = {}

    async def each(self, items: Sequence[Item], act: Callable[[Sequence[Item]], Awaitable[object]]) -> Collection[Item]:
        """Call `act` for all items at once; where that fails because of an item, for each by itself. Returns the items
        that succeeded; the others are held. Raises errors that no item causes."""
        if not items:
            return ()
        try:
            await act(items)
        except Exception as error:
            if not of_the_items(error):
                raise
            if len(items) > 1:
                done: list[Item] = []
                for item in items:
                    done += await self.each([item], act)
                return done
            self.failed(items[0], error)
            return ()
        for item in items:
            self.done(item)
        return items

    def failed(self, item: Item, error: Exception) -> None:
        """Pass over the item for a while, each time longer."""
        count = self._failures.get(item, (0, 0.0))[0] + 1
        self._failures[item] = count, self._monotonic() + pause_after(count, LONGEST_HOLD_SECONDS)
        log.error("item_failed", work=self._work, failures=count, exc_info=error)

    def done(self, item: Item) -> None:
        """Forget the failures of the item."""
        self._failures.pop(item, None)

    def now(self) -> list[Item]:
        """The items that are passed over at this moment."""
        moment = self._monotonic()
        return [item for item, (_, until) in self._failures.items() if until > moment]

    def rest(self, longest: float) -> float:
        """Seconds until the next held item may be tried, at most `longest`; `longest` where none is passed over."""
        moment = self._monotonic()
        pauses = [until - moment for _, until in self._failures.values() if until > moment]
        return min([longest, *pauses])

    def __len__(self) -> int:
        """How many items have failed and not worked since."""
        return len(self._failures)
