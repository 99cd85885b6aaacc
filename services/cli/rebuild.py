"""`tellback rebuild`: works out all figures anew from the answers, beside running services."""

import sys
from functools import partial
from typing import Annotated

import typer

from services.cli.console import DataOption, JsonOption, as_json, say
from services.cli.installation import run_on
from shared.ids import require_id
from shared.settings import CommonSettings

ACCOUNTS = 50


def rebuild(
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="Only this account.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Recompute live values, latest pairs and snapshots from what was recorded.

    Scores that come out differently are published, nothing else is. Services may be running.
    """
    only = require_id(account) if account is not None else None
    accounts, changed = run_on(data, partial(rebuild_accounts, only=only, progress=not json))
    if json:
        as_json({"accounts": accounts, "changed": changed})
    else:
        say(f"{accounts:,} accounts rebuilt, {changed:,} of them had other figures")


async def rebuild_accounts(common: CommonSettings, only: str | None, *, progress: bool) -> tuple[int, int]:
    """How many accounts were rebuilt, and how many of them had other figures. Raises Unavailable."""
    from rich.console import Console
    from rich.progress import Progress

    from services.scorer import SCHEMA
    from services.scorer.handlers.projection import Projector
    from services.scorer.jobs import Rebuild
    from services.scorer.settings import ScorerSettings
    from shared.clock import SystemClock
    from shared.db.engine import Database

    database = Database(common.database_url, SCHEMA, pool_size=2)
    accounts = changed = 0
    try:
        work = Rebuild(database, Projector(database, SystemClock(), ScorerSettings.load().policy()), ACCOUNTS)
        total = 1 if only is not None else await work.count()
        shown = progress and sys.stderr.isatty()
        with Progress(console=Console(stderr=True), disable=not shown, transient=True) as bar:
            task = bar.add_task("accounts", total=total)
            async for done, differing in work.run(only):
                accounts, changed = accounts + done, changed + differing
                bar.update(task, completed=accounts)
    finally:
        await database.close()
    return accounts, changed
