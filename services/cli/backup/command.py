"""`tellback backup DIR`, `tellback backup verify DIR`: writes a backup, and reads one through."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from services.cli.console import DataOption, Exit, JsonOption, as_json, say
from services.cli.folder import DataFolder
from services.cli.installation import run_on

if TYPE_CHECKING:
    from services.cli.backup.content import Manifest
    from services.cli.backup.taking import Progress

TAKE = "take"
BackupArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the backup.")]


class _Commands(TyperGroup):
    """`backup DIR` is `backup take DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] != "--help" and args[0] not in self.commands:
            args = [TAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    help="Write a backup: `tellback backup DIR`. Read one through: `tellback backup verify DIR`.",
)


@app.command(TAKE)
def take(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, which only its owner may read.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write everything that PostgreSQL holds, and the keys, into a new folder. Services may be running.

    Kafka is not copied: what is in it and not yet in PostgreSQL is read from it again after a restore.
    """
    from services.cli.backup.content import BackupFolder
    from services.cli.backup.taking import take as write

    began = time.monotonic()
    folder = BackupFolder(path)
    with shown(json=json) as progress:
        manifest = run_on(data, partial(write, data=DataFolder(data), folder=folder, progress=progress))
    _tell(folder.path, manifest, time.monotonic() - began, json=json)


@app.command("verify")
def verify(path: BackupArgument, json: JsonOption = False) -> None:
    """Read a backup through: every file is there, is the one that was written, and holds the rows that it should.

    Exit code 1 when it is not so.
    """
    from services.cli.backup.checking import faults_of
    from services.cli.backup.content import BackupFolder

    folder = BackupFolder(path)
    manifest = folder.manifest()
    with shown(json=json) as progress:
        faults = asyncio.run(faults_of(folder, manifest, progress))
    if json:
        as_json({"taken_at": manifest.taken_at, "rows": manifest.rows, "bytes": manifest.bytes, "faults": faults})
    else:
        for fault in faults:
            say(fault)
        if not faults:
            say(f"whole: {len(manifest.tables)} tables, {manifest.rows:,} rows, taken at {manifest.taken_at:%F %T} UTC")
    if faults:
        raise typer.Exit(Exit.FAILED)


@app.command("erasures")
def erasures(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Written anew each time.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write the journal of erasures into a file, to be kept apart from the backups: `tellback restore --erasures FILE`
    erases again whoever a backup brings back. It holds keyed hashes, no names; run it as often as people are erased."""
    from services.cli.backup.erasures import write_journal

    entries = run_on(data, partial(write_journal, path=path))
    if json:
        as_json({"file": str(path), "entries": entries})
    else:
        say(f"{entries:,} entries: {path}")


@contextmanager
def shown(*, json: bool) -> "Iterator[Progress]":
    """A bar in a terminal that shows which table is done."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    hidden = json or not sys.stderr.isatty()
    with Bar(console=Console(stderr=True), disable=hidden, transient=True) as bar:
        task = bar.add_task("tables", total=None)

        def told(name: str, number: int, total: int) -> None:
            bar.update(task, description=name, completed=number, total=total)

        yield told


def _tell(path: Path, manifest: "Manifest", seconds: float, *, json: bool) -> None:
    if json:
        as_json(
            {
                "folder": str(path),
                "taken_at": manifest.taken_at,
                "tables": len(manifest.tables),
                "rows": manifest.rows,
                "bytes": manifest.bytes,
                "seconds": round(seconds, 1),
            }
        )
        return
    size = manifest.bytes / 1e6
    say(f"{len(manifest.tables)} tables, {manifest.rows:,} rows, {size:,.1f} MB in {seconds:.1f} s: {path}")
