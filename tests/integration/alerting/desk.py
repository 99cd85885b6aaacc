"""Alerting in a test's hands: events go in over real Kafka, follow-ups come out over HTTP."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
from fastapi import FastAPI

from services.alerting.app import build
from shared.erasure import subject_by
from shared.events.directory import AccountUpserted, Contact, StakeholderUpserted
from shared.events.envelope import Event, EventData, decode
from shared.events.responses import ResponseAmended, ResponseWithdrawn, StakeholderErased
from shared.events.scores import AnswerPair, AnswerRef, StakeholderAnswerCorrected, StakeholderAnswered
from shared.ids import derived_uuid, uuid7
from shared.kafka.producer import Publisher
from shared.records import OutRecord
from shared.runtime import Plumbing
from shared.topics import (
    ACCOUNT_UPSERTED,
    DIRECTORY,
    FOLLOW_UPS,
    RESPONSE_AMENDED,
    RESPONSE_WITHDRAWN,
    RESPONSES,
    SCORE_EVENTS,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_UPSERTED,
    Topic,
)
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import record_of, recorded, topic_records
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

MONDAY = datetime(2026, 6, 8, 10, 0, tzinfo=UTC)
OLIVIA = "olivia@supplier.example"
EVERYTHING = ("read", "act", "manage", "erase")
Item = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """A running alerting service with a key that may do everything."""

    app: FastAPI
    client: httpx.AsyncClient
    environment: Environment
    publisher: Publisher
    clock: FrozenClock
    sent: list[int] = field(default_factory=list)

    @property
    def plumbing(self) -> Plumbing:
        """The plumbing of the running application."""
        return cast(Plumbing, self.app.state.plumbing)

    async def emit(self, *events: Event) -> None:
        """Publish events to their topics and wait until alerting has read them."""
        for event in events:
            await self.publisher.send(record_of(event, TOPIC_OF[event.name]))
        self.sent.append(len(events))
        await self.all_read()

    async def emit_raw(self, record: OutRecord) -> None:
        """Publish one record as it is."""
        await self.publisher.send(record)
        self.sent.append(1)
        await self.all_read()

    async def all_read(self) -> None:
        """Wait until everything that was published has been read and committed."""

        async def read() -> bool:
            return await self.number("select sum(read_count) from cursors") == sum(self.sent)

        await eventually(read, timeout=20)

    async def number(self, sql: str, **params: Any) -> int:
        """A number out of the database."""
        async with self.plumbing.database.read() as tx:
            return int(await tx.scalar(sql, **params) or 0)

    async def outcomes(self) -> Mapping[str, int]:
        """What became of all records read."""
        names = ("new", "repeat", "change", "pending", "conflict", "dead_lettered")
        sums = ", ".join(f"sum({name}_count)::int as {name}" for name in names)
        async with self.plumbing.database.read() as tx:
            row = await tx.one(f"select {sums} from cursors")  # noqa: S608 - names of ours
        assert row is not None
        return {name: row[name] for name in names if row[name]}

    async def items(self, **params: Any) -> list[Item]:
        """Follow-ups as listed."""
        answer = await self.client.get("/v1/follow-ups", params=params)
        assert answer.status_code == 200, answer.text
        return cast(list[Item], answer.json()["items"])

    async def only(self, **params: Any) -> Item:
        """The one follow-up there is."""
        (item,) = await self.items(**params)
        return item

    async def get(self, follow_up_id: str, part: str = "") -> Item:
        """A follow-up with its history."""
        answer = await self.client.get(f"/v1/follow-ups/{follow_up_id}{part}")
        assert answer.status_code == 200, answer.text
        return cast(Item, answer.json())

    async def do(self, follow_up_id: str, action: str, status: int = 200, **body: Any) -> Item:
        """A change of a follow-up."""
        answer = await self.client.post(f"/v1/follow-ups/{follow_up_id}/{action}", json=body)
        assert answer.status_code == status, answer.text
        return cast(Item, answer.json())

    async def told(self, name: str | None = None) -> list[Event]:
        """What alerting has published on the topic follow-ups, once its outbox is empty."""

        async def empty() -> bool:
            return await self.number("select count(*) from outbox where published_at is null") == 0

        await eventually(empty)
        records = await topic_records(self.environment.kafka, self.environment.topic_prefix + FOLLOW_UPS.name)
        events = [decode(record.headers, record.value) for record in records]
        return [event for event in events if name in (None, event.name)]

    async def key(self, *scopes: str, owner_email: str | None = None) -> dict[str, str]:
        """The header of another key."""
        return bearer(await api_key(self.environment, scopes, owner_email))


@contextlib.asynccontextmanager
async def desk(environment: Environment, at: datetime = MONDAY) -> AsyncIterator[Desk]:
    """Alerting on an environment, with its consumer running and a clock that stands still."""
    clock = FrozenClock(at)
    app = build(environment.common, clock)
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        async with running(app) as client:
            client.headers.update(bearer(await api_key(environment, EVERYTHING)))
            yield Desk(app, client, environment, publisher, clock)
    finally:
        await publisher.stop()


TOPIC_OF: Mapping[str, Topic] = {
    "response.recorded": RESPONSES,
    RESPONSE_AMENDED: RESPONSES,
    RESPONSE_WITHDRAWN: RESPONSES,
    STAKEHOLDER_ERASED: RESPONSES,
    ACCOUNT_UPSERTED: DIRECTORY,
    STAKEHOLDER_UPSERTED: DIRECTORY,
    STAKEHOLDER_ANSWERED: SCORE_EVENTS,
    STAKEHOLDER_ANSWER_CORRECTED: SCORE_EVENTS,
}


def event(name: str, data: EventData, at: datetime = MONDAY, event_id: UUID | None = None) -> Event:
    """An event as its producer would send it."""
    account_id: str = data.account_id  # type: ignore[attr-defined]
    stakeholder_id = getattr(data, "stakeholder_id", None)
    key = None
    if TOPIC_OF[name] is DIRECTORY and stakeholder_id:
        key = f"{account_id}/{stakeholder_id}"
    return Event(event_id or uuid7(), name, "/tests", at, account_id, data, key)


def answered(response_id: str, score: int, at: datetime = MONDAY, **fields: Any) -> Event:
    """A stakeholder.answered event of Jane at Acme, answered a minute before `at`."""
    values: dict[str, Any] = {
        "account_id": "acme",
        "stakeholder_id": "jane",
        "revision": 1,
        "survey_type": "nps",
        "nps_kind": "relationship",
        "answered_at": at - timedelta(minutes=1),
        "recorded_at": at,
    } | fields
    if values["survey_type"] == "nps":
        values.setdefault("category", category(score))
    data = StakeholderAnswered(response_id=response_id, score=score, **values)
    event_id = derived_uuid(STAKEHOLDER_ANSWERED, response_id, str(data.revision))
    return event(STAKEHOLDER_ANSWERED, data, at, event_id)


def fell(response_id: str, before: int, score: int, at: datetime = MONDAY, **fields: Any) -> Event:
    """The same with the answer before it and the change between them."""
    change = f"{category(before)}_to_{category(score)}"
    return answered(response_id, score, at, previous=ref(f"{response_id}-before", before, at), change=change, **fields)


def ref(response_id: str, score: int, at: datetime = MONDAY) -> AnswerRef:
    """An answer of a pair."""
    return AnswerRef(response_id=response_id, answered_at=at, score=score, category=cast(Any, category(score)))


def corrected(response_id: str, old: AnswerPair, new: AnswerPair, cause: str, **fields: Any) -> Event:
    """A stakeholder.answer_corrected event of Jane, ten minutes later."""
    at = MONDAY + timedelta(minutes=10)
    values: dict[str, Any] = {
        "account_id": "acme",
        "stakeholder_id": "jane",
        "survey_type": "nps",
        "nps_kind": "relationship",
        "recorded_at": at,
    } | fields
    data = StakeholderAnswerCorrected(response_id=response_id, old=old, new=new, cause=cast(Any, cause), **values)
    return event(STAKEHOLDER_ANSWER_CORRECTED, data, at)


def response(response_id: str, score: int = 2, **fields: Any) -> Event:
    """A response.recorded event of Jane's."""
    values: dict[str, Any] = {
        "stakeholder_id": "jane",
        "score": score,
        "answered_at": MONDAY,
        "recorded_at": MONDAY,
    } | fields
    return recorded(response_id, **values)


