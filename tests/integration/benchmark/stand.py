"""The benchmark service in a test's hands: real PostgreSQL and Kafka; other services answer what a test says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
from fastapi import FastAPI

from shared.events.directory import AccountUpserted, Contact
from shared.events.envelope import Event
from shared.events.scores import AccountScoreChanged
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import ACCOUNT_SCORE_CHANGED, ACCOUNT_SCORES, ACCOUNT_UPSERTED, DIRECTORY
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Reply = Callable[[str, dict[str, str]], tuple[int, Any]]


@dataclass
class Upstream:
    """Another service: `reply` gives status and body for a path and its query; every question is kept, and each answer
    has the `retry_after`."""

    reply: Reply = lambda path, query: (404, {"code": "not_found"})
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    retry_after: bytes = b"7"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        path = scope["raw_path"].decode().partition("?")[0]
        self.asked.append((path, query, headers[b"authorization"].decode()))
        status, body = self.reply(path, query)
        head = [(b"content-type", b"application/json"), (b"retry-after", self.retry_after)]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send(
            {"type": "http.response.body", "body": body if isinstance(body, bytes) else json.dumps(body).encode()}
        )


@dataclass(frozen=True)
class Stand:
    """A running service with a key of every scope."""

    environment: Environment
    client: httpx.AsyncClient
    scorer: Upstream
    alerting: Upstream
    clock: FrozenClock
    app: FastAPI

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a 200."""
        answer = await self.client.get(path, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def code(self, path: str, status: int, **query: Any) -> str:
        """The code of a problem: of the field at fault where there is one."""
        answer = await self.client.get(path, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == status, answer.text
        problem = answer.json()
        found: str = problem["errors"][0]["code"] if problem.get("errors") else problem["code"]
        return found

    async def with_key(self, *scopes: str, owner_email: str | None = None) -> "Stand":
        """A caller with another key."""
        key = await api_key(self.environment, scopes, owner_email)
        client = httpx.AsyncClient(transport=self.client._transport, base_url=self.client.base_url, headers=bearer(key))
        return Stand(self.environment, client, self.scorer, self.alerting, self.clock, self.app)


async def publish(environment: Environment, *records: Record) -> None:
    """Append records to their topics."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    answers = await publisher.send_many(records)
    await publisher.stop()
    assert not any(answers)


def account(account_id: str, industry: str | None = None, **fields: Any) -> Record:
    """An account of the directory; `owner` is an e-mail address."""
    owner = Contact(email=fields.pop("owner")) if "owner" in fields else None
    data = AccountUpserted(
        account_id=account_id, industry=industry, owner=owner, event_id=uuid7(), recorded_at=NOW, **fields
    )
    return Record.of(DIRECTORY, Event(data.event_id, ACCOUNT_UPSERTED, "/tests", NOW, account_id, data))


def snapshot(account_id: str, sequence: int, figures: Mapping[str, Any], account_class: Any = "steady") -> Record:
    """A snapshot as the scorer publishes it: window → method → figures."""
    data = AccountScoreChanged(
        account_id=account_id,
        sequence=sequence,
        computed_at=NOW,
        account_class=account_class,
        figures=dict(figures),
    )
    return Record.of(ACCOUNT_SCORES, Event(uuid7(), ACCOUNT_SCORE_CHANGED, "/tests", NOW, account_id, data))


def figures(*scores: int, previous: tuple[int, ...] = (), voices: int | None = None) -> dict[str, Any]:
    """The figures of one window that cohorts and ranks read of a snapshot."""

    def alone(of: tuple[int, ...]) -> dict[str, Any]:
        net = sum(score >= 9 for score in of) - sum(score <= 6 for score in of)
        return {
            "nps": 100 * net / len(of) if of else None,
            "distribution": [of.count(score) for score in range(11)],
            "stakeholder_count": len(of) if voices is None else voices,
            "last_answered_at": "2026-11-19T08:00:00Z" if of else None,
        }

    return alone(scores) | {"previous": alone(previous)}


def year(*scores: int, previous: tuple[int, ...] = ()) -> dict[str, Any]:
    """A snapshot with nothing but the year by `latest`."""
    return {"365d": {"latest": figures(*scores, previous=previous)}}
