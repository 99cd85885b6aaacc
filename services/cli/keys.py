"""`tellback keys`: makes, lists and revokes API keys, straight in the database."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.connection import api_key, common_settings
from services.cli.console import DataOption, JsonOption, as_json, say, table
from services.cli.installation import run_on
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from shared.access.records import KeyRecord
    from shared.access.store import IssuedKey
    from shared.db.engine import Database

T = TypeVar("T")
ALL = "all"

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


@app.command("first")
def first(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the key that `up` made at its first start, which has all scopes; it is kept in the data folder."""
    key = api_key(data)
    if json:
        as_json({"key": key})
    else:
        say(key)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as 'survey frontend'.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="ingest, read, act, manage, erase or all; may be given often.")
    ] = None,
    *,
    publishable: Annotated[
        bool, typer.Option("--publishable", help="For browsers: may post responses and nothing else.")
    ] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Where a publishable key works: https://app.acme.example; often.")
    ] = None,
    require_signature: Annotated[
        bool, typer.Option("--require-signature", help="It takes only posts that your server has signed.")
    ] = False,
    owner_email: Annotated[
        str | None, typer.Option(help="Limit it to the accounts of this owner; others do not exist for it.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=1826, help="Days until it expires; default never.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=1, help="Requests a minute; default no limit.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and print it, this once: only its hash is stored."""
    from shared.access.browser import BrowserSecrets
    from shared.access.caller import SCOPES
    from shared.access.store import NewKey, create_key

    now = SystemClock().now()
    scopes = frozenset(scope or ())
    if ALL in scopes:
        scopes = frozenset(SCOPES)
    expires_at = None
    if days:
        expires_at = now + timedelta(days=days)
    wanted = NewKey(
        name,
        scopes,
        owner_email=owner_email,
        expires_at=expires_at,
        rate_limit=rate_limit,
        publishable=publishable,
        origins=tuple(origin or ()),
        require_signature=require_signature,
    )

    async def work(database: "Database") -> Any:
        async with database.write() as tx:
            return await create_key(tx, wanted, now, BrowserSecrets(common_settings(data).key_ring))

    _show_made(_with_database(data, work), json)


@app.command("list")
def list_keys(data: DataOption = None, json: JsonOption = False) -> None:
    """Every key, the newest first; never the keys themselves."""
    from shared.access import store

    async def work(database: "Database") -> Any:
        async with database.read() as tx:
            return await store.list_keys(tx)

    keys = [_plain(record) for record in _with_database(data, work)]
    if json:
        as_json(keys)
        return
    columns = ("id", "name", "scopes", "owner_email", "state", "created_at", "expires_at", "last_used_at")
    rows = []
    for key in keys:
        cells = key | {"scopes": " ".join(key["scopes"])}
        rows.append([cells[column] for column in columns])
    table(columns, rows)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id of the key: the 12 characters between tb_ and the next _.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke a key for good; services notice within 10 s."""
    from shared.access.store import revoke_key

    now = SystemClock().now()

    async def work(database: "Database") -> bool:
        async with database.write() as tx:
            return await revoke_key(tx, key_id, now)

    if not _with_database(data, work):
        raise NotFound("unknown_key", "there is no key with this id")
    if json:
        as_json({"revoked": key_id})
    else:
        say(f"revoked {key_id}")


def _show_made(issued: "IssuedKey", json: bool) -> None:
    """Print the key, and the secret by which a server signs for it, if it has one."""
    secret = issued.signing_secret
    if json:
        shown = {**_plain(issued.record), "key": issued.token}
        if secret:
            shown["signing_secret"] = secret
        as_json(shown)
    else:
        say(issued.token)
        if secret:
            say(f"signing secret, for your server: {secret}")


def _with_database(data: Path | None, work: "Callable[[Database], Awaitable[T]]") -> T:
    from shared.db.engine import Database

    async def run(common: CommonSettings) -> T:
        async with Database.of(common, "access", pool_size=1) as database:
            return await work(database)

    return run_on(data, run)


def _plain(record: "KeyRecord") -> dict[str, Any]:
    state = "live"
    if record.expires_at is not None and record.expires_at <= SystemClock().now():
        state = "expired"
    if record.revoked_at:
        state = "revoked"
    return {
        "id": record.id,
        "name": record.name,
        "scopes": sorted(record.scopes),
        "owner_email": record.owner_email,
        "publishable": record.publishable,
        "origins": list(record.origins),
        "require_signature": record.require_signature,
        "rate_limit": record.rate_limit,
        "state": state,
        "created_at": _time(record.created_at),
        "expires_at": _time(record.expires_at),
        "last_used_at": _time(record.last_used_at),
    }


def _time(at: datetime | None) -> str | None:
    if at:
        return at.isoformat(timespec="seconds")
    return None
