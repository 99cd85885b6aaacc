"""Two collectors behind one port, two scorers and two alerting on three brokers with TLS and SCRAM, while replicas and
brokers are killed at random: nothing accepted is lost, no figure differs from a recomputation, nothing is told twice.

`make chaos` takes a minute for it; TELLBACK_CHAOS_SECONDS says otherwise (3600), TELLBACK_CHAOS_SEED repeats a run.
"""

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cli.embedded.process import LOOPBACK, free_port
from shared.db.engine import Database
from shared.events.envelope import Event, decode
from shared.kafka.admin import Admin
from shared.topics import RESPONSES
from tests.chaos.parts import Part, killing, passing, service_part
from tests.integration.scorer.storms import Story
from tests.support.cluster import BROKERS, Cluster, SecuredNode, kafka_cluster
from tests.support.environment import PARTITIONS, Environment, fresh_environment
from tests.support.events import topic_records
from tests.support.forwarding import forwarding
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import embedded_postgres
from tests.support.receiver import Receiver, receiving

SECONDS = float(os.environ.get("TELLBACK_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("TELLBACK_CHAOS_SEED", "0")) or secrets.randbelow(10**6)
SERVICES = ("collector", "scorer", "alerting")
CLIENTS, EVERY = 4, 0.4
"""Ten answers a second: enough to have work in progress at every kill."""
CROWDS, PEOPLE = 6, 9
BETWEEN_KILLS = (1.0, 5.0)
LEAST_KILLS = max(4, round(SECONDS / 30))
SETTLE_SECONDS = 300.0
SETTINGS = {
    "TELLBACK_CONSUMER_SESSION_TIMEOUT_MS": "6000",
    "TELLBACK_ALERTING_ALLOW_NETWORKS": f"{LOOPBACK}/32",
    "TELLBACK_ALERTING_RETRY_SCHEDULE": ",".join(["0.5"] * 50),
    "TELLBACK_ALERTING_LEASE_MARGIN_S": "2",
}

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(SECONDS + 900)]


class LastingNode(SecuredNode):
    """A node whose sessions last for a while."""

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {"connections.max.reauth.ms": "30000"}


class Broker(Part):
    """A broker of the cluster, as something that can be killed."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.name, self.kills = f"broker-{number}", 0
        self._cluster, self._number = cluster, number

    def start(self) -> None:
        self._cluster.launch(self._number)

    async def until_ready(self) -> None:
        await self._cluster.ready(self._number)

    def kill(self) -> None:
        self.kills += 1
        self._cluster.kill(self._number)


@dataclass
class Posts:
    """Answers of unhappy people, each at an account of their own, and of crowds that stay happy. A client posts an
    answer again, under its id, until it is taken."""

    url: str
    key: str
    accepted: dict[str, str] = field(default_factory=dict)
    """Response -> account."""
    statuses: Counter[int] = field(default_factory=Counter)

    async def run(self, number: int, over: asyncio.Event) -> None:
        """Post one after the other until stopped; what was begun is brought to its end."""
        count = 0
        while not over.is_set():
            count += 1
            await self._post_until_taken(self._answer(number, count))
            await passing(EVERY)

    def _answer(self, number: int, count: int) -> dict[str, Any]:
        answer = {"response_id": f"r-{number}-{count}", "survey_type": "nps"}
        if count % 2:
            return answer | {"account_id": f"lone-{number}-{count}", "stakeholder_id": "ann", "score": 2}
        turn = count // 2
        person = f"p-{number}-{turn % PEOPLE}"
        return answer | {"account_id": f"crowd-{turn % CROWDS}", "stakeholder_id": person, "score": 9 + turn % 2}

    async def _post_until_taken(self, answer: dict[str, Any]) -> None:
        while answer["response_id"] not in self.accepted:
            # A connection of its own for each, so that the balancer chooses anew.
            async with httpx.AsyncClient(headers=bearer(self.key), timeout=30, trust_env=False) as client:
                try:
                    said = await client.post(f"{self.url}/v1/responses", json=answer)
                except httpx.TransportError:
                    self.statuses[0] += 1
                    await passing(0.1)
                    continue
            self.statuses[said.status_code] += 1
            if said.status_code == 202:
                self.accepted[answer["response_id"]] = answer["account_id"]


class Told(Story):
    """What was posted, as the topic has it."""

    def __init__(self, environment: Environment, events: Sequence[Event]) -> None:
        self.environment = environment
        self.moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        self.accounts = [f"crowd-{number}" for number in range(CROWDS)]
        self.events, self.poured = list(events), len(events)


@dataclass(frozen=True)
class House:
    """Two replicas of each service, the brokers, and where the collectors are reached."""

    environment: Environment
    replicas: dict[str, list[Part]]
    urls: dict[str, str]
    brokers: list[Part]

    @property
    def parts(self) -> list[Part]:
        """All that may be killed."""
        return [part for pair in self.replicas.values() for part in pair] + self.brokers


@contextlib.asynccontextmanager
async def house(logs: Path) -> AsyncIterator[House]:
    """Everything started and ready."""
    with embedded_postgres() as postgres:
        async with (
            kafka_cluster(LastingNode) as cluster,
            fresh_environment(cluster.connection(), postgres, topics=False) as made,
        ):
            environment = replace(made, common=made.common.model_copy(update={"replication_factor": 3}))
            async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
                await admin.apply(PARTITIONS, 3)
            ports = {name: (free_port(), free_port()) for name in SERVICES}
            variables = environment.variables() | SETTINGS
            replicas = {
                name: [
                    service_part(name, port, variables, logs, f"{name}-{number}")
                    for number, port in enumerate(ports[name])
                ]
                for name in SERVICES
            }
            started = [part for pair in replicas.values() for part in pair]
            try:
                for part in started:
                    part.start()
                for part in started:
                    await part.until_ready()
                async with forwarding(LOOPBACK, *ports["collector"]) as balanced:
                    urls = {name: f"http://{LOOPBACK}:{ports[name][0]}" for name in SERVICES}
                    urls["collector"] = f"http://{LOOPBACK}:{balanced}"
                    yield House(environment, replicas, urls, [Broker(cluster, number) for number in BROKERS])
            finally:
                for part in started:
                    part.stop()


async def test_replicas_and_brokers_are_killed_and_nothing_is_lost_or_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(tmp_path) as there, receiving() as receiver:
        headers = bearer(await api_key(there.environment, ("read", "manage")))
        async with httpx.AsyncClient(
            base_url=there.urls["alerting"], headers=headers, timeout=30, trust_env=False
        ) as api:
            made = await api.post("/v1/webhook-endpoints", json={"url": receiver.url})
            endpoint = made.raise_for_status().json()["id"]
            posts = Posts(there.urls["collector"], await api_key(there.environment, ("ingest",)))
            await under_fire(there, posts)
            unhappy = {account for account in posts.accepted.values() if account.startswith("lone-")}

            async def settled() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    tasks = Counter(task["account_id"] for task in await every(api, "/v1/follow-ups"))
                    waiting = [
                        await every(api, f"/v1/webhook-endpoints/{endpoint}/deliveries", status=status)
                        for status in ("pending", "sending")
                    ]
                    return unhappy <= tasks.keys() and not any(waiting)
                return False

            await eventually(settled, SETTLE_SECONDS)
            opened = Counter(
                (task["account_id"], task["stakeholder_id"], task["kind"])
                for task in await every(api, "/v1/follow-ups")
            )
            deliveries = await every(api, f"/v1/webhook-endpoints/{endpoint}/deliveries")
        kills = {part.name: part.kills for part in there.parts}
        with capsys.disabled():
            sys.stdout.write(
                f"\nseed {SEED}: {SECONDS:.0f} s, kills {kills}, {len(posts.accepted)} answers taken,"
                f" statuses {dict(posts.statuses)}, {len(receiver.requests)} webhooks\n"
            )
        assert set(posts.statuses) <= {0, 202, 503}
        assert {account for account, _, _ in opened if account.startswith("lone-")} == unhappy
        assert set(opened.values()) == {1}
        assert {delivery["status"] for delivery in deliveries} == {"delivered"}
        check_webhooks(receiver, unhappy)
        await check_figures(there, posts)


async def under_fire(there: House, posts: Posts) -> None:
    """Post while replicas and brokers are killed and started again."""
    over = asyncio.Event()
    posting = [asyncio.create_task(posts.run(number, over)) for number in range(CLIENTS)]
    try:
        await killing(there.parts, SECONDS, LEAST_KILLS, BETWEEN_KILLS, SEED)
    finally:
        over.set()
        await asyncio.gather(*posting)


def check_webhooks(receiver: Receiver, unhappy: set[str]) -> None:
    """Each follow-up of the unhappy was told under one id, and each message said the same each time."""
    opened: dict[str, set[str]] = {}
    said: dict[str, set[bytes]] = {}
    for request in receiver.requests:
        said.setdefault(request.webhook_id, set()).add(request.body)
        if request.headers["tellback-event-type"] == "follow_up.opened":
            account = json.loads(request.body)["data"]["account"]["account_id"]
            if account in unhappy:
                opened.setdefault(account, set()).add(request.webhook_id)
    assert {len(bodies) for bodies in said.values()} == {1}
    assert {account: len(ids) for account, ids in opened.items()} == dict.fromkeys(unhappy, 1)


async def check_figures(there: House, posts: Posts) -> None:
    """The topic has all that was taken, and the scorer what a recomputation of the topic says."""
    environment = there.environment

    async def relayed() -> bool:
        async with collector.read() as tx:
            return not await tx.scalar("select count(*) from outbox where published_at is null")

    collector, scorer = Database(environment.database_url, "collector"), Database(environment.database_url, "scorer")
    try:
        await eventually(relayed, SETTLE_SECONDS)
        records = await topic_records(environment.kafka, environment.topic_prefix + RESPONSES.name)
        events = [decode(record.headers, record.value) for record in records]
        assert {event.data.response_id for event in events} == posts.accepted.keys()  # type: ignore[attr-defined]
        await Told(environment, events).check(scorer, there.urls["scorer"])
    finally:
        await collector.close()
        await scorer.close()


async def every(api: httpx.AsyncClient, path: str, **params: Any) -> list[Any]:
    """Every item of a list."""
    items: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await api.get(path, params={"limit": 200, **params, **cursor})
        page = answer.raise_for_status().json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}
