"""What the relay knows of rows that could not be sent: who waits, since when, and for which row it is enough."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from shared.errors import Unavailable
from shared.records import Record, RecordRefused, headers_from_json
from shared.topics import BY_NAME

WAIT_SECONDS = 3.0
"""How long an account is left out after a failure: longer than a turn of the relay, so that others get theirs."""
REFUSALS = 3
"""So often a row is refused for itself before it is parked: after six seconds."""

Turn = str | int
"""Whose order a row keeps: its account, or the row's own id where it has none (dead letters nobody can read)."""


def turn_of(row: RowMapping) -> Turn:
    """The turn that waits when this row fails."""
    return row["account_id"] or int(row["id"])


def record_of(row: RowMapping) -> Record:
    """The record of a row. Raises whatever a row causes that holds none, `KeyError` for a topic that is not ours."""
    value = row["value"]
    if value is not None:
        value = bytes(value)
    return Record.raw(
        BY_NAME[row["topic"]],
        row["account_id"],
        bytes(row["record_key"]),
        value,
        headers_from_json(row["headers"]),
        row["partition"],
    )


@dataclass(slots=True)
class Outcome:
    """What a batch of rows comes to: ids of those `sent` and of those to be parked, and the first `failure` that is
    waited out. `topics` counts what was sent."""

    sent: list[int] = field(default_factory=list)
    unpublishable: list[int] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)
    failure: Unavailable | None = None

    @property
    def settled(self) -> int:
        """How many rows need no more turns."""
        return len(self.sent) + len(self.unpublishable)

    def published(self, row: RowMapping) -> None:
        """All in-sync replicas have this row."""
        self.sent.append(row["id"])
        self.topics[row["topic"]] += 1


@dataclass(frozen=True, slots=True)
class _Wait:
    until: float
    row_id: int
    refusals: int


class Waiting:
    """Accounts, and rows without an account, that are left out of the next reads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waits: dict[Turn, _Wait] = {}

    def left_out(self) -> Mapping[str, Any]:
        """The accounts and rows that are not to be read now."""
        now = self._monotonic()
        turns = [turn for turn, wait in self._waits.items() if wait.until > now]
        return {
            "accounts": [turn for turn in turns if isinstance(turn, str)],
            "rows": [turn for turn in turns if isinstance(turn, int)],
        }

    def refused_for_good(self, turn: Turn, row_id: int, error: Exception) -> bool:
        """Note a failure; whether the row was refused for itself often enough."""
        before = self._waits.get(turn)
        refusals = 0
        if before is not None and before.row_id == row_id:
            refusals = before.refusals
        refusals += isinstance(error, RecordRefused) or not isinstance(error, Unavailable)
        self._waits[turn] = _Wait(self._monotonic() + WAIT_SECONDS, row_id, refusals)
        return refusals >= REFUSALS

    def over(self, turn: Turn) -> None:
        """A row of this turn was settled."""
        self._waits.pop(turn, None)