def amended(response_id: str, minutes: int = 1, **changes: Any) -> Event:
    """A response.amended event, so many minutes after the answer."""
    at = MONDAY + timedelta(minutes=minutes)
    event_id = uuid7()
    data = ResponseAmended(
        event_id=event_id, response_id=response_id, account_id="acme", changes=changes, recorded_at=at
    )
    return event(RESPONSE_AMENDED, data, at, event_id)


def withdrawn(response_id: str) -> Event:
    """A response.withdrawn event."""
    at = MONDAY + timedelta(minutes=2)
    event_id = uuid7()
    data = ResponseWithdrawn(event_id=event_id, response_id=response_id, account_id="acme", recorded_at=at)
    return event(RESPONSE_WITHDRAWN, data, at, event_id)


def erased(environment: Environment, stakeholder_id: str = "jane", at: datetime = MONDAY) -> Event:
    """A stakeholder.erased event of an hour later."""
    subject = subject_by(environment.common.secret_key.get_secret_value())("acme", stakeholder_id)
    erased_at = at + timedelta(hours=1)
    data = StakeholderErased(
        receipt_id=uuid7(), account_id="acme", stakeholder_id=stakeholder_id, subject=subject, erased_at=erased_at
    )
    return event(STAKEHOLDER_ERASED, data, erased_at)


def account(account_id: str = "acme", minutes: int = 0, **fields: Any) -> Event:
    """An account.upserted event; Olivia owns it unless told otherwise."""
    values: dict[str, Any] = {"name": "Acme", "owner": Contact(name="Olivia Owner", email=OLIVIA)} | fields
    at = MONDAY - timedelta(days=1) + timedelta(minutes=minutes)
    event_id = uuid7()
    data = AccountUpserted(account_id=account_id, event_id=event_id, recorded_at=at, **values)
    return event(ACCOUNT_UPSERTED, data, at, event_id)


def person(stakeholder_id: str = "jane", account_id: str = "acme", **fields: Any) -> Event:
    """A stakeholder.upserted event."""
    values: dict[str, Any] = {"name": "Jane Doe", "email": "jane@acme.example", "type": "decision_maker"} | fields
    at = MONDAY - timedelta(days=1)
    event_id = uuid7()
    data = StakeholderUpserted(
        account_id=account_id, stakeholder_id=stakeholder_id, event_id=event_id, recorded_at=at, **values
    )
    return event(STAKEHOLDER_UPSERTED, data, at, event_id)


def category(score: int) -> str:
    """promoter, passive or detractor."""
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
