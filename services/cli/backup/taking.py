"""Takes a backup: all tables from one snapshot, and the keys. Services may be running."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from services.cli.backup.content import FORMAT, RING, BackupError, BackupFolder, File, Manifest, Table
from services.cli.folder import DataFolder
from shared.db.copies import Snapshot, TableCopy, snapshot
from shared.db.schemas import PACKAGES
from shared.settings import CommonSettings
from shared.version import version

# Transactions of one server mean nothing on another: those who keep a copy of the responses begin anew there.
NOT_COPIED = {"scorer.responses": ("changed_xid", "changed_at")}
"""Columns that get their defaults in a restore."""
Progress = Callable[[str, int, int], None]
"""Told at each table that is done: its name, how many are done, and of how many."""


async def take(common: CommonSettings, data: DataFolder, folder: BackupFolder, progress: Progress) -> Manifest:
    """Write a backup of the installation into a new folder. Raises `BackupError`, `DatabaseUnavailable`."""
    folder.make()
    async with snapshot(common) as source:
        revisions = await source.revisions(PACKAGES)
        if not revisions:
            raise BackupError("nothing_to_back_up", "the database holds no installation")
        taken_at = datetime.now(UTC)
        wanted = await source.tables(revisions)
        tables = []
        for number, table in enumerate(wanted, 1):
            tables.append(await _written(source, _copied(table), folder))
            progress(table.label, number, len(wanted))
        manifest = Manifest(
            format=FORMAT,
            tellback=version(),
            postgres=await source.server_version(),
            taken_at=taken_at,
            topic_prefix=common.topic_prefix,
            revisions=revisions,
            tables=tuple(tables),
            counters=tuple(await source.counters(revisions)),
            keys=tuple(_keys(common, data, folder)),
        )
    folder.write_manifest(manifest)
    return manifest


def _copied(table: TableCopy) -> TableCopy:
    left_out = NOT_COPIED.get(table.label, ())
    columns = tuple(column for column in table.columns if column not in left_out)
    return replace(table, columns=columns)


async def _written(source: Snapshot, table: TableCopy, folder: BackupFolder) -> Table:
    writer = folder.writer(f"tables/{table.label}.gz")
    try:
        rows = await source.write(table, writer.take)
        return Table(source=table, rows=rows, file=writer.finish())
    finally:
        writer.close()


def _keys(common: CommonSettings, data: DataFolder, folder: BackupFolder) -> list[File]:
    """The ring of secret keys, and those API keys that the data folder holds."""
    files = [folder.write_key(RING, "\n".join(common.key_ring) + "\n")]
    for kept in data.key_files():
        if kept.exists():
            files.append(folder.write_key(kept.name, kept.read_text(encoding="utf-8")))
    return files
