"""Commands that need Kafka or PostgreSQL and no service: they use those named by the environment or run by `up`.

Where nothing runs they start the embedded parts themselves, and stop them afterwards.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import typer

from services.cli.connection import common_settings
from services.cli.folder import NO_SERVICES, DataFolder
from shared.errors import Unavailable
from shared.settings import CommonSettings

T = TypeVar("T")
Work = Callable[[CommonSettings], Coroutine[Any, Any, T]]
EXPECTED = ("started", "ended")
"""State changes of a part that are not printed."""
PAUSE_SECONDS = 1.0
"""Between two tries while Kafka or PostgreSQL is away."""


def run_on(data: Path | None, work: Work[T], *, kafka: bool = False, wait: float = 0.0) -> T:
    """Run `work` on an installation; `kafka` says whether it needs Kafka besides PostgreSQL. Work that finds them away
    is tried again for `wait` seconds, so it must bear being repeated. Raises Busy while another command runs on parts
    of its own, StartFailed, InvalidSettings, Unavailable."""
    folder = DataFolder(data)
    if wait:
        work = partial(_patiently, work=work, deadline=time.monotonic() + wait)
    if not must_start(folder, kafka=kafka):
        return asyncio.run(work(common_settings(data)))
    folder.refuse_other_owner()
    with folder.held(NO_SERVICES):
        return _on_own_parts(folder, work, kafka=kafka)


async def _patiently(common: CommonSettings, work: Work[T], deadline: float) -> T:
    """The result of `work`, tried until the deadline on the monotonic clock; prints why it waits when that changes."""
    said = ""
    while True:
        try:
            return await work(common)
        except Unavailable as away:
            if time.monotonic() >= deadline:
                raise
            reason = away.fault or away.detail
        if reason != said:
            typer.echo(f"waiting: {reason}", err=True)
            said = reason
        await asyncio.sleep(PAUSE_SECONDS)


def run_on_new(folder: DataFolder, work: Work[T], prepare: Callable[[], None]) -> T:
    """Run `work` on embedded parts that are made in a new data folder, after `prepare` has put into it what they lack.
    Raises Busy, DataFolderError, StartFailed, InvalidSettings."""
    folder.refuse_other_owner()
    folder.make()
    with folder.held(NO_SERVICES):
        prepare()
        return _on_own_parts(folder, work, kafka=True)


def must_start(folder: DataFolder, *, kafka: bool) -> bool:
    """Whether the command has to start embedded parts itself: an `up` has set them up, and none runs now."""
    from services.cli.processes import embedded_wanted, set_up

    kafka_here, postgres_here = embedded_wanted()
    needed = postgres_here or (kafka and kafka_here)
    holder = folder.holder()
    return needed and set_up(folder) and not (holder and holder.serves)


def _on_own_parts(folder: DataFolder, work: Work[T], *, kafka: bool) -> T:
    from services.cli.jar_download import fetch_missing
    from services.cli.leftovers import note, sweep
    from services.cli.processes import backing
    from services.cli.supervisor import Child, Supervisor

    folder.check_version()
    sweep(folder)
    embedded = backing(folder, with_kafka=kafka)
    if embedded.kafka:
        fetch_missing(embedded.kafka.jars)
    embedded.prepare()
    common = common_settings(folder.path)

    def changed(child: Child, what: str) -> None:
        if what not in EXPECTED:
            typer.echo(f"  {child.part.name} {what}", err=True)
        note(folder, supervisor.children, NO_SERVICES)

    supervisor = Supervisor(changed)

    async def run() -> T:
        try:
            await supervisor.start(embedded.parts())
            return await work(common)
        finally:
            await supervisor.stop()
            folder.note_running(None)

    return asyncio.run(run())
