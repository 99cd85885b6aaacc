"""What a sender has taken and not finished: a lane for each endpoint, as wide as the endpoint's limit.

A lane may hold some work ahead, so that a quick endpoint is served without a turn of the database for every
few requests: as much as its recent pace gets through in a moment, none while it is slow or failing. What
waits too long in a lane, or whose endpoint changed, is given back unattempted.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from services.alerting.courier.domain.deliveries import DueAttempt

AHEAD_SECONDS = 0.4
MOST_AHEAD = 32
WAIT_SECONDS = 2.0
_WEIGHT = 0.2


@dataclass(slots=True)
class Lane:
    """One endpoint's work here: `waiting` with the time each was taken, and how many attempts are `running`.

    `pace` is the recent mean duration of its attempts in seconds; None when unknown or the last one failed. `more`
    says whether the queue may hold more for it than was taken, `dry` that a turn has just brought nothing all the same:
    the queue is empty, others have the places, or the endpoint is gone. Asking again is for when an attempt has ended.
    """

    width: int = 1
    running: int = 0
    waiting: deque[tuple[float, DueAttempt]] = field(default_factory=deque)
    pace: float | None = None
    more: bool = False
    dry: bool = False

    @property
    def runs_low(self) -> bool:
        """Whether a turn of the database should bring more, since what waits may be gone before it has."""
        waiting, ahead = len(self.waiting), self.ahead
        free = self.running + waiting < self.width * ahead
        return self.more and not self.dry and free and 2 * waiting <= self.width * (ahead - 1)

    @property
    def ahead(self) -> int:
        """How many times its width may be taken."""
        if self.pace is None:
            return 1
        return max(1, min(MOST_AHEAD, int(AHEAD_SECONDS / max(self.pace, 0.001))))


class Lanes:
    """All lanes of a sender, at most `in_flight` attempts running together."""

    def __init__(self, in_flight: int, monotonic: Callable[[], float]) -> None:
        self._in_flight = in_flight
        self._monotonic = monotonic
        self._lanes: dict[str, Lane] = {}
        self._back: list[DueAttempt] = []
        self._running = 0

    @property
    def room(self) -> int:
        """How much more may be taken."""
        waiting = sum(len(lane.waiting) for lane in self._lanes.values())
        return max(0, self._in_flight - self._running - waiting)

    @property
    def low(self) -> Set[str]:
        """The endpoints for which a turn should bring more, if the process may hold more."""
        if not self.room:
            return set()
        return {endpoint_id for endpoint_id, lane in self._lanes.items() if lane.runs_low}

    @property
    def ahead(self) -> Mapping[str, int]:
        """For endpoints that may be given more than their limit at a time: how many times as much."""
        return {endpoint_id: lane.ahead for endpoint_id, lane in self._lanes.items() if lane.ahead > 1}

    def add(self, taken: Iterable[DueAttempt], filled: Set[str] = frozenset(), low: Set[str] = frozenset()) -> None:
        """Queue what a turn took; `filled` are the endpoints for which there may be more, `low` those that were when
        it began."""
        now = self._monotonic()
        for endpoint_id in low:
            self._lanes[endpoint_id].dry = True
        for work in taken:
            lane = self._lanes.setdefault(work.endpoint_id, Lane())
            lane.width, lane.more, lane.dry = work.max_in_flight, work.endpoint_id in filled, False
            lane.waiting.append((now, work))

    def start(self) -> list[DueAttempt]:
        """What is to be attempted now, the endpoints in turn; it counts as running from here on."""
        started: list[DueAttempt] = []
        while self._running < self._in_flight:
            free = [lane for lane in self._lanes.values() if lane.waiting and lane.running < lane.width]
            if not free:
                break
            for lane in free[: self._in_flight - self._running]:
                started.append(lane.waiting.popleft()[1])
                lane.running += 1
                self._running += 1
        return started

    def finished(self, work: DueAttempt, seconds: float, *, success: bool) -> bool:
        """An attempt has ended; returns whether its lane runs low. What comes new brings a turn by itself.

        After a failure what waits is given back: the breaker decides from the row whether more may be sent.
        """
        lane = self._lanes[work.endpoint_id]
        lane.running -= 1
        lane.dry = False
        self._running -= 1
        if not success:
            self.drop(work.endpoint_id)
        elif lane.pace is None:
            lane.pace = seconds
        else:
            lane.pace += _WEIGHT * (seconds - lane.pace)
        return lane.runs_low

    def drop(self, endpoint_id: str) -> None:
        """Attempt nothing more of what waits for this endpoint: it changed, or wants no more."""
        if lane := self._lanes.get(endpoint_id):
            self._back += [work for _, work in lane.waiting]
            lane.waiting.clear()
            lane.pace = None

    def unattempted(self, *, everything: bool = False) -> list[DueAttempt]:
        """What is to be given back: dropped, waiting for too long, or everything that waits. Handed out
        once."""
        oldest = self._monotonic() - WAIT_SECONDS
        for endpoint_id, lane in self._lanes.items():
            if lane.waiting and (everything or lane.waiting[0][0] < oldest):
                self.drop(endpoint_id)
        back, self._back = self._back, []
        return back
