"""Load on a collector: continuous posts, and the outcome of each."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from shared.events.responses import ResponseRecorded
from shared.ids import uuid7
from shared.topics import RESPONSES
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import bearer

ACCOUNTS = 12


@dataclass
class Load:
    """All posted response_ids, and the accepted ones with the path they took."""

    posted: set[str] = field(default_factory=set)
    accepted: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    def ways(self) -> Counter[str]:
        """How many accepted responses took each path."""
        return Counter(self.accepted.values())


@contextlib.asynccontextmanager
async def loading(url: str, key: str, clients: int) -> AsyncIterator[Load]:
    """Post from so many clients at once, each one response after another, until the block ends."""
    load = Load()
    done = asyncio.Event()
    async with httpx.AsyncClient(base_url=url, headers=bearer(key), timeout=30, trust_env=False) as client:
        tasks = [asyncio.create_task(_post_on(client, load, done, number)) for number in range(clients)]
        try:
            yield load
        finally:
            done.set()
            await asyncio.gather(*tasks)


async def _post_on(client: httpx.AsyncClient, load: Load, done: asyncio.Event, number: int) -> None:
    while not done.is_set():
        response_id = str(uuid7())
        body = {
            "response_id": response_id,
            "account_id": f"account-{number % ACCOUNTS}",
            "stakeholder_id": response_id,
            "survey_type": "nps",
            "score": number % 11,
        }
        load.posted.add(response_id)
        began = asyncio.get_running_loop().time()
        try:
            answer = await client.post("/v1/responses", json=body)
        except httpx.TransportError:
            load.statuses[0] += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.1)
            continue
        load.slowest = max(load.slowest, asyncio.get_running_loop().time() - began)
        load.statuses[answer.status_code] += 1
        if answer.status_code == 202:
            load.accepted[response_id] = answer.json()["via"]


async def in_topic(environment: Environment) -> Counter[str]:
    """How many records of each response_id are in the topic `responses`."""
    records = await topic_records(environment.kafka, environment.topic_prefix + RESPONSES.name)
    return Counter(_response_id(bytes(record.value)) for record in records)


def _response_id(value: bytes) -> str:
    return ResponseRecorded.model_validate_json(value).response_id
