"""Checks of running parts: the database and its migrations, the topics, the position of every service, parked
records."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from services.cli.checks import Check, failed, not_checked, ok, warning
from services.cli.topics import differences
from shared.clock import Clock, SystemClock
from shared.db.engine import ConnectionsUsedUp, Database, lacks_right
from shared.db.migrate import levels
from shared.db.schemas import Standing
from shared.db.transaction import ReadTx
from shared.errors import TellbackError, Unavailable
from shared.kafka.admin import Admin, TopicState
from shared.kafka.connection import KafkaConnection, is_loopback
from shared.kafka.offsets import log_ranges
from shared.settings import CommonSettings
from shared.topics import BY_NAME

MORE_CONNECTIONS = "raise max_connections, or end what does not belong there"
DURABLE = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_write", "remote_apply")}
CLOCK_SECONDS = 2.0
LAG_RECORDS = 10_000
OUTBOX_SECONDS = 60.0
CONNECTIONS_SHARE = 0.8
FORBIDDEN = "the role that TELLBACK_DATABASE_URL names has no right to look, as that of one service has not"
AS_OWNER = "run the doctor as the owner of the database; of containers, `docker compose run --rm migrate doctor`"


async def as_far_as_allowed(name: str, checks: Awaitable[list[Check]]) -> list[Check]:
    """The checks; where our role lacks a right for them, one that could not be made in their place."""
    try:
        return await checks
    except Exception as error:
        if not lacks_right(error):
            raise
        return [not_checked(name, FORBIDDEN, AS_OWNER)]


async def database(common: CommonSettings, clock: Clock | None = None) -> list[Check]:
    """Whether PostgreSQL answers, keeps acknowledged data, has the right time, and is at the schema of this release."""
    try:
        async with Database.of(common, "public", pool_size=1) as handle, handle.read() as tx:
            checks = [await _durability(tx), await _clock(tx, clock or SystemClock()), await _connections(tx)]
        checks += await as_far_as_allowed("migrations", _migrations(common))
    except ConnectionsUsedUp as error:
        return [failed("database", error.detail, MORE_CONNECTIONS)]
    except Unavailable as error:
        return [failed("database", error.fault or error.detail, "start PostgreSQL, and check TELLBACK_DATABASE_URL")]
    except TellbackError as error:
        return [failed("database", error.detail, error.code)]
    return [ok("database", "answers"), *checks]


async def _durability(tx: ReadTx) -> Check:
    values = {name: str(await tx.scalar(f"show {name}")) for name in DURABLE}
    shown = ", ".join(f"{name}={value}" for name, value in values.items())
    if all(values[name] in good for name, good in DURABLE.items()):
        return ok("durability", shown)
    return failed("durability", shown, "set all three to on: an answered commit may be lost otherwise")


async def _clock(tx: ReadTx, clock: Clock) -> Check:
    """The difference between this machine's clock, by which keys expire, and the database's, by which figures are
    counted."""
    asked = clock.now()
    theirs = await tx.scalar("select clock_timestamp()")
    ahead = (asked - theirs).total_seconds()
    direction = "behind"
    if ahead > 0:
        direction = "ahead of"
    difference = f"{abs(ahead):.2f} s {direction} the database's"
    if abs(ahead) <= CLOCK_SECONDS:
        return ok("clock", difference)
    return failed("clock", difference, "let both machines keep time by NTP, then start the services anew")


async def _connections(tx: ReadTx) -> Check:
    used = int(await tx.scalar("select count(*) from pg_stat_activity where backend_type = 'client backend'"))
    most = int(await tx.scalar("show max_connections"))
    usage = f"{used} of {most} connections in use"
    if used < CONNECTIONS_SHARE * most:
        return ok("connections", usage)
    return warning("connections", usage, MORE_CONNECTIONS)


async def _migrations(common: CommonSettings) -> list[Check]:
    by_standing: dict[Standing, list[str]] = {}
    for level in await levels(common.database_url, password_file=common.database_password_file):
        shown = f"{level.schema} is at {level.found or 'nothing'}, this release knows it up to {level.wanted}"
        by_standing.setdefault(level.standing, []).append(shown)
    if incompatible := by_standing.get(Standing.INCOMPATIBLE):
        fix = "run the release that migrated it, or restore the backup of before (docs/operations.md)"
        return [failed("migrations", ", ".join(incompatible), fix)]
    if behind := by_standing.get(Standing.BEHIND):
        return [failed("migrations", ", ".join(behind), "run `tellback migrate`")]
    if ahead := by_standing.get(Standing.AHEAD):
        return [ok("migrations", f"{', '.join(ahead)}; a newer release has migrated it, and this one works with it")]
    return [ok("migrations", "every schema is at this release")]


async def kafka(common: CommonSettings) -> list[Check]:
    """Whether Kafka answers and the topics are as declared."""
    try:
        async with Admin.connected(common.kafka, common.topic_prefix) as admin:
            states = await admin.inspect(common.replication_factor)
    except Unavailable as error:
        return [failed("kafka", error.fault or error.detail, "start Kafka, and check TELLBACK_KAFKA_*")]
    return [ok("kafka", "answers"), *_unguarded(common.kafka), _topics(states)]


def _unguarded(kafka: KafkaConnection) -> list[Check]:
    """A remark where a password leaves this machine in the clear."""
    if kafka.security_protocol != "SASL_PLAINTEXT":
        return []
    away = sorted({host for host, _ in kafka.addresses() if not is_loopback(host)})
    if not away:
        return []
    found = f"SASL_PLAINTEXT: password and answers go to {', '.join(away)} without encryption"
    return [warning("kafka: encryption", found, "set TELLBACK_KAFKA_SECURITY_PROTOCOL=SASL_SSL, where the brokers can")]


def _topics(states: Sequence[TopicState]) -> Check:
    missing, faults, counts = [], [], set()
    for state in states:
        if not state.exists:
            missing.append(state.name)
            continue
        counts.add(state.partitions)
        if state.differs or state.unreadable:
            faults.append(f"{state.name} ({differences(state)})")
    if missing:
        faults.insert(0, f"missing: {', '.join(missing)}")
        return failed("topics", "; ".join(faults), "run `tellback topics apply`")
    if len(counts) > 1:
        fault = f"different numbers of partitions: {sorted(counts)}"
        return failed("topics", fault, "all need the same: make the topics anew")
    if faults:
        fix = "run `tellback topics apply`; of what Kafka refuses, docs/operations.md says what it is for"
        return warning("topics", "; ".join(faults), fix)
    return ok("topics", f"{len(states)} topics of {counts.pop()} partitions, as declared")


async def reading(common: CommonSettings, service: str) -> list[Check]:
    """A service's position in its topics, its parked records, and its outbox."""
    async with Database.of(common, service, pool_size=1) as handle, handle.read() as tx:
        if not await tx.has_table(f"{service}.cursors"):
            return []
        cursors = await tx.all(
            "select topic, partition, next_offset, cluster_id, accepted_gap, truncated_count from cursors"
            " where starts_with(topic, :prefix)",
            prefix=common.topic_prefix,
        )
        parked = await _parked(tx, service)
        outbox = await _outbox(tx, service)
    if not cursors:
        return [parked, outbox]
    return [await _position(common, service, [dict(row) for row in cursors]), parked, outbox]


