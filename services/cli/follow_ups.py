"""`tellback follow-ups judge`: judges every open follow-up by the facts of now, beside running services."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import common_settings
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, say_failed, table
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from services.alerting.domain.reconciliation import TaskUpdate
    from services.alerting.handlers.resources import Resources
    from shared.db.engine import Database

PAUSE = 0.05
"""Seconds between two transactions, so that people and callbacks are not held up."""

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
    Accounts that cannot be judged are named at the end, and the others are judged all the same.
    """
    common = common_settings(data)
    if dry_run:
        changes, failed = asyncio.run(_preview(common))
        _show_preview(changes, json=json)
    else:
        accounts, failed = asyncio.run(_judge(common))
        if json:
            as_json({"accounts": accounts, "failed": failed})
        else:
            say(f"{accounts:,} accounts judged")
    if failed:
        say_failed("could not be judged", failed)
        raise typer.Exit(Exit.FAILED)


def _show_preview(changes: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        as_json(changes)
        return
    if not changes:
        say("nothing would change")
        return
    columns = ("follow-up", "account", "person", "kind", "would be", "why")
    names = ("follow_up_id", "account_id", "stakeholder_id", "kind", "action", "why")
    table(columns, map(itemgetter(*names), changes))


async def _judge(common: CommonSettings) -> tuple[int, list[str]]:
    """How many accounts were judged, in batches, and the accounts that could not be judged. Raises Unavailable."""
    from services.alerting.handlers.watches import evaluate_accounts
    from shared.isolation import Held

    done = 0
    failed: list[str] = []
    held: Held[str] = Held("judge")
    async with _alerting(common) as (database, resources):

        async def act(accounts: Sequence[str]) -> None:
            await database.retrying(lambda tx: evaluate_accounts(tx, resources, accounts))

        async for accounts in _batches(database, resources):
            judged = await held.each(accounts, act)
            done += len(judged)
            failed += [account_id for account_id in accounts if account_id not in judged]
            await asyncio.sleep(PAUSE)
    return done, failed


async def _preview(common: CommonSettings) -> tuple[list[dict[str, Any]], list[str]]:
    """What judging would change, and the accounts that could not be judged. Raises Unavailable."""
    from services.alerting.handlers.evaluation import preview
    from shared.isolation import Held

    changes: list[dict[str, Any]] = []
    failed: list[str] = []
    held: Held[str] = Held("preview")
    async with _alerting(common) as (database, resources):

        async def act(accounts: Sequence[str]) -> None:
            async with database.read() as tx:
                changes.extend([_shown(judged) for judged in await preview(tx, resources, accounts)])

        async for accounts in _batches(database, resources):
            done = await held.each(accounts, act)
            failed += [account_id for account_id in accounts if account_id not in done]
    return changes, failed


async def _batches(database: "Database", resources: "Resources") -> AsyncIterator[Sequence[str]]:
    """All accounts with a follow-up or a renewal within a year, in batches. Raises Unavailable."""
    from services.alerting.handlers.watches import next_accounts

    after = ""
    while True:
        async with database.read() as tx:
            accounts = await next_accounts(tx, resources, after)
        if not accounts:
            return
        yield accounts
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
        async with Database.of(common, SCHEMA, pool_size=1) as database:
            yield database, resources_of(AlertingSettings.load(), common, SystemClock())

    return opened()


def _shown(judged: "TaskUpdate") -> dict[str, Any]:
    task = judged.after
    action, reason = "", ""
    if judged.step:
        action, reason = judged.step.entry.action, judged.step.entry.comment or ""
    return {
        "follow_up_id": str(task.follow_up_id),
        "account_id": task.account_id,
        "stakeholder_id": task.stakeholder_id,
        "kind": task.kind,
        "action": action,
        "why": reason,
    }
