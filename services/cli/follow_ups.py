"""`tellback follow-ups judge`: judges every open follow-up by the facts of now, beside running services."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import common_settings
from services.cli.console import DataOption, JsonOption, as_json, say, table
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from services.alerting.domain.reconciliation import Judged

PAUSE = 0.05
"""Seconds between two transactions: who acknowledges or calls back meanwhile goes first."""

app = typer.Typer(no_args_is_help=True, help="Judge follow-ups by the facts of now.")


@app.callback()
def group() -> None:
    """A group, so that `judge` has to be named."""


@app.command()
def judge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge all that is open, and renewals, as the daily watch does. Services may be running.

    What is open and so no longer closes, or says so where somebody has touched it; webhooks go out account by account.
    """
    common = common_settings(data)
    if not dry_run:
        accounts = asyncio.run(_judge(common))
        as_json({"accounts": accounts}) if json else say(f"{accounts:,} accounts judged")
        return
    found = asyncio.run(_preview(common))
    if json:
        as_json(found)
        return
    if not found:
        say("nothing would change")
        return
    columns = ("follow-up", "account", "person", "kind", "would be", "why")
    names = ("follow_up_id", "account_id", "stakeholder_id", "kind", "action", "why")
    table(columns, [tuple(one[name] for name in names) for one in found])


async def _judge(common: CommonSettings) -> int:
    """How many accounts were judged, some at a time. Raises Unavailable."""
    from services.alerting.handlers.watches import judge_next

    done = 0
    async with _alerting(common) as (database, resources):
        after = ""
        while True:
            accounts = await database.retrying(partial(judge_next, resources=resources, after=after))
            if not accounts:
                return done
            done, after = done + len(accounts), accounts[-1]
            await asyncio.sleep(PAUSE)


async def _preview(common: CommonSettings) -> list[dict[str, Any]]:
    """What judging would change. Raises Unavailable."""
    from services.alerting.handlers.judging import preview
    from services.alerting.handlers.watches import next_accounts

    found: list[dict[str, Any]] = []
    async with _alerting(common) as (database, resources):
        after = ""
        while True:
            async with database.read() as tx:
                accounts = await next_accounts(tx, resources, after)
                if not accounts:
                    return found
                found += [_shown(one) for one in await preview(tx, resources, accounts)]
                after = accounts[-1]


def _alerting(common: CommonSettings) -> Any:
    """Alerting's database and settings, closed at the end."""
    from contextlib import asynccontextmanager

    from services.alerting import SCHEMA
    from services.alerting.app import resources_of
    from services.alerting.settings import AlertingSettings
    from shared.clock import SystemClock
    from shared.db.engine import Database

    @asynccontextmanager
    async def opened() -> Any:
        database = Database(common.database_url, SCHEMA, pool_size=1)
        try:
            yield database, resources_of(AlertingSettings.load(), common, SystemClock())
        finally:
            await database.close()

    return opened()


def _shown(judged: "Judged") -> dict[str, Any]:
    task, step = judged.after, judged.step
    return {
        "follow_up_id": str(task.follow_up_id),
        "account_id": task.account_id,
        "stakeholder_id": task.stakeholder_id,
        "kind": task.kind,
        "action": step.entry.action if step else "",
        "why": (step.entry.comment if step else None) or "",
    }
