"""Polled batches, and what becomes of their records inside the transaction: verdicts, parked records, moved cursors."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import attrgetter

from shared.db.cursors import Advance, Cursor
from shared.db.engine import from_driver
from shared.db.erasures import Journal
from shared.db.parked import Fault, RawRecord, put_aside
from shared.db.set_aside import HANDLER_ERROR, KILLED, MUST_APPLY_WAIT, WAITS
from shared.db.transaction import WriteTx
from shared.errors import HandlerFailed, TellbackError
from shared.events.envelope import PlainReaders
from shared.events.responses import StakeholderErased
from shared.kafka.connection import KafkaConnection
from shared.kafka.dead_letter import forget_kept, overtaken, park
from shared.kafka.decoding import PolledRecord, fingerprint
from shared.telemetry.tracebacks import kind_of, without_data
from shared.topics import INVITATION_UNSUBSCRIBED, RESPONSE_WITHDRAWN, STAKEHOLDER_ERASED, Topic
from shared.verdicts import CHANGE, BatchHandler, Outcome, Verdict, dead_letter
from shared.version import version

MAX_RECORDS = 5_000
MUST_APPLY = frozenset({STAKEHOLDER_ERASED, RESPONSE_WITHDRAWN, INVITATION_UNSUBSCRIBED})
"""Events that are never given up: withdrawals, erasures and objections."""
PARKED = frozenset({Outcome.CONFLICT, Outcome.DEAD_LETTERED})
"""Outcomes of records that are kept, with their bytes."""


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """What a consumer reads and how. `group` and topic names get the prefix of the environment. With a `journal`,
    records about erased people are not parked. Events with a `plain` reader come without a model where that reader
    succeeds. `copies` are those of every partition in Kafka."""

    service: str
    topics: tuple[Topic, ...]
    kafka: KafkaConnection
    topic_prefix: str = ""
    owner: str = "replica"
    dead_letter_limit: int = 1_000
    max_records: int = MAX_RECORDS
    session_timeout_ms: int = 15_000
    journal: Journal | None = None
    plain: PlainReaders = field(default_factory=dict)
    version: str = field(default_factory=version)
    copies: int = 1

    @property
    def group(self) -> str:
        """The consumer group, one a service."""
        return f"{self.topic_prefix}tellback-{self.service}"


@dataclass(slots=True)
class PolledBatch:
    """The records of one partition from one poll, in offset order, and the verdict of each."""

    cursor: Cursor
    records: Sequence[PolledRecord]
    verdicts: list[Verdict] = field(default_factory=list)


async def apply_all(tx: WriteTx, batches: Sequence[PolledBatch], config: RunnerConfig) -> list[Advance]:
    """Handle the records of all partitions and park conflicts and dead letters; returns how the cursors move."""
    await _handle(tx, batches)
    return [await _conclude(tx, batch, config) for batch in batches]


async def _handle(tx: WriteTx, batches: Sequence[PolledBatch]) -> None:
    """Call the handlers. Consecutive records with the same handler are one call, also across partitions: a handler's
    statements cost the same for many records as for few."""
    verdicts: list[Verdict] = []
    everything = chain.from_iterable(batch.records for batch in batches)
    for handler, records in groupby(everything, key=attrgetter("handler")):
        if handler is None:
            verdicts += _verdicts_of_decoding(records)
        else:
            verdicts += await _verdicts_of_handler(handler, tx, records)
    start = 0
    for batch in batches:
        end = start + len(batch.records)
        batch.verdicts = verdicts[start:end]
        start = end


def _verdicts_of_decoding(records: Iterable[PolledRecord]) -> list[Verdict]:
    """The verdicts that decoding gave to records without a handler."""
    return [polled.verdict for polled in records if polled.verdict is not None]


async def _verdicts_of_handler(
    handler: BatchHandler, tx: WriteTx, records: Iterable[PolledRecord]
) -> Sequence[Verdict]:
    """The handler's verdict on each record. An unforeseen error is wrapped in `HandlerFailed`: an `OSError` of the
    handler would otherwise be taken for trouble with the database."""
    received = [polled.received for polled in records if polled.received is not None]
    try:
        verdicts = await handler(tx, received)
    except (TellbackError, MemoryError):
        raise
    except Exception as error:
        if from_driver(error):
            raise
        raise HandlerFailed(error) from error
    if len(verdicts) != len(received):
        raise TypeError(f"a handler of {received[0].topic} answered {len(verdicts)} of {len(received)} records")
    return verdicts


async def set_aside(tx: WriteTx, batch: PolledBatch, error: Exception | None, config: RunnerConfig) -> Advance:
    """Set the one record of the batch aside, since its handler failed on it, or, without an `error`, since processes
    died on it; returns how the cursor moves. If the record is an erasure, it is noted as pending, so that reads leave
    the person out."""
    [record] = batch.records
    event = record.event
    must_apply = None
    if event is not None and event.name in MUST_APPLY:
        must_apply = event.name
    if error is not None:
        batch.verdicts = [dead_letter(HANDLER_ERROR, kind_of(error))]
        fault = Fault(without_data(error), config.version, WAITS[0], must_apply)
    else:
        batch.verdicts = [dead_letter(KILLED, "the process ended whenever it was handled")]
        wait = None
        if must_apply is not None:
            wait = MUST_APPLY_WAIT
        fault = Fault("", config.version, wait, must_apply)
    if event is not None and config.journal is not None and isinstance(event.data, StakeholderErased):
        await config.journal.hide(tx, event.data)
    return await _conclude(tx, batch, config, fault)


async def _conclude(tx: WriteTx, batch: PolledBatch, config: RunnerConfig, fault: Fault | None = None) -> Advance:
    """Park what is to be parked, and move the cursor behind the batch. `fault` is why its only record is set aside."""
    parking = await _parking(tx, batch, config, fault)
    parked = [(raw, batch.verdicts[index]) for index, raw in parking.items()]
    if fault is not None:
        for raw, verdict in parked:
            await put_aside(tx, config.topic_prefix, raw, verdict, config.service, fault)
    else:
        await park(
            tx,
            config.topic_prefix,
            parked,
            service=config.service,
            version=config.version,
            limit=config.dead_letter_limit,
        )
        await _forget_erased(tx, batch)
    last = batch.records[-1].record
    counts = Counter(verdict.outcome for verdict in batch.verdicts)
    shown = [verdict for _, verdict in parked]
    return Advance(batch.cursor, last.offset + 1, last.offset, fingerprint(last), dict(counts), shown)


async def _parking(tx: WriteTx, batch: PolledBatch, config: RunnerConfig, fault: Fault | None) -> dict[int, RawRecord]:
    """The conflicts and dead letters, by their position in the batch. A record that an erasure has overtaken is not
    parked; its verdict becomes CHANGE."""
    parking: dict[int, RawRecord] = {}
    for index, verdict in enumerate(batch.verdicts):
        if verdict.outcome in PARKED:
            parking[index] = batch.records[index].raw
    never_given_up = fault is not None and fault.must_apply is not None
    if config.journal is None or never_given_up or not parking:
        return parking
    for index in await overtaken(tx, config.journal, parking):
        batch.verdicts[index] = CHANGE
        del parking[index]
    return parking


async def _forget_erased(tx: WriteTx, batch: PolledBatch) -> None:
    """Delete the parked records about people whom this batch erases."""
    for polled in batch.records:
        received = polled.received
        # The name is compared first: isinstance on a hundred thousand responses is not cheap.
        if received is not None and received.event.name == STAKEHOLDER_ERASED:
            erased = received.event.data
            if isinstance(erased, StakeholderErased):
                await forget_kept(tx, erased)
