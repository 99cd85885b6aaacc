"""Puts the keys of a backup into a data folder."""

from pathlib import Path

from services.cli.backup.content import BackupError, BackupFolder
from services.cli.connection import named_elsewhere
from services.cli.folder import DataFolder
from services.cli.paths import make_private, write_private


def keep_keys(folder: BackupFolder, data: DataFolder, *, with_api_keys: bool) -> None:
    """Write the secret keys, unless the environment names some, and the API keys. Again it changes nothing. Raises
    `BackupError` where the data folder has others."""
    make_private(data.path)
    if not named_elsewhere("TELLBACK_SECRET_KEY"):
        _keep(folder.ring, data.secret_key)
    if with_api_keys:
        for file in data.key_files():
            _keep(folder.keys / file.name, file)


def _keep(source: Path, file: Path) -> None:
    if not source.exists():
        return
    text = source.read_text(encoding="utf-8")
    if file.exists() and file.read_text(encoding="utf-8").split() != text.split():
        raise BackupError("other_keys", f"{file} is not that of the backup: restore into a new data folder")
    write_private(file, text)
