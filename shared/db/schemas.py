"""Which schemas there are, the revisions of each that this release knows, and how far the database has come.

A revision says since which one it is compatible: code that knows that one works with the schema as it is now. So an
older release recognises by one row whether it may run on what a newer one has migrated.
"""

import importlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.db.transaction import ReadTx
from shared.errors import Halt

PACKAGES = {
    "access": "shared.access",
    "collector": "services.collector",
    "scorer": "services.scorer",
    "alerting": "services.alerting",
    "benchmark": "services.benchmark",
    "outreach": "services.outreach",
    "dashboard": "services.dashboard",
}
"""Schema -> the package whose `migrations` folder creates it."""
VERSION_TABLE = "schema_version"
"""The table of each schema with its one row: `revision`, and the revision that it is `compatible_since`."""


class Standing(StrEnum):
    """How a schema compares with this release."""

    CURRENT = "current"
    BEHIND = "behind"
    AHEAD = "ahead"
    """A newer release has migrated it, and this one works with it."""
    INCOMPATIBLE = "incompatible"
    """A newer release has migrated it, and this one does not work with it."""


@dataclass(frozen=True, slots=True)
class Level:
    """How far a schema is: `found` is its revision, None before the first migration, `known` are those that this
    release knows, oldest first."""

    schema: str
    found: str | None
    compatible_since: str | None
    known: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """The newest revision that this release knows."""
        return self.known[-1]

    @property
    def standing(self) -> Standing:
        """How the schema compares with this release."""
        if self.found == self.wanted:
            return Standing.CURRENT
        if self.found is None or self.found in self.known:
            return Standing.BEHIND
        if self.compatible_since in self.known:
            return Standing.AHEAD
        return Standing.INCOMPATIBLE

    @property
    def fits(self) -> bool:
        """Whether this release works with the schema."""
        return self.standing in (Standing.CURRENT, Standing.AHEAD)

    def fault(self) -> Halt:
        """Why this release does not work with the schema, and what to do."""
        if self.standing is Standing.BEHIND:
            return Halt(
                "schema_behind",
                f"the schema of {self.schema} is at {self.found or 'nothing'}, this version needs {self.wanted}:"
                " run `tellback migrate`",
            )
        return Halt(
            "schema_ahead",
            f"the schema of {self.schema} is at {self.found}, and this version, which knows it up to {self.wanted},"
            " does not work with that: run the version that migrated it, or restore the backup of before. What a build"
            " from before release 0.1 wrote cannot be taken over: begin with an empty database (`tellback up`: a new"
            " data folder) and send the data again",
        )


def folder_of(schema: str) -> Path | None:
    """The folder with the migrations of a schema; None for a service that is not installed."""
    try:
        package = importlib.import_module(PACKAGES[schema])
    except ModuleNotFoundError:
        return None
    folder = Path(str(package.__file__)).parent / "migrations"
    if folder.is_dir():
        return folder
    return None


def files_of(schema: str) -> dict[str, Path]:
    """Revision -> the file that defines it, oldest first. The number of a file is that of its revision, so nothing is
    imported: services ask for the names alone."""
    folder = folder_of(schema)
    files: dict[str, Path] = {}
    if folder is not None:
        for path in sorted(folder.glob("[0-9]*_*.py")):
            files[f"{schema}_{int(path.name.partition('_')[0])}"] = path
    return files


async def level_of(tx: ReadTx, schema: str) -> Level:
    """How far a schema is."""
    known = tuple(files_of(schema))
    if not await tx.has_table(f"{schema}.{VERSION_TABLE}"):
        return Level(schema, None, None, known)
    # As JSON, since builds from before release 0.1 have the revision as `version_num`, and nothing else.
    row = json.loads(await tx.scalar(f"select cast(to_jsonb(v) as text) from {schema}.{VERSION_TABLE} v") or "{}")
    return Level(schema, row.get("revision", row.get("version_num")), row.get("compatible_since"), known)
