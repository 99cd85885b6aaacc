"""The resources that the collector's routes use, built by app.py."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Query

from services.collector.handlers.publishing import Outgoing
from services.collector.jobs import ImportWorker
from shared.access.browser import BrowserSecrets
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.outbox import Relay
from shared.disk import DiskSpace
from shared.erasure import Subject
from shared.http.deps import service
from shared.http.params import PathId, StakeholderPathId


@dataclass(frozen=True, slots=True)
class Collector:
    """The collector's resources."""

    clock: Clock
    database: Database
    relay: Relay
    outgoing: Outgoing
    import_worker: ImportWorker
    subject: Subject
    browsers: BrowserSecrets
    time_zone: str
    """Where dates and times of files are from that name no zone."""
    import_bytes: int
    """Most bytes of an uploaded file, also when it is unpacked."""
    opening: asyncio.Semaphore
    """Held while an uploaded workbook is opened."""
    disk: DiskSpace


Resources = Annotated[Collector, Depends(service)]
AccountId = Annotated[PathId, Path(description="The account, as you name it")]
StakeholderId = Annotated[StakeholderPathId, Path(description="The person within the account")]
ResponseId = Annotated[PathId, Path(description="The response")]
QueryAccountId = Annotated[PathId, Query(description="The response's account")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="Send the same key with every try of the same request, so that it counts once.",
        examples=["order-7731-survey"],
    ),
]
