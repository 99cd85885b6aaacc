"""The records that a consumer hands to a handler, and the handler's verdict on each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from shared.db.transaction import WriteTx
from shared.events.envelope import Event


class Received(Struct, frozen=True, gc=False):
    """One record as read: the decoded event, and its position. `late`: it was set aside, and comes after records that
    stand behind it."""

    event: Event
    topic: str
    partition: int
    offset: int
    late: bool = False


class Outcome(StrEnum):
    """The outcome of a record; every record read has exactly one."""

    NEW = "new"
    REPEAT = "repeat"
    CHANGE = "change"
    PENDING = "pending"
    CONFLICT = "conflict"
    PASSED_OVER = "passed_over"
    DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one record; `reason` is a stable code if the record is parked."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""


NEW = Verdict(Outcome.NEW)
REPEAT = Verdict(Outcome.REPEAT)
CHANGE = Verdict(Outcome.CHANGE)
PENDING = Verdict(Outcome.PENDING)
PASSED_OVER = Verdict(Outcome.PASSED_OVER)
"""A record of a type or kind that this version does not know, or that nothing follows from: skipped, and no fault."""


def conflict(reason: str, detail: str = "") -> Verdict:
    """The record contradicts the stored state; it is parked and shown."""
    return Verdict(Outcome.CONFLICT, reason, detail)


def dead_letter(reason: str, detail: str = "") -> Verdict:
    """The record can never be handled; it is parked with its reason."""
    return Verdict(Outcome.DEAD_LETTERED, reason, detail)


BatchHandler = Callable[[WriteTx, Sequence[Received]], Awaitable[Sequence[Verdict]]]
"""Handles consecutive records inside the batch's transaction; returns one verdict a record, in the same order."""


async def pass_over(_: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """A batch handler for events of which nothing follows in a service yet."""
    return [PASSED_OVER] * len(records)
