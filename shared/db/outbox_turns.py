"""What the relay remembers of rows that could not be sent: which accounts are skipped, until when, and how often a row
was refused."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from shared.errors import Unavailable
from shared.records import Record, RecordRefused
from shared.topics import BY_NAME

WAIT_SECONDS = 3.0
"""How long an account is skipped after a failure: longer than a round of the relay, so that other accounts get their
turn."""
REFUSALS = 3
"""How often a row may be refused for its own sake before it is parked: after six seconds."""

Turn = str | int
"""The unit that keeps its order: the account of a row, or the row's own id where it has no account (dead letters nobody
can read)."""


def turn_of(row: RowMapping) -> Turn:
    """The turn that is put off when this row fails."""
    return row["account_id"] or int(row["id"])


def record_of(row: RowMapping) -> Record:
    """The record of a row. Raises whatever error a malformed row causes, `KeyError` for an unknown topic."""
    value = row["value"]
    if value is not None:
        value = bytes(value)
    return Record(
        BY_NAME[row["topic"]],
        row["account_id"],
        bytes(row["record_key"]),
        value,
        bytes(row["headers"]),
        row["partition"],
    )


@dataclass(slots=True)
class Outcome:
    """The outcome of a batch of rows: ids of `sent` rows and of rows to be parked, and the first `failure`, after which
    the relay pauses. `topics` counts the sent rows."""

    sent: list[int] = field(default_factory=list)
    unpublishable: list[int] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)
    failure: Unavailable | None = None

    @property
    def settled(self) -> int:
        """How many rows were sent or parked."""
        return len(self.sent) + len(self.unpublishable)

    def published(self, row: RowMapping) -> None:
        """Note a row that all in-sync replicas have acknowledged."""
        self.sent.append(row["id"])
        self.topics[row["topic"]] += 1


@dataclass(frozen=True, slots=True)
class _Wait:
    until: float
    row_id: int
    refusals: int


class TurnsPutOff:
    """Accounts, and rows without an account, that the next reads skip after a failure."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waits: dict[Turn, _Wait] = {}

    def left_out(self) -> Mapping[str, Any]:
        """The accounts and rows to be skipped now."""
        now = self._monotonic()
        turns = [turn for turn, wait in self._waits.items() if wait.until > now]
        return {
            "accounts": [turn for turn in turns if isinstance(turn, str)],
            "rows": [turn for turn in turns if isinstance(turn, int)],
        }

    def refused_for_good(self, turn: Turn, row_id: int, error: Exception) -> bool:
        """Note a failure; returns whether the row was refused for its own sake `REFUSALS` times."""
        before = self._waits.get(turn)
        refusals = 0
        if before is not None and before.row_id == row_id:
            refusals = before.refusals
        refusals += isinstance(error, RecordRefused) or not isinstance(error, Unavailable)
        self._waits[turn] = _Wait(self._monotonic() + WAIT_SECONDS, row_id, refusals)
        return refusals >= REFUSALS

    def over(self, turn: Turn) -> None:
        """Stop skipping a turn, since a row of it was settled."""
        self._waits.pop(turn, None)
