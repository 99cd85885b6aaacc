"""Cursors: how far each partition was read, by which replica, and the outcomes of its records; stored beside the
state."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import RowMapping

from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.errors import TellbackError
from shared.verdicts import Outcome, Verdict

Place = tuple[str, int]
"""A full topic name (with prefix) and a partition."""
_COUNT_OF = {outcome: f"{outcome.value}_count" for outcome in Outcome}
"""Outcome -> the column that counts it."""
_COUNTS = ", ".join(_COUNT_OF.values())
_ADDED = comma_list("{0} = cursors.{0} + batch.{0}", _COUNT_OF.values())
_ARRAYS = comma_list("cast(:{0} as bigint[])", _COUNT_OF.values())
ANCHOR_AGE = "2 minutes"
"""How old a record is at the least before it becomes the anchor of its partition: by then Linux has written it to the
disk (it does within 35 seconds), so a power cut leaves it in the log."""
_DUE = f"(cursors.anchored_at is null or cursors.anchored_at < now() - interval '{ANCHOR_AGE}')"
_ANCHORED = f"""
    anchor_offset = case when {_DUE} then cursors.next_anchor_offset else cursors.anchor_offset end,
    anchor_fingerprint = case when {_DUE} then cursors.next_anchor_fingerprint else cursors.anchor_fingerprint end,
    next_anchor_offset = case when {_DUE} then batch.last_offset else cursors.next_anchor_offset end,
    next_anchor_fingerprint = case when {_DUE} then batch.fingerprint else cursors.next_anchor_fingerprint end,
    anchored_at = case when {_DUE} then now() else cursors.anchored_at end
"""
_NO_ANCHOR = (
    "anchor_offset = null, anchor_fingerprint = null, next_anchor_offset = null, next_anchor_fingerprint = null,"
    " anchored_at = null"
)
NOTHING_READ = f"last_offset = null, last_fingerprint = null, {_NO_ANCHOR}"
"""What is set where the records that were read before are not those of the log any more."""
ADVANCE = f"""
    update cursors set next_offset = batch.next_offset, last_offset = batch.last_offset,
        last_fingerprint = batch.fingerprint, read_count = read_count + batch.records, updated_at = now(),
        claims = 0, suspect_offset = null, {_ADDED}, {_ANCHORED}
    from unnest(cast(:topic as text[]), cast(:partition as int[]), cast(:next_offset as bigint[]),
        cast(:last_offset as bigint[]), cast(:fingerprint as text[]), cast(:records as bigint[]),
        {_ARRAYS})
        as batch(topic, partition, next_offset, last_offset, fingerprint, records, {_COUNTS})
    where cursors.topic = batch.topic and cursors.partition = batch.partition
"""


class Fenced(TellbackError):
    """Another replica has claimed the partition since, so this replica must not write its batch."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__("fenced", "the partition belongs to another replica now")
        self.places = list(places)


@dataclass(slots=True)
class Cursor:
    """Where reading goes on. `epoch` is the fencing token; `last_offset` and `last_fingerprint` reveal a wiped Kafka.
    `claims` counts the processes that claimed the partition since the cursor last moved, `suspect_offset` is the record
    that is being tried alone. The anchor is a record that was read some minutes ago: reading goes back to it when the
    log has lost its tail."""

    topic: str
    partition: int
    next_offset: int
    epoch: int
    cluster_id: str | None = None
    last_offset: int | None = None
    last_fingerprint: str | None = None
    claims: int = 0
    suspect_offset: int | None = None
    anchor_offset: int | None = None

    @property
    def place(self) -> Place:
        """The cursor's key: topic and partition."""
        return self.topic, self.partition


@dataclass(slots=True)
class Advance:
    """What a batch does to a cursor, together with the batch's other writes."""

    cursor: Cursor
    next_offset: int
    last_offset: int
    last_fingerprint: str
    counts: dict[Outcome, int] = field(default_factory=dict)
    parked: list[Verdict] = field(default_factory=list)


async def claim(tx: WriteTx, topic: str, partition: int, beginning: int, owner: str, cluster_id: str) -> Cursor:
    """Claim a partition and raise its epoch, which fences the replica that held it. A partition without a cursor starts
    at `beginning`."""
    row = await tx.one(
        "insert into cursors (topic, partition, next_offset, epoch, owner, cluster_id, claims)"
        " values (:topic, :partition, :beginning, 1, :owner, :cluster_id, 1)"
        " on conflict (topic, partition) do update"
        " set epoch = cursors.epoch + 1, owner = excluded.owner, updated_at = now(),"
        " claims = cursors.claims + cast(cursors.owner is distinct from excluded.owner as int),"
        " cluster_id = coalesce(cursors.cluster_id, excluded.cluster_id)"
        " returning next_offset, epoch, cluster_id, last_offset, last_fingerprint, claims, suspect_offset,"
        " anchor_offset",
        topic=topic,
        partition=partition,
        beginning=beginning,
        owner=owner,
        cluster_id=cluster_id,
    )
    return Cursor(topic, partition, **(row or {}))


