"""The scorer: settings to resources to the HTTP application, the consumer and its jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.scorer import READS, SCHEMA
from services.scorer.api import ROUTERS
from services.scorer.api.resources import Scorer
from services.scorer.api.stream_events import TOPICS
from services.scorer.consumer import PLAIN, handlers
from services.scorer.handlers.erasure import Erasure
from services.scorer.handlers.facts import Facts
from services.scorer.handlers.file_rows import count_dropped
from services.scorer.handlers.pending import Pending
from services.scorer.handlers.projection import Projector
from services.scorer.handlers.responses import ResponseFold
from services.scorer.handlers.undoing import Undoing
from services.scorer.jobs import LANES, MonthKeeper, PendingJob, ProjectorJob, SelfCheck, WordKeeper, feed_lag
from services.scorer.settings import ScorerSettings
from shared.clock import Clock, SystemClock
from shared.db.erasures import Journal
from shared.erasure import subjects_by
from shared.http import parked
from shared.http.app import create_app
from shared.kafka.tail import Tail
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Keeps every answer and tells the scores that follow from them: rolling NPS per account, person and
group, at any moment, exact and explained."""


def build(common: CommonSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application of the scorer; its lifespan opens and closes everything it needs."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = ScorerSettings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Plumbing.open(SCHEMA, common, clock, count_dropped) as plumbing:
            app.state.plumbing = plumbing
            tail = Tail(common.kafka, common.topic_prefix, TOPICS, settings.streams)
            plumbing.background("stream", tail.run)
            journal = Journal(*subjects_by(common.key_ring))
            app.state.service = Scorer(clock, plumbing.database, settings, tail, journal)
            start_writing(plumbing, settings, journal)
            yield

    return create_app(
        SCHEMA, "Tellback scorer", DESCRIPTION, [*ROUTERS, parked.router_for(count_dropped)], lifespan, clock=clock
    )


def start_writing(plumbing: Plumbing, settings: ScorerSettings, journal: Journal) -> None:
    """Start the consumer and the jobs beside it, all supervised by the plumbing."""
    clock, database = plumbing.clock, plumbing.database
    policy = settings.policy()
    projector = ProjectorJob(
        database,
        clock,
        Projector(database, clock, policy),
        settings.projector_accounts,
        wake_relay=plumbing.relay.wake,
    )
    check = SelfCheck(database, policy, settings.self_check_accounts, settings.self_check_seconds)
    erasure = Erasure(clock, journal)
    pending = Pending(plumbing.settings.topic_prefix)
    waiting = PendingJob(database, clock, pending, settings.pending_days)
    table = handlers(
        ResponseFold(clock, erasure, pending, plumbing.settings.words), Undoing(clock), Facts(clock, erasure)
    )
    plumbing.runner(READS, table, after_commit=projector.wake, journal=journal, plain=PLAIN)
    for lane in range(LANES):
        plumbing.background(f"projector-{lane + 1}", projector.run)
    plumbing.start(projector.apart())
    plumbing.start(MonthKeeper(database, clock).periodic())
    plumbing.start(check.periodic())
    plumbing.start(waiting.periodic())
    plumbing.start(WordKeeper(database, clock, plumbing.settings.words).periodic())
    plumbing.start(feed_lag(database))
