"""The backup that `up` takes by itself before it migrates a data folder to another release."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from services.cli.backup.content import MANIFEST, BackupFolder
from services.cli.backup.taking import take
from services.cli.folder import DataFolder
from services.cli.paths import make_private
from shared.db.migrate import levels
from shared.db.schemas import Standing
from shared.settings import CommonSettings

NAMED = "%Y-%m-%dT%H%M%SZ"
OURS = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
"""The names of these backups. Whatever else an operator keeps beside them stays."""
KEPT = 3
"""How many of these backups stay."""


async def back_up_before_migrating(common: CommonSettings, data: DataFolder) -> Path | None:
    """Take a backup where rows are there and a schema is behind this release; returns its folder, None where nothing is
    to be migrated. The newest three stay. Raises `BackupError`, `Unavailable`, `Halt`."""
    found = await levels(common.database_url, password_file=common.database_password_file)
    if not any(level.found is not None and level.standing is Standing.BEHIND for level in found):
        return None
    make_private(data.backups)
    _delete_old(data.backups)
    folder = BackupFolder(data.backups / datetime.now(UTC).strftime(NAMED))
    await take(common, data, folder, lambda *_: None)
    _delete_old(data.backups)
    return folder.path


def _delete_old(backups: Path) -> None:
    """Delete what is older than the newest backups, and what did not end before them."""
    ours = sorted(path for path in backups.iterdir() if OURS.fullmatch(path.name) and not path.is_symlink())
    finished = [path for path in ours if (path / MANIFEST).exists()]
    for path in ours:
        if path not in finished[-KEPT:]:
            shutil.rmtree(path)
