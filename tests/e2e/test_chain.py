"""The main use, end to end on real parts: an answer posted over HTTP becomes a signed webhook at the CRM."""

import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import SOURCES, tellback
from tests.support.receiver import Receiver, Request, receiving


@pytest.fixture(scope="module")
async def house(
    module_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    logs: Path = tmp_path_factory.mktemp("logs")
    async with installed(module_environment, logs) as installation:
        yield installation


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


async def meet(house: Installation, account: str, *people: str) -> None:
    """Add an account of the logistics industry with its people to the directory."""
    owner = {"name": "Ines Falk", "email": "ines.falk@supplier.example"}
    record = {"name": account.title(), "industry": "freight", "tier": "key", "owner": owner}
    answer = await house.collector.put(f"/v1/accounts/{account}", json=record)
    assert answer.is_success, answer.text
    for person in people:
        path = f"/v1/accounts/{account}/stakeholders/{person}"
        answer = await house.collector.put(path, json={"name": person.title(), "type": "decision_maker"})
        assert answer.is_success, answer.text


async def subscribe(house: Installation, crm: Receiver, *types: str) -> tuple[str, str]:
    """Add a webhook endpoint for the receiver; returns its id and its secret."""
    answer = await house.alerting.post("/v1/webhook-endpoints", json={"url": crm.url, "event_types": list(types)})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["secret"]


async def respond(house: Installation, account: str, person: str, score: int, days: float, **fields: Any) -> str:
    body = {
        "account_id": account,
        "stakeholder_id": person,
        "survey_type": "nps",
        "score": score,
        "answered_at": days_ago(days),
    }
    answer = await house.collector.post("/v1/responses", json=body | fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["response_id"])


async def score_of(house: Installation, account: str) -> dict[str, Any]:
    return dict(await house.get("scorer", f"/v1/accounts/{account}/score", window="90d"))


async def counted(house: Installation, account: str, answers: int) -> dict[str, Any]:
    """The account's figures, once its window `all` counts so many answers by method `all`."""

    async def enough() -> bool:
        answer = await house.scorer.get(f"/v1/accounts/{account}/score", params={"window": "all", "method": "all"})
        return bool(answer.is_success and answer.json()["response_count"] == answers)

    await eventually(enough, timeout=30)
    return await score_of(house, account)


def about(crm: Receiver, account: str) -> list[Request]:
    """The webhooks about an account received so far."""
    return [request for request in crm.requests if f'"{account}"'.encode() in request.body]


async def test_a_promoter_who_turns_passive_reaches_the_crm_within_two_seconds(
    house: Installation, crm: Receiver
) -> None:
    await meet(house, "northwind", "mara")
    _, secret = await subscribe(house, crm, "follow_up.opened")
    await respond(house, "northwind", "mara", 9, days=40)
    before = await counted(house, "northwind", 1)
    assert (before["nps"], before["promoter_count"]) == (100, 1)

    response_id = await respond(house, "northwind", "mara", 7, days=0, comment="A competitor answers faster.")
    posted = time.monotonic()
    (webhook,) = await eventually(lambda: about(crm, "northwind"), timeout=10)
    assert webhook.at - posted < 2

    body = webhook.verified(secret)
    assert body["type"] == "follow_up.opened"
    assert body["data"]["change"]["kind"] == "promoter_to_passive"
    assert body["data"]["response"]["response_id"] == response_id
    (task,) = (await house.get("alerting", "/v1/follow-ups", account_id="northwind"))["items"]
    assert webhook.webhook_id.startswith("msg_")
    assert (task["kind"], task["severity"], task["state"]) == ("promoter_to_passive", "high", "open")
    assert task["owner"]["email"] == "ines.falk@supplier.example"
    assert task["due_at"]
    assert task["playbook"]
    after = await counted(house, "northwind", 2)
    assert (after["nps"], after["passive_count"], after["response_count"]) == (0, 1, 1)
    person = await house.get("scorer", "/v1/accounts/northwind/stakeholders/mara")
    assert [answer["score"] for answer in person["responses"]] == [9, 7]
    comparison = await house.get("benchmark", "/v1/comparisons/accounts/northwind")
    assert comparison["benchmark"]["set"] == "clientshare-2026"
    assert comparison["gap"] == -41


async def test_the_same_with_the_scorer_killed_in_the_middle(house: Installation, crm: Receiver) -> None:
    await meet(house, "ironbridge", "ola", "emil")
    _, secret = await subscribe(house, crm, "follow_up.opened")
    await respond(house, "ironbridge", "ola", 10, days=45)
    await counted(house, "ironbridge", 1)
    for number in range(5):
        await respond(house, "ironbridge", f"extra{number}", 9, days=41)
    house.kill("scorer")
    await respond(house, "ironbridge", "ola", 4, days=0)
    await respond(house, "ironbridge", "emil", 8, days=0)
    house.start("scorer")
    await house.ready("scorer")
    figures = await counted(house, "ironbridge", 8)
    assert (figures["promoter_count"], figures["passive_count"], figures["detractor_count"]) == (5, 1, 1)

    (webhook,) = await eventually(lambda: about(crm, "ironbridge"), timeout=20)
    assert webhook.verified(secret)["data"]["task"]["kind"] == "detractor"
    (task,) = (await house.get("alerting", "/v1/follow-ups", account_id="ironbridge"))["items"]
    assert (task["kind"], task["stakeholder_id"]) == ("detractor", "ola")


async def test_every_message_delivered_twice_changes_nothing(house: Installation, crm: Receiver) -> None:
    await meet(house, "harbour", "lena")
    _, secret = await subscribe(house, crm, "follow_up.opened")
    await respond(house, "harbour", "lena", 9, days=35)
    await respond(house, "harbour", "lena", 2, days=0)
    (first,) = await eventually(lambda: about(crm, "harbour"), timeout=20)
    figures = await counted(house, "harbour", 2)
    tasks = (await house.get("alerting", "/v1/follow-ups", account_id="harbour"))["items"]
    assert len(tasks) == 1
    webhooks = len(crm.requests)

    await house.repeat_everything()
    # Later records in the same partitions show that the repeats have been read.
    await respond(house, "harbour", "lena", 1, days=0)

    async def read_on() -> bool:
        (task,) = (await house.get("alerting", "/v1/follow-ups", account_id="harbour"))["items"]
        return bool(task["occurrences"] == 2)

    await eventually(read_on, timeout=30)
    again = await counted(house, "harbour", 3)
    assert {name: again[name] for name in ("nps", "response_count", "detractor_count")} == {
        name: figures[name] for name in ("nps", "response_count", "detractor_count")
    }
    (task,) = (await house.get("alerting", "/v1/follow-ups", account_id="harbour"))["items"]
    assert task["follow_up_id"] == tasks[0]["follow_up_id"]
    assert len(crm.requests) == webhooks
    assert first.verified(secret)["data"]["task"]["kind"] == "detractor"


def test_the_books_balance_at_the_end(module_environment: Environment) -> None:
    """In every service and partition: records read = the sum of their outcomes, and new = rows stored."""
    done = subprocess.run(
        tellback("reconcile", "--json"),
        env=os.environ | SOURCES | module_environment.variables(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    partitions = json.loads(done.stdout)["partitions"]
    assert sum(line["read"] for line in partitions if line["service"] == "scorer") > 0
