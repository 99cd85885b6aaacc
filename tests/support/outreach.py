"""Outreach in a test's hands: its API, its handlers without Kafka, and a scorer that says what a test wants."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from services.outreach import SCHEMA
from services.outreach.app import build
from services.outreach.consumer import PLAIN, handlers
from services.outreach.domain.asks import response_id_of
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.everybody import Everybody
from services.outreach.jobs.reading import Reading
from services.outreach.settings import OutreachSettings
from services.outreach.store import readings
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.erasure import subject_by
from shared.events.directory import (
    AccountRemoved,
    AccountUpserted,
    Contact,
    StakeholderRemoved,
    StakeholderUpserted,
)
from shared.events.envelope import Event, EventData, decode
from shared.events.invitations import InvitationFact, InvitationKind
from shared.events.responses import (
    ImportUndone,
    ResponseAmended,
    ResponseRecorded,
    ResponseWithdrawn,
    StakeholderErased,
)
from shared.http.client import Services
from shared.ids import uuid7
from shared.topics import (
    ACCOUNT_REMOVED,
    ACCOUNT_UPSERTED,
    IMPORT_UNDONE,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
)
from shared.verdicts import Received, Verdict
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

NOW = datetime(2026, 6, 9, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SCOPES = ("ingest", "read", "act", "manage", "erase")


@dataclass
class ScorerOfTests:
    """Answers `GET /v1/stakeholders` with `people`, two on a page; with `status` it refuses."""

    people: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        query = dict(httpx.QueryParams(scope["query_string"].decode()))
        assert query["contacts"] == "true"
        begin = int(query.get("cursor", "0"))
        end = begin + 2
        cursor = None
        if end < len(self.people):
            cursor = str(end)
        body: dict[str, Any] = {"items": self.people[begin:end], "next_cursor": cursor}
        if self.status != 200:
            body = {"code": "unavailable", "detail": "later"}
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def known_person(account_id: str, stakeholder_id: str, **moments: Any) -> dict[str, Any]:
    """What the scorer says of a person: moments as RFC 3339, and perhaps the `email`."""
    contacts: dict[str, Any] = dict.fromkeys(("last_asked_at", "bounced_at", "unsubscribed_at"))
    contacts["last_answered_at"] = {"relationship": None, "transactional": None}
    email = moments.pop("email", None)
    return {
        "account_id": account_id,
        "stakeholder_id": stakeholder_id,
        "email": email,
        "contacts": contacts | moments,
    }


def _event(name: str, data: EventData, event_id: UUID | None = None, file: str | None = None) -> Event:
    account_id: str = data.account_id  # type: ignore[attr-defined]
    return Event(event_id or uuid7(), name, "/tests", NOW, account_id, data, file=file)


def account(account_id: str = "acme", **fields: Any) -> Event:
    """An account.upserted event; `owner` is an address."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW} | fields
    if isinstance(values.get("owner"), str):
        values["owner"] = Contact(email=values["owner"])
    return _event(ACCOUNT_UPSERTED, AccountUpserted(account_id=account_id, **values))


def account_removed(account_id: str = "acme", **fields: Any) -> Event:
    """An account.removed event, a minute later."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW + timedelta(minutes=1)} | fields
    return _event(ACCOUNT_REMOVED, AccountRemoved(account_id=account_id, **values))


def person(stakeholder_id: str = "ann", account_id: str = "acme", **fields: Any) -> Event:
    """A stakeholder.upserted event: a user with an address of their own."""
    values: dict[str, Any] = {
        "event_id": uuid7(),
        "recorded_at": NOW,
        "type": "user",
        "email": f"{stakeholder_id}@{account_id}.example",
    }
    data = StakeholderUpserted(account_id=account_id, stakeholder_id=stakeholder_id, **(values | fields))
    return _event(STAKEHOLDER_UPSERTED, data)


def person_removed(stakeholder_id: str = "ann", account_id: str = "acme", **fields: Any) -> Event:
    """A stakeholder.removed event, a minute later."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW + timedelta(minutes=1)} | fields
    data = StakeholderRemoved(account_id=account_id, stakeholder_id=stakeholder_id, **values)
    return _event(STAKEHOLDER_REMOVED, data)


