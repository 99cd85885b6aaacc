"""Receipts: the results of records that were published without waiting."""

from collections.abc import Iterable, Sequence

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
from shared.kafka.partition_batcher import PartitionBatcher, Run
from shared.records import KafkaUnavailable, Record, RecordRefused
from shared.telemetry.metrics import publish_failures_total

AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, OSError, TimeoutError)


class InvalidRecord(BrokerResponseError):  # type: ignore[misc]  # aiokafka ships no types
    """Kafka's INVALID_RECORD: a record that breaks the rules of its topic. aiokafka does not know the code, and would
    report it as unknown, like a fault of the server."""

    errno = 87
    message = "INVALID_RECORD"
    description = "The record breaks the rules of its topic"


kafka_errors[InvalidRecord.errno] = InvalidRecord
_OF_THE_RECORD = (
    *(CorruptRecordException, InvalidMessageError, InvalidTimestampError, InvalidTopicError),
    *(MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecord),
)
"""Errors of Kafka that concern one record. Its other refusals concern the producer (no right to the topic,
outdated)."""


class Receipt:
    """The results of published records, by their positions in the caller's list. Records that went into a batch are not
    kept a second time: they are read back from it when they are asked for."""

    __slots__ = ("_placed", "_refused")

    def __init__(self) -> None:
        self._placed: list[tuple[Run, Sequence[int]]] = []
        self._refused: dict[int, tuple[Record, TellbackError]] = {}

    def refuse(self, index: int, record: Record, error: Exception) -> None:
        """Note a record that was refused before it went into a batch."""
        self._refused[index] = record, told(error)

    def add(self, records: Sequence[Record], batcher: PartitionBatcher, indexes: Sequence[int]) -> None:
        """Put the records at these positions into the batches of their partition, in order; records for which there is
        no room are refused."""
        placed = 0
        for run in batcher.add([records[index] for index in indexes]):
            self._placed.append((run, indexes[placed : placed + run.length]))
            placed += run.length
        for index in indexes[placed:]:
            self.refuse(index, records[index], KafkaUnavailable())

    async def failures(self) -> dict[int, TellbackError]:
        """The errors by position, once everything is settled; empty when all in-sync replicas have all records."""
        found = {index: error for index, (_, error) in self._refused.items()}
        for run, indexes in self._placed:
            if failures := await run.group.future:
                for position, index in enumerate(indexes, run.position):
                    if (error := failures.get(position)) is not None:
                        found[index] = told(error)
        return found

    def records(self, indexes: Iterable[int]) -> list[Record]:
        """The records at these positions. For a record read back from a batch, the key stands for the account."""
        found = {index: record for index, (record, _) in self._refused.items()}
        for run, placed in self._placed:
            found.update(zip(placed, run.records(), strict=True))
        return [found[index] for index in indexes]


def told(error: Exception) -> TellbackError:
    """The error for callers, and for the metrics, that a failure of Kafka stands for."""
    if not isinstance(error, TellbackError):
        away = isinstance(error, AWAY) or (isinstance(error, KafkaError) and not isinstance(error, _OF_THE_RECORD))
        error = KafkaUnavailable() if away else RecordRefused()
    publish_failures_total.labels(error.code).inc()
    return error
