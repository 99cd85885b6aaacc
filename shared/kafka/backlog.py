"""The records of one poll that are not written yet: first all together, after a failure in ever smaller pieces."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from operator import attrgetter

from shared.db.cursors import Cursor, Place
from shared.kafka.batch import PolledBatch
from shared.kafka.decoding import PolledRecord

PROCESSES = 2
"""Number of processes that may claim a partition without moving its cursor before its records are tried one by one."""


def is_suspect(cursor: Cursor) -> bool:
    """Whether a record of this partition may have ended processes."""
    return cursor.claims > PROCESSES


@dataclass(slots=True)
class _Lane:
    """The remaining records of one partition: the next `size` of them are written at once, not before `due`
    (monotonic)."""

    cursor: Cursor
    left: Sequence[PolledRecord]
    size: int
    tries: int = 0
    due: float = 0.0


class Backlog:
    """The unwritten records of some partitions. All partitions form one piece until it fails; then each has pieces of
    its own, halved after a failure and doubled after a success. A partition on which processes have died is written
    record by record."""

    def __init__(self, batches: Iterable[PolledBatch]) -> None:
        self._lanes: list[_Lane] = []
        self._together = True
        for batch in batches:
            self._lanes.append(_Lane(batch.cursor, batch.records, len(batch.records)))
            if is_suspect(batch.cursor):
                self._together = False

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def cursors(self) -> list[Cursor]:
        """The cursors of the partitions with records left."""
        return [lane.cursor for lane in self._lanes]

    def wait(self) -> float:
        """Seconds until the next piece may be written."""
        return max(0.0, self._first_due().due - time.monotonic())

    def piece(self) -> list[PolledBatch]:
        """The records to be written next, in one transaction."""
        if self._together:
            return [PolledBatch(lane.cursor, lane.left) for lane in self._lanes]
        lane = self._first_due()
        size = lane.size
        if is_suspect(lane.cursor):
            size = 1
        return [PolledBatch(lane.cursor, lane.left[:size])]

    def _first_due(self) -> _Lane:
        return min(self._lanes, key=attrgetter("due"))

    def done(self, piece: Sequence[PolledBatch]) -> None:
        """Remove a piece that was written."""
        for batch in piece:
            lane = self._lane(batch)
            lane.left = lane.left[len(batch.records) :]
            lane.size, lane.tries, lane.due = lane.size * 2, 0, 0.0
            if not lane.left:
                lane.cursor.claims = 0
        self._lanes = [lane for lane in self._lanes if lane.left]

    def narrow(self, piece: Sequence[PolledBatch]) -> bool:
        """Make the pieces of a partition smaller after a failure; False when the piece was a single record."""
        if self._together and len(self._lanes) > 1:
            self._together = False
            return True
        self._together = False
        lane = self._lane(piece[0])
        records = len(piece[0].records)
        lane.size = max(1, records // 2)
        return records > 1

    def again(self, piece: Sequence[PolledBatch], waits: Sequence[float]) -> bool:
        """Have a single record tried once more after the next of `waits` (seconds); False when all of them are used
        up."""
        lane = self._lane(piece[0])
        if lane.tries >= len(waits):
            return False
        lane.due = time.monotonic() + waits[lane.tries]
        lane.tries += 1
        return True

    def drop(self, places: Iterable[Place]) -> None:
        """Drop the records of partitions that this replica has lost."""
        lost = set(places)
        self._lanes = [lane for lane in self._lanes if lane.cursor.place not in lost]

    def others(self, piece: Sequence[PolledBatch], limit: int) -> list[PolledBatch]:
        """At most `limit` single records outside of the piece, spread evenly over all remaining records, the last one
        first."""
        in_piece = piece[0]
        singles: list[PolledBatch] = []
        for lane in self._lanes:
            others = lane.left
            if lane.cursor is in_piece.cursor:
                others = lane.left[len(in_piece.records) :]
            for record in others:
                singles.append(PolledBatch(lane.cursor, [record]))
        step = max(1, ceil(len(singles) / limit))
        return singles[::-step]

    def _lane(self, batch: PolledBatch) -> _Lane:
        for lane in self._lanes:
            if lane.cursor is batch.cursor:
                return lane
        raise KeyError(batch.cursor.place)
