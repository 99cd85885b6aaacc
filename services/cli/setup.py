"""`tellback setup` (not listed): what `up` does between Kafka and PostgreSQL and the services, in one process."""

import asyncio
from collections.abc import Callable
from functools import partial

from services.cli.connection import common_settings
from services.cli.console import DataOption, say
from services.cli.folder import DataFolder
from services.cli.paths import write_private
from shared.settings import CommonSettings

FIRST_KEY_NAME = "first key"
BACKED_UP = "backed up before migrating"
"""How the line begins that says where the backup is."""


def setup(data: DataOption = None) -> None:
    """Apply migrations and topics, and make the first API key and what the dashboard and outreach need,
    where there is none. Prints what Kafka refuses of the topics' settings."""
    folder = DataFolder(data)
    first_key = folder.first_key
    kept = ""
    if first_key.exists():
        kept = first_key.read_text(encoding="utf-8").strip()
    asyncio.run(_setup(common_settings(data), folder, kept, partial(write_private, first_key)))


async def _setup(common: CommonSettings, folder: DataFolder, kept: str, keep: Callable[[str], None]) -> None:
    from services.cli import dashboard, outreach
    from services.cli.backup.before_migrating import back_up_before_migrating
    from services.cli.migrate import apply_migrations
    from services.cli.topics import apply_topics, refusals

    taken = await back_up_before_migrating(common, folder)
    if taken is not None:
        say(f"{BACKED_UP}: {taken}")
    _, topics = await asyncio.gather(apply_migrations(common), apply_topics(common))
    for line in refusals(topics):
        say(line)
    await _make_first_key(common, kept, keep)
    await dashboard.prepare(common, folder)
    await outreach.prepare(common, folder)


async def _make_first_key(common: CommonSettings, kept: str, keep: Callable[[str], None]) -> None:
    """Make the first key where there is no key at all: elsewhere somebody has keys already, and another would be a
    surprise."""
    from shared.access.caller import SCOPES
    from shared.access.store import NewKey, create_key, find_key, live_keys
    from shared.access.token import parse_token
    from shared.clock import SystemClock
    from shared.db.engine import Database

    now = SystemClock().now()
    known = parse_token(kept)
    async with Database.of(common, "access", pool_size=1) as database, database.write() as tx:
        if (known and await find_key(tx, known.key_id)) or await live_keys(tx, now):
            return
        issued = await create_key(tx, NewKey(FIRST_KEY_NAME, frozenset(SCOPES)), now)
        keep(issued.token)  # before the commit: a committed key that nobody knows would prevent the next try