def invited(
    kind: InvitationKind, at: datetime, invitation_id: str | None = None, account_id: str = "acme", **fields: Any
) -> Event:
    """An invitation fact about `ann`, of a foreign mailer unless the id is an ask's."""
    values: dict[str, Any] = {"event_id": uuid7(), "stakeholder_id": "ann", "recorded_at": at} | fields
    wanted = invitation_id or f"foreign-{uuid4()}"
    data = InvitationFact(invitation_id=wanted, account_id=account_id, kind=kind, at=at, **values)
    return _event(f"invitation.{kind}", data)


def answered(at: datetime, response_id: str = "r-1", account_id: str = "acme", **fields: Any) -> Event:
    """A response.recorded event of `ann` for a relationship survey; `file` is the header of an imported row."""
    file = fields.pop("file", None)
    values: dict[str, Any] = {
        "stakeholder_id": "ann",
        "survey_type": "nps",
        "score": 9,
        "answered_at": at,
        "recorded_at": at,
        "nps_kind": "relationship",
        "sent": ("account_id", "stakeholder_id", "survey_type", "score"),
    }
    data = ResponseRecorded(response_id=response_id, account_id=account_id, **(values | fields))
    return _event(RESPONSE_RECORDED, data, file=file)


def answer_to(ask_id: str, at: datetime, account_id: str = "acme", **fields: Any) -> Event:
    """The answer to an ask, whoever posted it."""
    return answered(at, response_id_of(UUID(ask_id)), account_id, invitation_id=ask_id, **fields)


def amended(response_id: str, changes: Mapping[str, Any], at: datetime, account_id: str = "acme") -> Event:
    """A response.amended event."""
    data = ResponseAmended(
        event_id=uuid7(), response_id=response_id, account_id=account_id, changes=dict(changes), recorded_at=at
    )
    return _event(RESPONSE_AMENDED, data)


def withdrawn(response_id: str, at: datetime, account_id: str = "acme") -> Event:
    """A response.withdrawn event."""
    data = ResponseWithdrawn(event_id=uuid7(), response_id=response_id, account_id=account_id, recorded_at=at)
    return _event(RESPONSE_WITHDRAWN, data)


def undone(import_id: UUID, at: datetime, account_id: str = "acme") -> Event:
    """An import.undone event."""
    data = ImportUndone(event_id=uuid7(), import_id=import_id, account_id=account_id, recorded_at=at)
    return _event(IMPORT_UNDONE, data)


