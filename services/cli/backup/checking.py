"""Reads a backup through without a database."""

import asyncio

from services.cli.backup.content import BackupError, BackupFolder, Manifest
from services.cli.backup.taking import Progress


async def faults_of(folder: BackupFolder, manifest: Manifest, progress: Progress) -> list[str]:
    """What is wrong with a backup, a sentence for each file; empty when it is whole."""
    faults = list(folder.faults(manifest))
    for number, table in enumerate(manifest.tables, 1):
        rows = 0
        try:
            # In the text format a line break ends a row; within values it is written otherwise.
            async for piece in folder.pieces(table):
                rows += piece.count(b"\n")
        except BackupError as error:
            faults.append(error.detail)
        else:
            if rows != table.rows:
                faults.append(f"{table.file.path} holds {rows:,} rows instead of {table.rows:,}")
        progress(table.source.label, number, len(manifest.tables))
    return faults


def require_whole(folder: BackupFolder, manifest: Manifest, progress: Progress) -> None:
    """Raises `BackupError` for a backup with which something is wrong."""
    faults = asyncio.run(faults_of(folder, manifest, progress))
    if faults:
        raise BackupError("backup_damaged", "; ".join(faults))