async def require(tx: WriteTx, cursors: Sequence[Cursor]) -> None:
    """Lock the cursors and check that no other replica has claimed them. Raises `Fenced`."""
    rows = await tx.all(
        "select topic, partition, next_offset, epoch from cursors"
        " where (topic, partition) in (select * from unnest(cast(:topics as text[]), cast(:partitions as int[])))"
        " order by topic, partition for update",
        **as_columns({"topics": cursor.topic, "partitions": cursor.partition} for cursor in cursors),
    )
    stored = {(row["topic"], row["partition"]): (row["next_offset"], row["epoch"]) for row in rows}
    lost = [cursor.place for cursor in cursors if stored.get(cursor.place) != (cursor.next_offset, cursor.epoch)]
    if lost:
        raise Fenced(lost)


async def advance(tx: WriteTx, advances: Sequence[Advance]) -> None:
    """Move the cursors and add the outcomes, in one statement for the whole batch."""
    rows = []
    for step in advances:
        row = {
            "topic": step.cursor.topic,
            "partition": step.cursor.partition,
            "next_offset": step.next_offset,
            "last_offset": step.last_offset,
            "fingerprint": step.last_fingerprint,
            "records": sum(step.counts.values()),
        }
        for outcome, name in _COUNT_OF.items():
            row[name] = step.counts.get(outcome, 0)
        rows.append(row)
    await tx.execute(ADVANCE, **as_columns(rows))


async def suspect(tx: WriteTx, cursor: Cursor, offset: int) -> None:
    """Note the offset of a record before it is tried alone, since it may be the one that ends the process."""
    await tx.execute(
        "update cursors set suspect_offset = :offset, claims = :claims where topic = :topic and partition = :partition",
        offset=offset,
        claims=cursor.claims,
        topic=cursor.topic,
        partition=cursor.partition,
    )


async def trust(tx: WriteTx, cursors: Sequence[Cursor]) -> None:
    """Clear the suspected offset and the count of claims: this process hands the partitions over alive."""
    await tx.execute(
        "update cursors set claims = 0, suspect_offset = null where (topic, partition, epoch) in"
        " (select * from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:epochs as bigint[])))",
        **as_columns(
            {"topics": cursor.topic, "partitions": cursor.partition, "epochs": cursor.epoch} for cursor in cursors
        ),
    )


async def recount(tx: WriteTx, place: Place, outcomes: Mapping[Outcome, int]) -> None:
    """Count a record of the partition under its later outcome instead of as a dead letter."""
    changes = Counter(outcomes)
    changes[Outcome.DEAD_LETTERED] -= 1
    sets = ", ".join(f"{_COUNT_OF[outcome]} = {_COUNT_OF[outcome]} + ({change})" for outcome, change in changes.items())
    await tx.execute(
        f"update cursors set {sets} where topic = :topic and partition = :partition", topic=place[0], partition=place[1]
    )


async def accept_gap(tx: WriteTx, topic: str, partition: int, beginning: int) -> int:
    """Go on knowingly after retention passed the cursor; returns how many records are lost and notes them."""
    row = await tx.one(
        "update cursors set accepted_gap = accepted_gap + greatest(:beginning - next_offset, 0),"
        " next_offset = greatest(next_offset, :beginning), epoch = epoch + 1, updated_at = now()"
        " where topic = :topic and partition = :partition"
        " returning accepted_gap",
        topic=topic,
        partition=partition,
        beginning=beginning,
    )
    if row is None:
        return 0
    return int(row["accepted_gap"])


async def begin_anew(tx: WriteTx, beginnings: Mapping[Place, int]) -> int:
    """Read these partitions from the offsets given, as if for the first time: the replica that reads them is fenced and
    starts over, and repeats are recognised by their event ids. Returns how many partitions had a cursor."""
    return await tx.execute(
        f"update cursors set next_offset = batch.beginning, {NOTHING_READ},"
        " cluster_id = null, epoch = epoch + 1, updated_at = now()"
        " from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:beginnings as bigint[]))"
        " as batch(topic, partition, beginning)"
        " where cursors.topic = batch.topic and cursors.partition = batch.partition",
        topics=[topic for topic, _ in beginnings],
        partitions=[partition for _, partition in beginnings],
        beginnings=list(beginnings.values()),
    )


async def go_back(tx: WriteTx, cursor: Cursor, lost: int) -> None:
    """Go back to the record after the anchor, since the log has lost its tail, of which `lost` records had been read.
    The anchor is then the record that was read last, so that reading checks whether it is there still."""
    await tx.execute(
        "update cursors set next_offset = anchor_offset + 1, last_offset = anchor_offset,"
        f" last_fingerprint = anchor_fingerprint, {_NO_ANCHOR},"
        " truncated_count = truncated_count + :lost, updated_at = now()"
        " where topic = :topic and partition = :partition and epoch = :epoch and anchor_offset is not null",
        topic=cursor.topic,
        partition=cursor.partition,
        epoch=cursor.epoch,
        lost=lost,
    )


async def statement_of_account(tx: ReadTx) -> Sequence[RowMapping]:
    """Every cursor with its counts, for `tellback reconcile` and `doctor`."""
    return await tx.all(
        f"select topic, partition, next_offset, read_count, accepted_gap, {_COUNTS} from cursors"
        " order by topic, partition"
    )