@dataclass(frozen=True)
class Asking:
    """A running outreach with a key of every scope, and what stands beside it."""

    environment: Environment
    client: httpx.AsyncClient
    database: Database
    clock: FrozenClock
    scorer: ScorerOfTests

    @property
    def secret(self) -> str:
        """The deployment's key."""
        return self.environment.common.secret_key.get_secret_value()

    @property
    def tokens(self) -> Tokens:
        """What makes the links."""
        return Tokens([self.secret])

    async def take(self, *events: Event) -> list[Verdict]:
        """Hand over the events as one batch, as the consumer does; returns their verdicts."""
        async with self.database.write() as tx:
            return await self.take_in(tx, *events)

    async def take_in(self, tx: WriteTx, *events: Event) -> list[Verdict]:
        """Hand over the events as one batch within a transaction; returns their verdicts."""
        table = handlers(Journal(subject_by(self.secret)), self.tokens, self.clock)
        verdicts: list[Verdict] = []
        read = [decode(event.headers(), event.value(), PLAIN) for event in events]
        received = [Received(event, "test", 0, offset) for offset, event in enumerate(read)]
        for handler, run in groupby(received, key=lambda record: table[record.event.name]):
            verdicts += await handler(tx, list(run))
        return verdicts

    async def waiting(self, count: int) -> None:
        """Wait until so many transactions wait for a lock of accounts or of asking."""

        async def do_wait() -> bool:
            statement = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            async with self.database.read() as tx:
                return bool(await tx.scalar(statement) == count)

        await eventually(do_wait)

    def erasure_of(self, stakeholder_id: str = "ann", account_id: str = "acme", **fields: Any) -> Event:
        """A stakeholder.erased event of now."""
        subject = subject_by(self.secret)(account_id, stakeholder_id)
        values: dict[str, Any] = {"receipt_id": uuid7(), "erased_at": self.clock.now(), "subject": subject} | fields
        data = StakeholderErased(account_id=account_id, stakeholder_id=stakeholder_id, **values)
        return _event(STAKEHOLDER_ERASED, data)

    async def survey(self, survey_id: str = "srv_rel", *, published: bool = True, **document: Any) -> str:
        """A survey in the database, of relationship unless told otherwise; returns its id."""
        content = json.dumps({"name": survey_id, "nps_kind": "relationship"} | document)
        version = None
        if published:
            version = 1
        bound = {"id": survey_id, "document": content, "now": self.clock.now(), "version": version}
        async with self.database.write() as tx:
            await tx.execute(
                "insert into surveys (survey_id, name, draft, current_version, created_at, created_by, updated_at,"
                " updated_by) values (:id, :id, cast(:document as jsonb), :version, :now, 'test', :now, 'test')",
                **bound,
            )
            if published:
                await tx.execute(
                    "insert into survey_versions (survey_id, version, document, published_at, published_by,"
                    " changed_wordings) values (:id, 1, cast(:document as jsonb), :now, 'test', '[]')",
                    id=survey_id,
                    document=content,
                    now=self.clock.now(),
                )
        return survey_id

    async def links(
        self, *people: str, account_id: str = "acme", survey_id: str = "srv_rel", **body: Any
    ) -> list[dict[str, Any]]:
        """The rows for these people of an account, in their order."""
        named = [{"account_id": account_id, "stakeholder_id": stakeholder_id} for stakeholder_id in people]
        answer = await self.client.post(f"/v1/surveys/{survey_id}/links", json={"people": named} | body)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def link(self, stakeholder_id: str = "ann", **options: Any) -> dict[str, Any]:
        """The row of one person."""
        return (await self.links(stakeholder_id, **options))[0]

    async def reason(self, stakeholder_id: str = "ann", **options: Any) -> str | None:
        """Why one person gets no link; None where they get one, which is taken back if it waits for its mailer."""
        row = await self.link(stakeholder_id, **options)
        problem = row["problem"]
        if problem is None:
            if not options.get("handed_over", True):
                answer = await self.client.post(f"/v1/asks/{row['invitation_id']}/withdraw")
                assert answer.status_code == 200, answer.text
            return None
        return str(problem["reason"])

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a 200."""
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, table: str, order: str = "1") -> Sequence[dict[str, Any]]:
        """All rows of a table."""
        async with self.database.read() as tx:
            return [dict(row) for row in await tx.all(f"select * from {table} order by {order}")]  # noqa: S608

    async def with_key(self, *scopes: str, owner_email: str | None = None) -> "Asking":
        """Outreach asked with another key."""
        key = await api_key(self.environment, scopes, owner_email)
        client = httpx.AsyncClient(transport=self.client._transport, base_url=self.client.base_url, headers=bearer(key))
        return Asking(self.environment, client, self.database, self.clock, self.scorer)

    async def is_read(self) -> bool:
        """Whether it is known whom others have asked."""
        async with self.database.read() as tx:
            return await readings.is_done(tx)

    async def read(self) -> None:
        """Read everybody from the scorer, as the task of the service does."""
        settings = OutreachSettings(api_key=SecretStr("tb_of_tests"))
        services = Services({"scorer": settings.scorer_url}, transport=httpx.ASGITransport(app=self.scorer))
        journal = Journal(subject_by(self.secret))
        try:
            await Reading(self.database, Everybody(settings, services), journal, self.tokens, self.clock).read()
        finally:
            await services.close()

    async def emptied(self) -> None:
        """As at the first start, but that everybody has been read: nobody was there. The clock shows `NOW`."""
        self.clock.advance(NOW - self.clock.now())
        self.scorer.people, self.scorer.status = [], 200
        async with self.database.write() as tx:
            tables = await tx.column(
                "select tablename from pg_tables where schemaname = :schema and tablename <> 'schema_version'",
                schema=SCHEMA,
            )
            await tx.execute(f"truncate {', '.join(tables)}")
            await readings.done(tx, 0, NOW)


@contextlib.asynccontextmanager
async def asking(environment: Environment) -> AsyncIterator[Asking]:
    """Outreach on an environment, for the tests of a module: `emptied` before each of them."""
    clock, scorer = FrozenClock(NOW), ScorerOfTests()
    database = Database(environment.database_url, SCHEMA, pool_size=3)
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("TELLBACK_OUTREACH_API_KEY", "tb_of_tests")
        app = build(environment.common, clock, httpx.ASGITransport(app=scorer))
    try:
        async with running(app) as client:
            client.headers.update(bearer(await api_key(environment, SCOPES)))
            found = Asking(environment, client, database, clock, scorer)
            await eventually(found.is_read)
            yield found
    finally:
        await database.close()
