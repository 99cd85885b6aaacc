"""`tellback dlq`: looks into the dead letters of every service, has them tried again or drops them, straight in the
database, so that it works also for a service that does not run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from services.cli.console import DataOption, JsonOption, WrongUse, as_json, say, table
from services.cli.installation import run_on
from services.cli.services import installed_services
from shared.errors import NotFound
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from shared.db.engine import Database
    from shared.db.parked import Content, Facts

LIST_LIMIT = 200
ServiceOption = Annotated[str | None, typer.Option("--service", help="Only those of one service.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only those with this reason.")]
IdArgument = Annotated[UUID, typer.Argument(help="The id that `dlq list` shows.")]

app = typer.Typer(no_args_is_help=True, help="Look into dead letters, have them tried again, or drop them.")


@app.command("list")
def list_letters(
    service: ServiceOption = None,
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many of each service.")] = LIST_LIMIT,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """The dead letters, the newest first; never what is in them."""
    letters = run_on(data, partial(_listed, service=service, reason=reason, limit=limit))
    if json:
        as_json([{"service": name, **asdict(facts)} for name, facts in letters])
        return
    columns = (
        "service",
        "id",
        "reason",
        "state",
        "topic",
        "partition",
        "offset",
        "account",
        "parked at",
        "replayed at",
    )
    table(columns, [_row(name, facts) for name, facts in letters])
    say(f"{len(letters) or 'no'} dead letters")


def _row(service: str, facts: "Facts") -> tuple[Any, ...]:
    return (
        service,
        str(facts.id),
        facts.reason,
        facts.state,
        facts.topic,
        str(facts.partition),
        facts.offset,
        facts.account_id,
        _seconds(facts.parked_at),
        _seconds(facts.replayed_at),
    )


def _seconds(moment: datetime | None) -> str | None:
    if moment:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    return None


@app.command("show")
def show(letter: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """One dead letter with its headers and content, which people may have written."""
    name, facts, content = run_on(data, partial(_found, letter=letter))
    del json  # always JSON: the content may hold control sequences of a terminal
    value = None
    if content.value is not None:
        value = content.value.decode(errors="replace")
    as_json(
        {
            "service": name,
            **asdict(facts),
            "key": (content.key or b"").decode(errors="replace"),
            "headers": {header: raw.decode(errors="replace") for header, raw in content.headers},
            "value": value,
        }
    )


@app.command("replay")
def replay(
    letter: Annotated[UUID | None, typer.Argument(help="The id that `dlq list` shows; else --all.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were never tried again by hand.")] = False,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Have dead letters tried again by the service that read them, as soon as it runs."""
    if (letter is None) == (not every):
        raise WrongUse("which", "name one dead letter, or say --all")
    count = run_on(data, partial(_replayed, letter=letter, service=service, reason=reason))
    if json:
        as_json({"replayed": count})
    else:
        say(f"{count} dead letters are tried again")


@app.command("drop")
def drop(letter: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Delete a dead letter for good; its count stays."""
    run_on(data, partial(_dropped, letter=letter))
    if json:
        as_json({"dropped": letter})
    else:
        say("dropped")


@asynccontextmanager
async def _databases(common: CommonSettings, service: str | None = None) -> "AsyncIterator[dict[str, Database]]":
    """The services that keep parked records, each with its database."""
    from shared.db.engine import Database

    opened: dict[str, Database] = {}
    try:
        for name in installed_services():
            if service in (None, name):
                database = Database.of(common, name, pool_size=1)
                opened[name] = database
                async with database.read() as tx:
                    if not await tx.has_table(f"{name}.parked"):
                        del opened[name]
                        await database.close()
        yield opened
    finally:
        for database in opened.values():
            await database.close()


async def _listed(
    common: CommonSettings, service: str | None, reason: str | None, limit: int
) -> "list[tuple[str, Facts]]":
    from shared.db.parked import list_parked

    listed: list[tuple[str, Any]] = []
    async with _databases(common, service) as databases:
        for name, database in databases.items():
            async with database.read() as tx:
                letters = await list_parked(tx, "dead_letter", reason=reason, limit=limit)
            listed += [(name, facts) for facts in letters]
    return sorted(listed, key=lambda letter: letter[1].parked_at, reverse=True)


async def _found(common: CommonSettings, letter: UUID) -> "tuple[str, Facts, Content]":
    from shared.db.parked import find_parked

    async with _databases(common) as databases:
        for name, database in databases.items():
            async with database.read() as tx:
                if parked := await find_parked(tx, "dead_letter", letter):
                    return name, *parked
    raise _unknown()


async def _replayed(common: CommonSettings, letter: UUID | None, service: str | None, reason: str | None) -> int:
    from shared.clock import SystemClock
    from shared.db.parked import list_parked, put_back

    count = 0
    async with _databases(common, service) as databases:
        for database in databases.values():
            async with database.write() as tx:
                if letter is not None:
                    letters = [letter]
                else:
                    waiting = await list_parked(tx, "dead_letter", reason=reason, limit=10_000)
                    letters = [facts.id for facts in waiting if facts.replayed_at is None]
                for letter_id in letters:
                    count += await put_back(tx, letter_id, SystemClock().now()) is not None
    if letter is not None and not count:
        raise _unknown()
    return count


async def _dropped(common: CommonSettings, letter: UUID) -> None:
    from services.collector.handlers import lost_rows
    from services.scorer.handlers import file_rows
    from shared.clock import SystemClock
    from shared.db.parked import drop_parked

    when_dropped = {"collector": lost_rows.count_dropped, "scorer": file_rows.count_dropped}
    async with _databases(common) as databases:
        for name, database in databases.items():
            async with database.write() as tx:
                dropped = await drop_parked(tx, "dead_letter", letter)
                if dropped is None:
                    continue
                if name in when_dropped:
                    await when_dropped[name](tx, dropped, SystemClock().now())
                return
    raise _unknown()


def _unknown() -> NotFound:
    return NotFound("unknown_dead_letter", "no service has a dead letter of this id")
