"""What a backup is: a folder with one compressed file a table, the keys, and `backup.json`, which lists them with their
digests. `backup.json` is written last: a folder without it is no backup.

backup.json       what the backup was made of, and every file with its size and digest
tables/*.gz       the rows of a table as COPY writes them, compressed
keys/*            the secret keys and the API keys of the data folder
"""

import hashlib
import os
import stat
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from services.cli.paths import make_private, sync_folder, write_private
from shared.db.copies import Counter, TableCopy
from shared.errors import TellbackError

FORMAT = 1
"""Increased when earlier releases cannot read what is written."""
MANIFEST = "backup.json"
RING = "secret_key"
"""The file with the ring of secret keys, one a line, the newest first."""
_GZIP = 31
"""The window of zlib that means gzip."""
_PIECE = 1 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BackupError(TellbackError):
    """The backup cannot be written or used; the detail says why and what to do."""


class File(BaseModel):
    """A file of the backup: its path in it, its size in bytes and its SHA-256."""

    model_config = ConfigDict(frozen=True)

    path: str
    bytes: int
    sha256: str


class Table(BaseModel):
    """A table of the backup, with the columns in the order of the file."""

    model_config = ConfigDict(frozen=True)

    source: TableCopy
    rows: int
    file: File


class Manifest(BaseModel):
    """`backup.json`. `tables` stand in the order in which they can be filled, `revisions` are those of the schemas."""

    model_config = ConfigDict(frozen=True)

    format: int
    tellback: str
    postgres: str
    taken_at: datetime
    topic_prefix: str
    revisions: dict[str, str]
    tables: tuple[Table, ...]
    counters: tuple[Counter, ...]
    keys: tuple[File, ...]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(table.file.bytes for table in self.tables) + sum(file.bytes for file in self.keys)


class BackupFolder:
    """The folder of one backup; the constructor neither makes nor reads anything."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.tables = self.path / "tables"
        self.keys = self.path / "keys"
        self.ring = self.keys / RING

    def make(self) -> None:
        """Make the folder, or take an empty one that only its owner may read. Raises `BackupError`."""
        if self.path.exists():
            self.require_private()
            if any(self.path.iterdir()):
                raise BackupError("backup_folder", f"{self.path} holds something already: name a new folder")
        for folder in (self.path, self.tables, self.keys):
            make_private(folder)

    def require_private(self) -> None:
        """Raises `BackupError` for a folder that others than its owner may look into: the backup holds keys."""
        if self.path.stat().st_mode & _OTHERS:
            raise BackupError(
                "backup_readable", f"others may read {self.path}, and a backup holds keys: chmod 700 {self.path}"
            )

    def manifest(self) -> Manifest:
        """What the backup says of itself. Raises `BackupError` where it is none, unfinished, damaged, or of a newer
        release."""
        if not (self.path / MANIFEST).exists():
            raise BackupError("no_backup", f"{self.path} holds no finished backup: there is no {MANIFEST} in it")
        self.require_private()
        try:
            manifest = Manifest.model_validate_json((self.path / MANIFEST).read_bytes())
        except ValidationError:
            raise BackupError("backup_damaged", f"{self.path / MANIFEST} is not what was written") from None
        if manifest.format != FORMAT:
            raise BackupError("newer_backup", f"Tellback {manifest.tellback} has written this backup: update first")
        return manifest

    def write_manifest(self, manifest: Manifest) -> None:
        """Finish the backup, once all that it lists is on the disk."""
        sync_folder(self.tables)
        write_private(self.path / MANIFEST, manifest.model_dump_json(indent=1) + "\n")

    def writer(self, path: str) -> "Writer":
        """Begin a compressed file."""
        return Writer(self.path, path)

    def write_key(self, name: str, text: str) -> File:
        """Write a file with keys."""
        file = self.keys / name
        write_private(file, text)
        content = text.encode()
        return File(path=f"keys/{name}", bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def key_ring(self) -> list[str]:
        """The secret keys of the backup, the newest first."""
        return self.ring.read_text(encoding="utf-8").split()

    async def pieces(self, table: Table) -> AsyncIterator[bytes]:
        """The rows of a table in pieces of text. Raises `BackupError` for a file that is not the one that was
        written."""
        unzip = zlib.decompressobj(_GZIP)
        fault: str | None = None
        try:
            for piece in self._checked(table.file):
                if text := unzip.decompress(piece):
                    yield text
        except (zlib.error, OSError) as error:
            fault = str(error)
        if fault is None and not unzip.eof:
            fault = "it ends too early"
        if fault is not None:
            raise BackupError("backup_damaged", f"{table.file.path} cannot be read: {fault}")

    def faults(self, manifest: Manifest) -> Iterator[str]:
        """What is wrong with the files of keys, one sentence each."""
        for file in manifest.keys:
            try:
                for _ in self._checked(file):
                    pass
            except (OSError, BackupError) as error:
                yield f"{file.path}: {error}"

    def _checked(self, file: File) -> Iterator[bytes]:
        """The bytes of a file, and in the end whether they are those that were written."""
        digest, size = hashlib.sha256(), 0
        with (self.path / file.path).open("rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                yield piece
        if (size, digest.hexdigest()) != (file.bytes, file.sha256):
            raise BackupError("backup_damaged", f"{file.path} is not the file that was written")


class Writer:
    """A compressed file that is being written, for its owner alone."""

    def __init__(self, folder: Path, path: str) -> None:
        self._path = path
        descriptor = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zlib.compressobj(1, wbits=_GZIP)
        self._digest = hashlib.sha256()
        self.bytes = 0

    async def take(self, piece: bytes) -> None:
        """Append a piece of text."""
        self._write(self._zip.compress(piece))

    def finish(self) -> File:
        """Write the rest to the disk; returns what was written."""
        self._write(self._zip.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        return File(path=self._path, bytes=self.bytes, sha256=self._digest.hexdigest())

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()

    def _write(self, content: bytes) -> None:
        self._digest.update(content)
        self.bytes += len(content)
        self._file.write(content)
