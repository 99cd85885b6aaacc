"""Alerting under load while it, PostgreSQL and Kafka are killed at random: nothing accepted is lost or told twice.

`make chaos` takes ten minutes; TELLBACK_CHAOS_SECONDS says otherwise, TELLBACK_CHAOS_SEED repeats a run.
"""

import asyncio
import json
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.errors import TellbackError
from shared.kafka.producer import Publisher
from shared.topics import SCORE_EVENTS
from tests.chaos.parts import Machine, killing, own_machine
from tests.integration.alerting.cases import Case
from tests.support.events import record_of
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.receiver import Answer, Receiver, Request, receiving

SECONDS = float(os.environ.get("TELLBACK_CHAOS_SECONDS", "600"))
SEED = int(os.environ.get("TELLBACK_CHAOS_SEED", "0")) or secrets.randbelow(10**6)
PACE = 10.0
"""Triggers a second: enough to have work in progress at every kill, few enough for a laptop."""
BETWEEN_KILLS = (2.0, 12.0)
LEAST_KILLS = round(SECONDS / 30)
SETTLE_SECONDS = 240.0
SETTINGS = {
    "TELLBACK_ALERTING_ALLOW_NETWORKS": "127.0.0.1/32",
    "TELLBACK_ALERTING_RETRY_SCHEDULE": ",".join(["0.5"] * 50),
    "TELLBACK_ALERTING_RETRY_BUSY_WAIT_S": "0.5",
    "TELLBACK_ALERTING_ATTEMPT_TIMEOUT_S": "3",
    "TELLBACK_ALERTING_LEASE_MARGIN_S": "2",
    "TELLBACK_ALERTING_BREAKER_PROBE_S": "1",
}

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(SECONDS + 600)]


@dataclass
class Load:
    """Triggers of unhappy people: those that Kafka has acknowledged, and those that it may have stored."""

    accepted: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)

    async def run(self, publisher: Publisher, until: asyncio.Event) -> None:
        """Publish triggers at the pace until stopped."""
        number = 0
        while not until.is_set():
            number += 1
            await asyncio.gather(self._append(publisher, f"acme-{number}"), _tick(until, 1 / PACE))

    async def _append(self, publisher: Publisher, name: str) -> None:
        record = record_of(Case(name).answered("r", 2, datetime.now(UTC)), SCORE_EVENTS)
        try:
            await publisher.send(record)
        except TellbackError:
            self.doubtful.append(name)
        else:
            self.accepted.append(name)


class Moody(Receiver):
    """A receiver that randomly fails, delays and resets."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.accepted: list[Request] = []

    def answer_to(self, request: Request) -> Answer:
        """The answer to this request."""
        mood = self.dice.random()
        if mood < 0.05:
            return Answer(500)
        if mood < 0.08:
            return Answer(reset=True)
        self.accepted.append(request)
        return Answer(delay=self.dice.uniform(0, 0.05))


async def test_every_trigger_has_its_task_and_every_webhook_arrives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = Moody(random.Random(SEED))
    async with own_machine(tmp_path) as machine, receiving(receiver=receiver):
        alerting = await machine.serve("alerting", **SETTINGS)
        api = httpx.AsyncClient(
            base_url=machine.urls["alerting"],
            headers=bearer(await api_key(machine.environment, ("read", "manage"))),
            timeout=20,
        )
        async with api:
            endpoint = (await api.post("/v1/webhook-endpoints", json={"url": receiver.url})).json()
            load = await _under_fire(machine, SECONDS)
            await eventually(lambda: _settled(api, endpoint["id"], load), SETTLE_SECONDS)
            tasks = await _all(api, "/v1/follow-ups")
            deliveries = await _all(api, f"/v1/webhook-endpoints/{endpoint['id']}/deliveries")
        kills = {part.name: part.kills for part in (alerting, machine.postgres, machine.kafka)}
        with capsys.disabled():
            sys.stdout.write(_report(load, receiver, kills))
        assert sum(kills.values()) >= LEAST_KILLS
        _check(load, tasks, deliveries, receiver, endpoint["secret"])


async def _under_fire(machine: Machine, seconds: float) -> Load:
    """Run the load while parts are killed."""
    load, over = Load(), asyncio.Event()
    publisher = Publisher(machine.environment.kafka, machine.environment.topic_prefix)
    await publisher.start()
    loading = asyncio.create_task(load.run(publisher, over))
    try:
        parts = [*machine.services.values(), machine.postgres, machine.kafka]
        await killing(parts, seconds, LEAST_KILLS, BETWEEN_KILLS, SEED)
    finally:
        over.set()
        await loading
        await publisher.stop()
    return load


async def _settled(api: httpx.AsyncClient, endpoint_id: str, load: Load) -> bool:
    """Every accepted trigger has a task, and nothing waits to be sent."""
    try:
        tasks = await _all(api, "/v1/follow-ups")
        waiting = [
            await _all(api, f"/v1/webhook-endpoints/{endpoint_id}/deliveries", status=status)
            for status in ("pending", "sending")
        ]
    except httpx.HTTPError:
        return False
    return set(load.accepted) <= {task["account_id"] for task in tasks} and not any(waiting)


def _check(load: Load, tasks: list[Any], deliveries: list[Any], receiver: Moody, secret: str) -> None:
    by_account = Counter(task["account_id"] for task in tasks)
    assert set(load.accepted) <= set(by_account)
    assert set(by_account) <= {*load.accepted, *load.doubtful}
    assert set(by_account.values()) == {1}
    assert {delivery["status"] for delivery in deliveries} == {"delivered"}
    heard = {request.webhook_id for request in receiver.accepted}
    assert heard == {delivery["webhook_id"] for delivery in deliveries}
    said: dict[tuple[str, int], set[tuple[str, bytes]]] = {}
    for request in receiver.requests:
        body = json.loads(request.body)
        said.setdefault((body["data"]["account"]["account_id"], body["sequence"]), set()).add(
            (request.webhook_id, request.body)
        )
    assert {len(messages) for messages in said.values()} == {1}
    opened = [json.loads(request.body)["data"] for request in _first(receiver.accepted, "follow_up.opened")]
    assert Counter(data["account"]["account_id"] for data in opened) == by_account
    for request in receiver.requests[-100:]:
        request.verified(secret)


def _first(requests: Iterable[Request], kind: str) -> list[Request]:
    """The first of each webhook-id of a type."""
    found: dict[str, Request] = {}
    for request in requests:
        if request.headers["tellback-event-type"] == kind:
            found.setdefault(request.webhook_id, request)
    return list(found.values())


def _report(load: Load, receiver: Moody, kills: dict[str, int]) -> str:
    repeats = len(receiver.accepted) - len({request.webhook_id for request in receiver.accepted})
    return (
        f"\nseed {SEED}: {SECONDS:.0f} s, kills {kills}, {len(load.accepted)} triggers accepted and"
        f" {len(load.doubtful)} unanswered, {len(receiver.requests)} requests, {len(receiver.accepted)} of them"
        f" answered 2xx, {repeats} of those repeats under the same webhook-id\n"
    )


async def _all(api: httpx.AsyncClient, path: str, **params: Any) -> list[Any]:
    """Every item of a list."""
    items: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await api.get(path, params={"limit": 200, **params, **cursor})
        answer.raise_for_status()
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


async def _tick(until: asyncio.Event, seconds: float) -> None:
    """Wait, unless `until` is set."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return
