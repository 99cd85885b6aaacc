"""The keys with which services of an installation ask the others, each in a file that only the service reads."""

from pathlib import Path

from services.cli.paths import write_private
from shared.clock import SystemClock
from shared.settings import CommonSettings


async def make_own_key(common: CommonSettings, name: str, scopes: frozenset[str], file: Path) -> None:
    """Make a key with these scopes, and keep it in the file, unless the file holds one with all of them. One that does
    not suffice is revoked."""
    from shared.access.store import NewKey, create_key, find_key, revoke_key
    from shared.access.token import parse_token
    from shared.db.engine import Database

    known, now = parse_token(_content(file)), SystemClock().now()
    async with Database.of(common, "access", pool_size=1) as database, database.write() as tx:
        record = None
        if known:
            record = await find_key(tx, known.key_id)
        if record and record.live(now) and record.scopes >= scopes:
            return
        if record:
            await revoke_key(tx, record.id, now)
        issued = await create_key(tx, NewKey(name, scopes), now)
        write_private(file, issued.token)  # before the commit: a committed key that nobody knows would be useless


def _content(file: Path) -> str:
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    return ""
