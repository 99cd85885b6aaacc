"""The migrations of a schema as steps. Each is a file of its `migrations` folder with

- `revision`, such as `scorer_3`, and its docstring, which says what it is for;
- `compatible_since`: the oldest revision that code has to know to work with the schema once this step was taken;
- either `upgrade()`, whose statements are one transaction, or `INDEXES`: `create index` statements, which are built
  concurrently, one after the other, outside of any transaction.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from shared.db.schemas import Level, files_of

_CREATE = re.compile(r"\s*create\s+(?P<unique>unique\s+)?index\s+(?P<name>\w+)\s+(?P<on>on\s.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is built beside the services' work."""

    name: str
    unique: str
    on: str

    @classmethod
    def of(cls, statement: str) -> "Index":
        """Read a `create index` statement. Raises `ValueError` for anything else."""
        found = _CREATE.fullmatch(statement)
        if found is None:
            raise ValueError(f"must be `create index NAME on TABLE …`: {statement.strip()}")
        return cls(found["name"], found["unique"] or "", found["on"].strip())

    def statement(self, *, concurrently: bool) -> str:
        """The statement that builds it."""
        how = ""
        if concurrently:
            how = "concurrently "
        return f"create {self.unique}index {how}{self.name} {self.on}"


@dataclass(frozen=True, slots=True)
class Step:
    """One revision of a schema. `title`: what it is for."""

    revision: str
    compatible_since: str
    title: str
    indexes: tuple[Index, ...]
    module: ModuleType

    def run(self, connection: Connection) -> None:
        """Take the step in the transaction of this connection, indexes included."""
        if self.indexes:
            for index in self.indexes:
                connection.exec_driver_sql(index.statement(concurrently=False))
            return
        with Operations.context(MigrationContext.configure(connection)):
            self.module.upgrade()


def step_of(revision: str, file: Path) -> Step:
    """The step that a file defines."""
    spec = spec_from_file_location(f"migration_{revision}", file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no module")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    title = (module.__doc__ or "").strip().partition("\n")[0]
    indexes = tuple(map(Index.of, getattr(module, "INDEXES", ())))
    return Step(module.revision, module.compatible_since, title, indexes, module)


def steps_of(schema: str) -> Iterator[Step]:
    """All steps of a schema, oldest first."""
    for revision, file in files_of(schema).items():
        yield step_of(revision, file)


def missing_steps(level: Level, target: str | None = None) -> Sequence[Step]:
    """The steps from where a schema is to the target, by default the newest; none where it is there or further."""
    known = list(level.known)
    if level.found is not None and level.found not in known:
        return []
    first, end = 0, len(known)
    if level.found is not None:
        first = known.index(level.found) + 1
    if target is not None:
        end = known.index(target) + 1
    files = files_of(level.schema)
    return [step_of(revision, files[revision]) for revision in known[first:end]]
