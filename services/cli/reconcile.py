"""`tellback reconcile`: every record read is in exactly one outcome, and what counted as new is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.installation import run_on
from services.cli.services import installed_services
from shared.settings import CommonSettings
from shared.topics import Topic

if TYPE_CHECKING:
    from shared.db.transaction import ReadTx

NEW = "new"
OUTCOMES = (NEW, "repeat", "change", "pending", "conflict", "passed_over", "dead_lettered")
"""The values of shared.verdicts.Outcome, without the cost of that import."""


@dataclass(frozen=True, slots=True)
class Line:
    """The counts of one partition as one service has read it. `stored` is None where the service keeps no row a
    record."""

    service: str
    topic: str
    partition: int
    read: int
    outcomes: dict[str, int]
    stored: int | None

    @property
    def faults(self) -> list[str]:
        """The counts that do not add up; empty when all do."""
        faults = []
        if self.read != sum(self.outcomes.values()):
            faults.append("read ≠ sum of outcomes")
        if self.stored is not None and self.stored != self.outcomes[NEW]:
            faults.append("new ≠ stored")
        return faults


def reconcile(data: DataOption = None, json: JsonOption = False) -> None:
    """Compare, per service and partition, records read with their outcomes, and new ones with rows stored.

    Exit code 1 when something does not add up.
    """
    lines = run_on(data, partial(read_lines, services=installed_services()))
    faulty = [line for line in lines if line.faults]
    if json:
        as_json({"ok": not faulty, "partitions": [{**asdict(line), "faults": line.faults} for line in lines]})
    else:
        columns = ("service", "topic", "partition", "read", *OUTCOMES, "stored", "adds up")
        table(columns, map(_row, lines))
        if faulty:
            say(f"{len(faulty)} of {len(lines)} partitions do not add up")
        else:
            say("everything adds up")
    if faulty:
        raise typer.Exit(Exit.FAILED)


def _row(line: Line) -> tuple[Any, ...]:
    adds_up = ", ".join(line.faults) or "yes"
    return line.service, line.topic, str(line.partition), line.read, *line.outcomes.values(), line.stored, adds_up


async def read_lines(common: CommonSettings, services: Sequence[str]) -> list[Line]:
    """One line for each partition that these services have read. Raises Unavailable."""
    from shared.db.engine import Database

    lines: list[Line] = []
    for service in services:
        async with Database.of(common, service, pool_size=1) as database, database.read() as tx:
            lines += await _of_service(tx, service, common.topic_prefix)
    return lines


async def _of_service(tx: "ReadTx", service: str, prefix: str) -> list[Line]:
    """The lines of one service, from one snapshot, in which cursors and rows are consistent."""
    if not await tx.has_table(f"{service}.cursors"):
        return []
    cursors = await tx.all(
        "select topic, partition, read_count, new_count, repeat_count, change_count, pending_count, conflict_count,"
        " passed_over_count, dead_lettered_count from cursors where starts_with(topic, :prefix)"
        " order by topic, partition",
        prefix=prefix,
    )
    partitions = 1 + max((row["partition"] for row in cursors), default=0)  # every topic has the same number
    stored = await stored_rows(tx, service, partitions)
    lines = []
    for row in cursors:
        topic, partition = row["topic"].removeprefix(prefix), row["partition"]
        outcomes = {name: row[f"{name}_count"] for name in OUTCOMES}
        lines.append(Line(service, topic, partition, row["read_count"], outcomes, stored.get((topic, partition))))
    return lines


async def stored_rows(tx: "ReadTx", service: str, partitions: int) -> dict[tuple[str, int], int]:
    """Rows stored, by topic and partition out of so many, where the service has statements to count them."""
    from shared.kafka.partition import partition_of

    statements = _statements(service)
    counts: dict[tuple[str, int], int] = {}
    for topic, statement in statements.items():
        counts |= {(topic.name, partition): 0 for partition in range(partitions)}
        async for row in tx.stream(statement):
            counts[topic.name, partition_of(row["account_id"], partitions)] += row["rows"]
    return counts


def _statements(service: str) -> Mapping[Topic, str]:
    """Topic -> the statement that counts (account_id, rows), from the service's `store/stored.py`; empty without
    one."""
    store = find_spec(f"services.{service}.store")
    if store is None or not store.submodule_search_locations or not find_spec(f"{store.name}.stored"):
        return {}
    statements: Mapping[Topic, str] = import_module(f"{store.name}.stored").STORED
    return statements
