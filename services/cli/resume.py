"""`tellback resume`: goes on knowingly after retention deleted records that a service had not read."""

from functools import partial
from importlib import import_module
from typing import Annotated

import typer

from services.cli.console import DataOption, JsonOption, as_json, say, table
from services.cli.installation import run_on
from services.cli.services import installed_services
from shared.errors import Invalid
from shared.settings import CommonSettings

COLUMNS = ("service", "topic", "partition", "lost")
Gap = tuple[str, str, int, int]
"""Service, full topic name, partition, and how many records are lost."""


def resume(
    accept_gap: Annotated[bool, typer.Option("--accept-gap", help="Go on without the lost records.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show the records that retention took before a service had read them; with --accept-gap go on without them.

    The gap stays written down in the cursor (`accepted_gap`), and `tellback doctor` shows it.
    """
    gaps = run_on(data, partial(_gaps, accept=accept_gap), kafka=True)
    if json:
        as_json([dict(zip(COLUMNS, gap, strict=True)) for gap in gaps])
        return
    if gaps:
        table(COLUMNS, [(service, topic, str(partition), lost) for service, topic, partition, lost in gaps])
    if not gaps:
        say("no gaps")
    elif accept_gap:
        say("accepted: the services go on behind the gap")
    else:
        raise Invalid("gap", "these records are lost; to go on without them say --accept-gap")


def reading_services() -> dict[str, list[str]]:
    """Service -> the topics it reads, without prefix, for services that read any."""
    found: dict[str, list[str]] = {}
    for service in installed_services():
        for topic in import_module(f"services.{service}").READS:
            found.setdefault(service, []).append(topic.name)
    return found


def schema_of(service: str) -> str:
    """The schema of a service."""
    return str(import_module(f"services.{service}").SCHEMA)


async def _gaps(common: CommonSettings, *, accept: bool) -> list[Gap]:
    from shared.db.cursors import accept_gap, statement_of_account
    from shared.db.engine import Database
    from shared.kafka.offsets import log_ranges
    from shared.topics import BY_NAME

    gaps: list[Gap] = []
    for service in reading_services():
        async with Database.of(common, schema_of(service), pool_size=1) as database:
            async with database.read() as tx:
                cursors = [
                    row for row in await statement_of_account(tx) if row["topic"].startswith(common.topic_prefix)
                ]
            ranges = await log_ranges(common.kafka, [(row["topic"], row["partition"]) for row in cursors])
            for row in cursors:
                first, _ = ranges[row["topic"], row["partition"]]
                compacted = BY_NAME[row["topic"].removeprefix(common.topic_prefix)].compacted
                if first > row["next_offset"] and not compacted:
                    gaps.append((service, row["topic"], row["partition"], first - row["next_offset"]))
                    if accept:
                        async with database.write() as tx:
                            await accept_gap(tx, row["topic"], row["partition"], first)
    return gaps
