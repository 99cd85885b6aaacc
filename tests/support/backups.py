"""Backups of environments, restored into databases of their own."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from services.cli.backup.content import BackupFolder
from services.cli.backup.restoring import Restored, Wish, restore
from services.cli.backup.taking import take
from services.cli.folder import DataFolder
from services.collector.store.erasures import Entry
from tests.support.databases import fresh_database
from tests.support.environment import Environment

EMPTY = "template1"
"""The template of a database without anything in it."""


def silent(_name: str, _number: int, _total: int) -> None:
    """Progress that nobody looks at."""


async def backed_up(environment: Environment, path: Path) -> BackupFolder:
    """A backup in a new folder."""
    folder = BackupFolder(path)
    await take(environment.common, DataFolder(environment.common.data_dir), folder, silent)
    return folder


@contextlib.asynccontextmanager
async def empty_beside(environment: Environment, postgres_url: str, **changes: Any) -> AsyncIterator[Environment]:
    """The environment with an empty database instead of its own, and other changes of its settings."""
    async with fresh_database(postgres_url, EMPTY) as url:
        yield Environment(environment.common.model_copy(update={"database_url": url, **changes}))


async def put_back(
    environment: Environment, folder: BackupFolder, erasures: Sequence[Entry] = (), *, revoke_keys: bool = False
) -> Restored:
    """Restore a backup into the environment's empty database."""
    wish = Wish(folder, folder.manifest(), erasures, revoke_keys)
    return await restore(environment.common, wish, silent)
