"""Output of all commands: lines, tables, JSON for machines, and exit codes."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.errors import Conflict, Invalid, TellbackError, Unavailable
from shared.settings import InvalidSettings

DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data folder; default TELLBACK_DATA_DIR, else that of this user."),
]
WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help="Try again for so long while Kafka or PostgreSQL is away."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class Exit(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    FAILED = 1  # the command has run, and something is wrong
    USAGE = 2  # options or settings are wrong; nothing was done
    UNAVAILABLE = 3  # Kafka, PostgreSQL or a service does not answer, or nothing runs
    BUSY = 4  # another `up` or command holds the data folder, or a port is taken
    INTERRUPTED = 130  # Ctrl-C before there was anything to stop


class Busy(Conflict):
    """Another process holds the data folder or a port."""


class WrongUse(Invalid):
    """The arguments name something that does not exist, or too little."""


def say(line: str = "") -> None:
    """Print a line to standard output without buffering, wrapping or colours, also into a pipe."""
    typer.echo(line)


def say_failed(what: str, names: Sequence[str]) -> None:
    """Print to standard error the names of the items that failed; the log has the reasons."""
    typer.echo(f"error: {len(names):,} {what}:", err=True)
    for name in names:
        typer.echo(f"  {name}", err=True)


def as_json(value: Any) -> None:
    """Print a value as JSON to standard output; times and ids as text."""
    say(json.dumps(value, indent=2, default=_as_text, ensure_ascii=False))


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table as wide as its content, also into a pipe. Numbers are right-aligned."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))

    def drawn(cell: Any) -> str | Text:
        if isinstance(cell, Text):
            return cell
        return _cell(cell)

    lines = list(rows)
    for index, column in enumerate(columns):
        shown.add_column(column, overflow="fold")
        if lines and all(isinstance(line[index], int | float) for line in lines):
            shown.columns[index].justify = "right"
    for line in lines:
        shown.add_row(*map(drawn, line))
    Console(width=width(), soft_wrap=False).print(shown)


def width() -> int | None:
    """Columns of the output; None: those of the terminal."""
    if sys.stdout.isatty():
        return None
    return 200


def exit_code(error: TellbackError) -> Exit:
    """The exit code that an error stands for."""
    match error:
        case Busy():
            return Exit.BUSY
        case InvalidSettings() | WrongUse():
            return Exit.USAGE
        case Unavailable():
            return Exit.UNAVAILABLE
        case _:
            return Exit.FAILED


def complain(error: TellbackError) -> Exit:
    """Print an error to standard error, and return its exit code."""
    said = error.detail or error.title
    if isinstance(error, Unavailable) and error.fault:
        said = error.fault
    typer.echo(f"error: {said} ({error.code})", err=True)
    for item in error.errors or []:
        typer.echo(f"  {item.get('field', '')}: {item.get('detail', '')}", err=True)
    return exit_code(error)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        if value:
            return "yes"
        return "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value)
