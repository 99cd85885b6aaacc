"""A schema invented for a test, whose revisions the test writes."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.db.schemas import PACKAGES

SCHEMA = "invented"
PACKAGE = "invented_service"


class Invented:
    """The migrations of the invented schema."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def revise(self, number: int, *statements: str, since: int = 1, indexes: tuple[str, ...] = ()) -> None:
        """Write a revision: its statements, or its indexes, and the number of that which it is compatible since."""
        lines = [
            f'"""Step {number}."""',
            "from alembic import op",
            f"revision, compatible_since = '{SCHEMA}_{number}', '{SCHEMA}_{since}'",
        ]
        if indexes:
            lines.append(f"INDEXES = {indexes!r}")
        else:
            lines += ["def upgrade():", f"    for statement in {statements!r}:", "        op.execute(statement)"]
        (self._folder / f"{number:04}_step.py").write_text("\n".join(lines))

    def forget(self, number: int) -> None:
        """Delete a revision, as in the release before it."""
        (self._folder / f"{number:04}_step.py").unlink()


@contextmanager
def invented_schema(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Invented]:
    """The schema, without any revision yet, for the block."""
    migrations = folder / PACKAGE / "migrations"
    migrations.mkdir(parents=True)
    (migrations.parent / "__init__.py").touch()
    patch.syspath_prepend(folder)
    patch.setitem(PACKAGES, SCHEMA, PACKAGE)
    importlib.invalidate_caches()
    try:
        yield Invented(migrations)
    finally:
        sys.modules.pop(PACKAGE, None)
