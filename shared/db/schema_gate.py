"""Keeps a service from working on a schema that its code does not fit: it stays up, says what it waits for, and goes on
by itself once the schema was migrated."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from shared.background import patiently
from shared.db.engine import Database, lacks_right
from shared.db.schemas import level_of
from shared.errors import Halt, Unavailable
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import halted

log = get_logger(__name__)
FIRST_SECONDS = 2.0
"""How long a start waits for the first look."""
CLOSED_SECONDS = 2.0
"""Interval of looks while the schemas do not fit."""
OPEN_SECONDS = 30.0
"""Interval of looks while they do: a newer release may migrate them at any time."""


class SchemaGate:
    """The gate of one process to the schemas that it works on. Work waits behind it; `fault` says why it is shut, and
    is None while it is open or has not been able to look yet."""

    def __init__(self, database: Database, schemas: Sequence[str]) -> None:
        self._database = database
        self._schemas = schemas
        self._looked = asyncio.Event()
        self._opened = asyncio.Event()
        self.fault: Halt | None = None

    @property
    def shut(self) -> Unavailable | None:
        """What callers are told while the schemas do not fit; operators are told the fault."""
        if self.fault is None:
            return None
        return Unavailable(self.fault.code, "the service waits until its database has been migrated", retry_after=5)

    @property
    def reason(self) -> str | None:
        """Why the process is not ready, for operators; None while the gate is open."""
        if self.fault is not None:
            return self.fault.detail
        if not self._opened.is_set():
            return "the schema has not been looked at yet"
        return None

    @property
    def remarks(self) -> list[str]:
        """What a health check remarks; nothing while the gate is open."""
        if self.fault is None:
            return []
        return [f"halted: {self.fault.code}: {self.fault.detail}"]

    async def first_look(self) -> None:
        """Wait for the first look of `run`, whatever came of it, and for 2 s at most: a database that is away or hangs
        holds up no start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await self._looked.wait()

    async def run(self) -> None:
        """Look from time to time until cancelled."""
        while True:
            pause = OPEN_SECONDS
            if self.reason is not None:
                pause = CLOSED_SECONDS
            await patiently("schema", self.look, pause)
            await asyncio.sleep(pause)

    def behind(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The work, to begin once the schemas fit. What has begun is not stopped where a newer release migrates them
        meanwhile to what this one does not work with: then the process is not ready, by name."""

        async def once_open() -> None:
            await self._opened.wait()
            await work()

        return once_open

    async def look(self) -> None:
        """Compare the schemas with this release. Raises `Unavailable`."""
        try:
            fault = await self._found()
        finally:
            self._looked.set()
        code = None
        if fault is not None:
            code = fault.code
        if self.fault is not None and self.fault.code != code:
            halted.labels(self.fault.code).set(0)
        if fault is not None:
            self._say(fault)
        else:
            self._opened.set()
        self.fault = fault

    async def _found(self) -> Halt | None:
        for schema in self._schemas:
            try:
                async with self._database.read() as tx:
                    level = await level_of(tx, schema)
            except Exception as error:
                if not lacks_right(error):
                    raise
                return Halt(
                    "schema_forbidden",
                    f"the role of this service has no right to the schema of {schema}: `tellback migrate` gives it",
                )
            if not level.fits:
                return level.fault()
        return None

    def _say(self, fault: Halt) -> None:
        if self.fault is None or self.fault.detail != fault.detail:
            log.critical("schema_does_not_fit", code=fault.code, detail=fault.detail)
        halted.labels(fault.code).set(1)