async def _position(common: CommonSettings, service: str, cursors: Sequence[Mapping[str, Any]]) -> Check:
    """The lag, and what halts reading: another Kafka, cursors beyond the log, records that retention took unread."""
    name = f"{service}: reading"
    async with Admin.connected(common.kafka) as admin:
        cluster = await admin.cluster_id()
    ranges = await log_ranges(common.kafka, [(row["topic"], row["partition"]) for row in cursors])
    lag = unread = 0
    for row in cursors:
        first, end = ranges[row["topic"], row["partition"]]
        position, replay = row["next_offset"], f"restore Kafka, or `tellback replay {service}` reads it anew"
        if row["cluster_id"] not in (None, cluster):
            return failed(name, f"Kafka is another cluster than the one read so far ({row['cluster_id']})", replay)
        if position > end:
            outside = f"beyond the log: {row['topic']}/{row['partition']} at {position}, log {first} to {end}"
            return failed(name, outside, f"Kafka was wiped or restored: {replay}")
        topic = BY_NAME.get(row["topic"].removeprefix(common.topic_prefix))
        if topic is not None and not topic.compacted:
            unread += max(0, first - position)
        lag += end - max(position, first)
    if unread:
        gap = f"retention deleted {unread:,} records before they were read"
        return failed(name, gap, "`tellback resume` lists them, and with --accept-gap goes on without them")
    behind = f"{lag:,} records behind, over {len(cursors)} partitions"
    accepted = sum(row["accepted_gap"] for row in cursors)
    if accepted:
        behind += f"; {accepted:,} that retention deleted unread were given up"
    truncated = sum(row["truncated_count"] for row in cursors)
    if truncated:
        behind += f"; Kafka lost {truncated:,} at the end of its log after they were read"
    if lag > LAG_RECORDS:
        return warning(name, behind, f"see whether {service} runs and reads (`tellback status`, its log)")
    return ok(name, behind)


async def _parked(tx: ReadTx, service: str) -> Check:
    name = f"{service}: parked"
    [(letters, conflicts, waiting, must_apply)] = await tx.rows(
        "select count(*) filter (where kind = 'dead_letter' and state = 'dead' and replayed_at is null) as letters,"
        " count(*) filter (where kind = 'conflict') as conflicts,"
        " count(*) filter (where state <> 'dead') as waiting,"
        " count(*) filter (where must_apply is not null) as must_apply from parked"
    )
    counts = f"{letters} dead letters, {conflicts} conflicts, {waiting} records that are tried again"
    if must_apply:
        counts = f"{must_apply} erasures, withdrawals or objections cannot be applied; {counts}"
        return failed(name, counts, f"`tellback dlq show ID` says why; a release that mends {service} applies them")
    if letters or waiting:
        return warning(name, counts, "`tellback dlq list` says why; replay or drop them")
    return ok(name, counts)


async def _outbox(tx: ReadTx, service: str) -> Check:
    name = f"{service}: outbox"
    [(waiting, age)] = await tx.rows(
        "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)"
        " from outbox where published_at is null"
    )
    state = "empty"
    if waiting:
        state = f"{waiting} events wait, the oldest for {age:.0f} s"
    if age > OUTBOX_SECONDS:
        return failed(name, state, f"see the log of {service}: Kafka may be away")
    return ok(name, state)
