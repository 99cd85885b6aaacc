"""The writing side of the scorer in a test's hands: events in, rows and outgoing events out."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from services.scorer.consumer import PLAIN, handlers
from services.scorer.handlers.erasure import Erasure
from services.scorer.handlers.facts import Facts
from services.scorer.handlers.pending import Pending
from services.scorer.handlers.projection import Projector
from services.scorer.handlers.responses import ResponseFold
from services.scorer.handlers.undoing import Undoing
from services.scorer.jobs import PendingJob, ProjectorJob, SelfCheck
from services.scorer.settings import ScorerSettings
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.erasure import subject_by
from shared.events.directory import AccountUpserted, StakeholderUpserted
from shared.events.envelope import Event, EventData, decode
from shared.events.invitations import InvitationFact, InvitationKind
from shared.events.responses import ResponseAmended, ResponseWithdrawn, StakeholderErased
from shared.ids import derived_uuid, uuid7
from shared.kafka.headers import unpack
from shared.topics import (
    ACCOUNT_UPSERTED,
    RESPONSE_AMENDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_UPSERTED,
)
from shared.verdicts import Received, Verdict
from tests.support.environment import Environment
from tests.support.events import NOW

SUBJECT = subject_by("a secret that only these tests know, 7f3a")
TABLES = (
    "responses",
    "response_answers",
    "response_changes",
    "pending_changes",
    "latest_pairs",
    "snapshots",
    "invitations",
    "erasures",
)
KEPT = {"computed_at", "sequence", "applied_at", "silent_at", "changed_xid", "changed_at"}
"""Columns that say when or how often, not what."""


def event(name: str, data: EventData, event_id: UUID | None = None) -> Event:
    """An event as a producer would send it."""
    account_id: str = data.account_id  # type: ignore[attr-defined]
    return Event(event_id or uuid7(), name, "/tests", NOW, account_id, data)


def amended(response_id: str, changes: Mapping[str, Any], account_id: str = "acme", **fields: Any) -> Event:
    """A response.amended event, recorded a minute after `NOW` unless told otherwise."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW + timedelta(minutes=1)} | fields
    data = ResponseAmended(response_id=response_id, account_id=account_id, changes=dict(changes), **values)
    return event(RESPONSE_AMENDED, data, data.event_id)


def withdrawn(response_id: str, account_id: str = "acme", **fields: Any) -> Event:
    """A response.withdrawn event, recorded two minutes after `NOW` unless told otherwise."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW + timedelta(minutes=2)} | fields
    data = ResponseWithdrawn(response_id=response_id, account_id=account_id, **values)
    return event(RESPONSE_WITHDRAWN, data, data.event_id)


def erased(stakeholder_id: str, account_id: str = "acme", **fields: Any) -> Event:
    """A stakeholder.erased event of an hour after `NOW` unless told otherwise."""
    values: dict[str, Any] = {
        "receipt_id": uuid7(),
        "erased_at": NOW + timedelta(hours=1),
        "subject": SUBJECT(account_id, stakeholder_id),
    }
    data = StakeholderErased(account_id=account_id, stakeholder_id=stakeholder_id, **(values | fields))
    return event(STAKEHOLDER_ERASED, data)


def invited(kind: InvitationKind, invitation_id: str, at: datetime, account_id: str = "acme", **fields: Any) -> Event:
    """An invitation event to `ann`, recorded when it happened unless told otherwise."""
    values: dict[str, Any] = {"event_id": uuid7(), "stakeholder_id": "ann", "recorded_at": at} | fields
    data = InvitationFact(invitation_id=invitation_id, account_id=account_id, kind=kind, at=at, **values)
    return event(f"invitation.{kind}", data)


def account(account_id: str = "acme", **fields: Any) -> Event:
    """An account.upserted event."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW} | fields
    return event(ACCOUNT_UPSERTED, AccountUpserted(account_id=account_id, **values))


def person(stakeholder_id: str, account_id: str = "acme", **fields: Any) -> Event:
    """A stakeholder.upserted event."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW} | fields
    data = StakeholderUpserted(account_id=account_id, stakeholder_id=stakeholder_id, **values)
    return event(STAKEHOLDER_UPSERTED, data)


@dataclass(frozen=True)
class Writer:
    """The scorer's handlers and jobs on the database of an environment, without Kafka."""

    database: Database
    clock: Clock
    fold: ResponseFold
    undoing: Undoing
    facts: Facts
    projector: Projector
    job: ProjectorJob
    check: SelfCheck
    pending: PendingJob

    async def take(self, *events: Event, first_offset: int = 0) -> list[Verdict]:
        """Hand over the events as one batch, read as the consumer reads them; returns their verdicts."""
        table = handlers(self.fold, self.undoing, self.facts)
        verdicts: list[Verdict] = []
        async with self.database.write() as tx:
            read = [decode(event.headers(), event.value(), PLAIN) for event in events]
            received = [Received(event, "test", 0, offset) for offset, event in enumerate(read, first_offset)]
            for handler, run in groupby(received, key=lambda record: table[record.event.name]):
                verdicts += await handler(tx, list(run))
        return verdicts

    async def outcomes(self, *events: Event) -> list[str]:
        """The outcomes of a batch."""
        return [verdict.outcome.value for verdict in await self.take(*events)]

    async def project(self) -> None:
        """Project until nothing is due."""
        while await self.job.project_once():
            pass

    async def published(self, *names: str) -> list[Event]:
        """What the scorer publishes: the events in the outbox, dead letters apart, of these names if any are given, in
        their order."""
        async with self.database.read() as tx:
            rows = await tx.all("select headers, value from outbox where topic <> 'dead-letters' order by id")
        found = [decode(unpack(bytes(row["headers"])), bytes(row["value"])) for row in rows]
        return [event for event in found if not names or event.name in names]

    async def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """The rows of a table in a stable order."""
        conditions = " and ".join(f"{name} = :{name}" for name in where) or "true"
        async with self.database.read() as tx:
            found = await tx.all(f"select * from {table} where {conditions}", **where)  # noqa: S608 - names of ours
        return sorted((dict(row) for row in found), key=str)

    async def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every row that says what is known, without the columns that say when it was computed."""
        return {
            table: [{name: value for name, value in row.items() if name not in KEPT} for row in await self.rows(table)]
            for table in TABLES
        }


@contextlib.asynccontextmanager
async def writer(environment: Environment, clock: Clock) -> AsyncIterator[Writer]:
    """The writing side on an environment's database."""
    database = Database(environment.database_url, "scorer", pool_size=4)
    policy = ScorerSettings().policy()
    erasure = Erasure(clock, Journal(SUBJECT))
    projector = Projector(database, clock, policy)
    try:
        yield Writer(
            database,
            clock,
            ResponseFold(clock, erasure, Pending()),
            Undoing(clock),
            Facts(clock, erasure),
            projector,
            ProjectorJob(database, clock, projector, 100, lambda: None),
            SelfCheck(database, policy, 1_000, 60.0),
            PendingJob(database, clock, Pending(), 30),
        )
    finally:
        await database.close()


def ids(events: Iterable[Event]) -> list[str]:
    """The response ids that the events speak of."""
    return [event.data.response_id for event in events]  # type: ignore[attr-defined]


def utc(text: str) -> datetime:
    """A time given as `2026-05-01` or with hours, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def answered_id(response_id: str, revision: int = 1) -> UUID:
    """The id that a stakeholder.answered event must have."""
    return derived_uuid("stakeholder.answered", response_id, str(revision))
