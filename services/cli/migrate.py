"""`tellback migrate`: brings the database to this release. Forward only, one process at a time."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import DataOption, JsonOption, WaitOption, as_json, say, table
from services.cli.installation import run_on
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.db.migrate import PlannedStep
    from shared.db.schemas import Level


def migrate(
    planned: Annotated[
        bool, typer.Option("--plan", help="Say what would be done, and whether running services bear it; do nothing.")
    ] = False,
    data: DataOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Apply the migrations of every service; says where each schema stood and stands.

    Services may be running. A schema that a newer release has migrated is left as it is, where this one works with it.
    """
    if planned:
        _tell_plan(run_on(data, plan_migrations, wait=wait), json=json)
    else:
        _tell(run_on(data, apply_migrations, wait=wait), json=json)


def _tell(levels: "Sequence[Level]", *, json: bool) -> None:
    from shared.db.schemas import Standing

    rows, ahead = [], []
    for level in levels:
        now = level.wanted
        if level.standing is Standing.AHEAD:
            now = str(level.found)
            ahead.append(level.schema)
        rows.append((level.schema, level.found, now))
    if json:
        as_json([{"schema": schema, "before": before, "now": now} for schema, before, now in rows])
        return
    table(("schema", "before", "now"), rows)
    if ahead:
        say(f"left as a newer release has migrated it, since this one works with it: {', '.join(ahead)}")


def _tell_plan(steps: "Sequence[PlannedStep]", *, json: bool) -> None:
    if json:
        as_json([asdict(step) for step in steps])
        return
    if not steps:
        say("nothing is to be migrated")
        return
    rows = []
    for step in steps:
        rows.append((step.schema, step.revision, step.title, step.compatible, ", ".join(step.indexes) or None))
    table(("schema", "revision", "what for", "services go on", "indexes built concurrently"), rows)
    if not all(step.compatible for step in steps):
        say("stop the services before: those of the release that runs now do not work with what it makes")


async def apply_migrations(common: CommonSettings) -> "list[Level]":
    """Migrate every schema; returns the levels before. Prints to standard error what is waited for. Raises Unavailable,
    Halt."""
    from shared.db.migrate import migrate as bring_up_to_date

    return await bring_up_to_date(common.database_url, password_file=common.database_password_file, tell=_say_aside)


async def plan_migrations(common: CommonSettings) -> "list[PlannedStep]":
    """The steps that `apply_migrations` would take. Raises Unavailable, Halt."""
    from shared.db.migrate import plan

    return await plan(common.database_url, password_file=common.database_password_file)


def _say_aside(line: str) -> None:
    typer.echo(line, err=True)
