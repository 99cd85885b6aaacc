"""What one poll brought and is not written yet: as a whole first, and in ever smaller pieces where it fails."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.db.cursors import Cursor, Place
from shared.kafka.batch import Batch
from shared.kafka.decoding import Work

PROCESSES = 2
"""So many processes may take a partition and not move its cursor before its records are tried one by one."""


def is_suspect(cursor: Cursor) -> bool:
    """Whether a record of this partition may be one that ends the process."""
    return cursor.claims > PROCESSES


@dataclass(slots=True)
class _Lane:
    """What is left of one partition: the next `size` records are written at once, not before `due` (monotonic)."""

    cursor: Cursor
    left: Sequence[Work]
    size: int
    tries: int = 0
    due: float = 0.0


class Backlog:
    """The work of some partitions. All of them are one piece until that fails; then each is its own, halved while it
    fails and doubled while it works. A partition on which processes have died is read record by record."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._lanes = [_Lane(batch.cursor, batch.work, len(batch.work)) for batch in batches]
        self._together = not any(is_suspect(lane.cursor) for lane in self._lanes)

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def cursors(self) -> list[Cursor]:
        """Those of the partitions that have something left."""
        return [lane.cursor for lane in self._lanes]

    def wait(self) -> float:
        """Seconds until the next piece may be written."""
        return max(0.0, min(lane.due for lane in self._lanes) - time.monotonic())

    def piece(self) -> list[Batch]:
        """What is to be written next, in one transaction."""
        if self._together:
            return [Batch(lane.cursor, lane.left) for lane in self._lanes]
        lane = min(self._lanes, key=lambda lane: lane.due)
        size = 1 if is_suspect(lane.cursor) else lane.size
        return [Batch(lane.cursor, lane.left[:size])]

    def done(self, piece: Sequence[Batch]) -> None:
        """The piece is written."""
        for batch in piece:
            lane = self._lane(batch)
            lane.left = lane.left[len(batch.work) :]
            lane.size, lane.tries, lane.due = lane.size * 2, 0, 0.0
            if not lane.left:
                lane.cursor.claims = 0
        self._lanes = [lane for lane in self._lanes if lane.left]

    def narrow(self, piece: Sequence[Batch]) -> bool:
        """Make a piece that failed smaller; False when it is one record already."""
        if self._together and len(self._lanes) > 1:
            self._together = False
            return True
        self._together = False
        lane = self._lane(piece[0])
        records = len(piece[0].work)
        lane.size = max(1, records // 2)
        return records > 1

    def again(self, piece: Sequence[Batch], waits: Sequence[float]) -> bool:
        """Have a single record tried once more after the next of `waits` (seconds); False when they are used up."""
        lane = self._lane(piece[0])
        if lane.tries >= len(waits):
            return False
        lane.due = time.monotonic() + waits[lane.tries]
        lane.tries += 1
        return True

    def drop(self, places: Iterable[Place]) -> None:
        """These partitions are not ours any more."""
        lost = set(places)
        self._lanes = [lane for lane in self._lanes if lane.cursor.place not in lost]

    def others(self, piece: Sequence[Batch], limit: int) -> list[Batch]:
        """At most `limit` single records behind or beside the piece, spread evenly over all that is at hand."""
        behind = self._lane(piece[0])
        singles = [
            Batch(lane.cursor, [work])
            for lane in self._lanes
            for work in lane.left[len(piece[0].work) * (lane is behind) :]
        ]
        step = max(1, -(-len(singles) // limit))
        return singles[::-step]

    def _lane(self, batch: Batch) -> _Lane:
        return next(lane for lane in self._lanes if lane.cursor is batch.cursor)
