"""`tellback rebuild`: works out all figures anew from the answers, beside running services."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import DataOption, Exit, JsonOption, as_json, say, say_failed
from services.cli.installation import run_on
from shared.ids import require_id
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from services.scorer.handlers.rebuilding import Rebuilt

ACCOUNTS = 50


def rebuild(
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="Only this account.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Recompute live values, latest pairs and snapshots from what was recorded.

    Scores that come out differently are published, nothing else is. Services may be running. Accounts that cannot be
    worked out are named at the end, and the others are rebuilt all the same.
    """
    only = None
    if account is not None:
        only = require_id(account)
    rebuilt = run_on(data, partial(rebuild_accounts, only=only, progress=not json))
    if json:
        as_json({"accounts": rebuilt.accounts, "changed": rebuilt.changed, "failed": rebuilt.failed})
    else:
        say(f"{rebuilt.accounts:,} accounts rebuilt, {rebuilt.changed:,} of them had other figures")
    if rebuilt.failed:
        say_failed("could not be rebuilt", rebuilt.failed)
        raise typer.Exit(Exit.FAILED)


async def rebuild_accounts(common: CommonSettings, only: str | None, *, progress: bool) -> "Rebuilt":
    """The result of rebuilding the accounts. Raises Unavailable, NotFound."""
    from rich.console import Console
    from rich.progress import Progress

    from services.scorer import SCHEMA
    from services.scorer.handlers.projection import Projector
    from services.scorer.handlers.rebuilding import Rebuild, Rebuilt
    from services.scorer.settings import ScorerSettings
    from shared.clock import SystemClock
    from shared.db.engine import Database

    database = Database.of(common, SCHEMA, pool_size=2)
    rebuilt = Rebuilt()
    try:
        work = Rebuild(database, Projector(database, SystemClock(), ScorerSettings.load().policy()), ACCOUNTS)
        total = 1
        if only is None:
            total = await work.count()
        shown = progress and sys.stderr.isatty()
        with Progress(console=Console(stderr=True), disable=not shown, transient=True) as bar:
            task = bar.add_task("accounts", total=total)
            async for rebuilt in work.run(only):
                bar.update(task, completed=rebuilt.accounts + len(rebuilt.failed))
    finally:
        await database.close()
    return rebuilt
