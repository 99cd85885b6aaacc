"""Records of one caller on their way, and what becomes of them."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka.errors import (
    BrokerResponseError,
    CorruptRecordException,
    InvalidMessageError,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    RecordListTooLargeError,
    kafka_errors,
)

from shared.errors import TellbackError
from shared.kafka.lanes import Lane, Run
from shared.kafka.wire import Raw
from shared.records import KafkaUnavailable, RecordRefused
from shared.telemetry.metrics import publish_failures_total

AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, OSError, TimeoutError)


class InvalidRecord(BrokerResponseError):  # type: ignore[misc]  # aiokafka ships no types
    """Kafka's INVALID_RECORD: a record against the rules of its topic. aiokafka does not know the code, and would call
    it unknown like a trouble of the server."""

    errno = 87
    message = "INVALID_RECORD"
    description = "The record breaks the rules of its topic"


kafka_errors[InvalidRecord.errno] = InvalidRecord
_OF_THE_RECORD = (
    *(CorruptRecordException, InvalidMessageError, InvalidTimestampError, InvalidTopicError),
    *(MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecord),
)
"""What Kafka answers about a record. Its other refusals are of us (no right to the topic, an outdated producer)."""


class Sending:
    """Where the records of one caller are, by their positions in what the caller gave. What was put into a batch is
    not kept a second time: it is read back when it is asked for."""

    __slots__ = ("_placed", "_refused")

    def __init__(self) -> None:
        self._placed: list[tuple[Run, Sequence[int]]] = []
        self._refused: dict[int, tuple[Raw, TellbackError]] = {}

    def refuse(self, index: int, record: Raw, error: Exception) -> None:
        """Note a record that never was put into a batch."""
        self._refused[index] = record, told(error)

    def add(self, records: Sequence[Raw], lots: Mapping[Lane, Sequence[int]]) -> None:
        """Put records into the lanes that are to take them, in order; what a lane has no room for is refused."""
        for lane, indexes in lots.items():
            placed = 0
            for run in lane.add([records[index] for index in indexes]):
                self._placed.append((run, indexes[placed : placed + run.length]))
                placed += run.length
            for index in indexes[placed:]:
                self.refuse(index, records[index], KafkaUnavailable())

    async def failures(self) -> dict[int, TellbackError]:
        """What went wrong, by position, once everything is settled; empty when all in-sync replicas have all of it."""
        found = {index: error for index, (_, error) in self._refused.items()}
        for run, indexes in self._placed:
            if failures := await run.group.future:
                for position, index in enumerate(indexes, run.position):
                    if (error := failures.get(position)) is not None:
                        found[index] = told(error)
        return found

    def records(self, indexes: Iterable[int]) -> list[Raw]:
        """The records at these positions."""
        found = {index: record for index, (record, _) in self._refused.items()}
        for run, placed in self._placed:
            found.update(zip(placed, run.records(), strict=True))
        return [found[index] for index in indexes]


def outcome(run: Run) -> TellbackError | None:
    """What became of one record, once its group's future is done; None when all in-sync replicas have it."""
    failures = run.group.future.result()
    error = failures.get(run.position) if failures else None
    return None if error is None else told(error)


def told(error: Exception) -> TellbackError:
    """What a caller is told, and the metrics, about a failure."""
    if not isinstance(error, TellbackError):
        away = isinstance(error, AWAY) or (isinstance(error, KafkaError) and not isinstance(error, _OF_THE_RECORD))
        error = KafkaUnavailable() if away else RecordRefused()
    publish_failures_total.labels(error.code).inc()
    return error
