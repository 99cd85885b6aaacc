"""The collector: builds resources from settings, and the HTTP application from both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware

from services.collector import SCHEMA
from services.collector.api import delighted, directory, erasures, facts, identities, import_drafts, imports, responses
from services.collector.api.cors import CrossOrigin
from services.collector.api.disk_low import DiskLow
from services.collector.api.fast_responses import PATHS, FastIngest
from services.collector.api.resources import Collector
from services.collector.handlers.lost_rows import count_dropped
from services.collector.handlers.publishing import Outgoing
from services.collector.jobs import ImportWorker
from services.collector.settings import MEGABYTE, CollectorSettings
from services.collector.web import snippet
from shared.access.browser import BrowserSecrets
from shared.background import Periodic
from shared.clock import Clock, SystemClock
from shared.db.erasures import Journal
from shared.disk import LOOK_SECONDS, DiskSpace
from shared.erasure import subjects_by
from shared.http import keys, parked
from shared.http.app import create_app
from shared.http.health import health_of
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Takes in what clients say and who they are: responses, the directory, invitation and context facts,
over HTTP and from files. 202 means durable: in Kafka, or in PostgreSQL until Kafka is back."""


def build(common: CommonSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application of the collector; its lifespan opens and closes everything it needs."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = CollectorSettings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Plumbing.open(SCHEMA, common, clock, count_dropped) as plumbing:
            disk = _disk(common, settings)
            app.state.plumbing = plumbing
            app.state.service = collector = _collector(plumbing, settings, clock, disk)
            fast = FastIngest(collector, plumbing.keys, service.routed)
            service.hot = {("POST", path): fast for path in PATHS}
            health = health_of(app)
            health.add("durable", lambda: why_not_ready(plumbing))
            health.remarks = partial(_remarks, plumbing, disk)
            health.shut = plumbing.shut
            plumbing.start(Periodic("disk-space", LOOK_SECONDS, disk.look))
            plumbing.start(collector.import_worker.working)
            plumbing.start(collector.import_worker.tidying)
            yield

    service = create_app(
        SCHEMA,
        "Tellback collector",
        DESCRIPTION,
        [
            responses.router,
            delighted.router,
            directory.router,
            identities.router,
            erasures.router,
            facts.router,
            imports.router_for(settings.import_max_megabytes * MEGABYTE),
            import_drafts.router_for(settings.import_max_megabytes * MEGABYTE),
            keys.router,
            snippet.router,
            parked.router_for(count_dropped),
        ],
        lifespan,
        clock=clock,
    )
    service.user_middleware.append(Middleware(CrossOrigin))  # inside the edge, which turns its errors into problems
    service.user_middleware.append(Middleware(DiskLow))  # inside that, so that pages of browsers can read its refusal
    return service


def _collector(plumbing: Plumbing, settings: CollectorSettings, clock: Clock, disk: DiskSpace) -> Collector:
    """What the routes work with."""
    common = plumbing.settings
    subjects = subjects_by(common.key_ring)
    keep = timedelta(days=settings.import_keep_days)
    return Collector(
        clock=clock,
        database=plumbing.database,
        relay=plumbing.relay,
        outgoing=Outgoing(plumbing.publisher, plumbing.database, plumbing.relay),
        import_worker=ImportWorker(plumbing.database, plumbing.relay, clock, keep, Journal(*subjects), disk),
        subject=subjects[0],
        browsers=BrowserSecrets(common.key_ring),
        time_zone=common.time_zone,
        import_bytes=settings.import_max_megabytes * MEGABYTE,
        opening=asyncio.Semaphore(1),
        disk=disk,
    )


def _disk(common: CommonSettings, settings: CollectorSettings) -> DiskSpace:
    folders = [Path(folder) for folder in settings.disk_folders]
    if not folders and common.data_dir is not None:
        folders = [common.data_dir]
    return DiskSpace(folders, settings.disk_low_megabytes * MEGABYTE)


async def _remarks(plumbing: Plumbing, disk: DiskSpace) -> list[str]:
    remarks = await plumbing.remarks()
    if disk.remark is not None:
        remarks.append(disk.remark)
    return remarks


async def why_not_ready(plumbing: Plumbing) -> str | None:
    """Why the collector is not ready; None when at least one of Kafka and PostgreSQL can store an answer, unless the
    schema is one that this release does not work with."""
    if plumbing.gate.fault is not None:
        return plumbing.gate.fault.detail
    # In sequence, each once: if one hangs, the probe has time enough to ask the other.
    if await plumbing.publisher.answers() or await plumbing.database_answers():
        return None
    return "database_unavailable, kafka_unavailable"
