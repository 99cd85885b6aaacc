"""`tellback undo-import ID`: takes back what an import of answers has brought."""

import asyncio
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.cli.connection import asking
from services.cli.console import DataOption, JsonOption, as_json, say
from services.cli.import_ import addresses, rows_of

Json = dict[str, Any]


def undo_import(
    import_id: Annotated[UUID, typer.Argument(help="The import, as `tellback import --json` gave it.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Undo an import of answers: those that it recorded first count no longer, those that it changed are as before.

    A later file or post with the same ids brings them again.
    """
    looked = asyncio.run(_asked(import_id, data, dry_run=True))
    if not (dry_run or json):
        _show(looked, "would be")
    if not dry_run:
        if not yes:
            typer.confirm(f"Undo the import {import_id}?", abort=True)
        undone = asyncio.run(_asked(import_id, data, dry_run=False))
        looked = looked | undone
    if json:
        as_json(looked)
    elif dry_run:
        _show(looked, "would be")
    else:
        _show(looked, "are")


async def _asked(import_id: UUID, data: Path | None, *, dry_run: bool) -> Json:
    """The collector's answer, with the counts of the scorer as `counts` where it gives them."""
    urls = addresses(None, data)
    async with asking(urls, data) as api:
        undone: Json = await api.post("collector", f"/v1/imports/{import_id}/undo", params={"dry_run": dry_run})
        undone["counts"] = None
        if "scorer" in urls:
            undone["counts"] = await rows_of(api, {"id": import_id, "taken": undone["rows"]})
    return undone


def _show(undone: Json, verb: str) -> None:
    counts = undone["counts"]
    if counts is None:
        say(f"{undone['rows']:,} rows of {undone['accounts']:,} accounts {verb} taken back")
        return
    say(
        f"{counts['new']:,} answers {verb} withdrawn and {counts['amended']:,} changes taken back, of"
        f" {undone['accounts']:,} accounts"
    )
