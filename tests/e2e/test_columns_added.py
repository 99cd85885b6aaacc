"""A later version adds a column to every table while this version runs: nothing breaks or stops."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.ids import uuid7
from tests.support.environment import Environment
from tests.support.installation import SERVICES, Installation, installed
from tests.support.polling import eventually
from tests.support.receiver import Receiver, receiving
from tests.support.schema_levels import add_a_column_everywhere

READS = {
    "collector": ("/v1/accounts", "/v1/accounts/{0}", "/v1/accounts/{0}/stakeholders", "/v1/keys", "/v1/conflicts"),
    "scorer": (
        *("/v1/accounts", "/v1/accounts/{0}/score", "/v1/accounts/{0}/stakeholders", "/v1/stakeholders"),
        *("/v1/responses", "/v1/changes", "/v1/portfolio/score", "/v1/portfolio/coverage", "/v1/portfolio/funnel"),
        *("/v1/portfolio/revenue", "/v1/portfolio/trend", "/v1/accounts/{0}/trend", "/v1/explain?account_id={0}"),
        *("/v1/drivers", "/v1/dead-letters", "/v1/conflicts"),
    ),
    "alerting": ("/v1/follow-ups", "/v1/follow-ups/summary", "/v1/rules", "/v1/webhook-endpoints", "/v1/notifications"),
    "benchmark": (
        *("/v1/comparisons/accounts/{0}", "/v1/benchmarks", "/v1/benchmarks/sets", "/v1/cohorts", "/v1/funnel"),
        *("/v1/maturity/assessments", "/v1/reviews/accounts/{0}"),
    ),
}


@pytest.fixture
async def house(environment: Environment, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(environment, tmp_path) as installation:
        yield installation


async def walk_the_chain(house: Installation, crm: Receiver, account_id: str) -> str:
    """Go from the directory and two answers to a follow-up that is worked on, a received webhook and an erasure;
    returns the receipt of the erasure."""
    person = f"{account_id}-ann"
    await call(house, "PUT", "collector", f"/v1/accounts/{account_id}", name=account_id, industry="logistics")
    path = f"/v1/accounts/{account_id}/stakeholders/{person}"
    await call(house, "PUT", "collector", path, name="Ann", type="decision_maker")
    fact = {"account_id": account_id, "stakeholder_id": person}
    now = datetime.now(UTC)
    moment = (now - timedelta(hours=1)).isoformat()
    await call(house, "POST", "collector", "/v1/invitation-events", invitation_id="i", kind="sent", at=moment, **fact)
    await call(house, "POST", "collector", "/v1/context-events", kind="incident", at=moment, label="late", **fact)
    for number, score in enumerate((3, 2)):
        answered_at = (now - timedelta(days=9 - 8 * number)).isoformat()
        body = {"response_id": f"{account_id}-{number}", "answered_at": answered_at, "comment": "said", **fact}
        await call(house, "POST", "collector", "/v1/responses", survey_type="nps", score=score, **body)
    task = await eventually(lambda: follow_up(house, account_id), timeout=40)
    path = f"/v1/responses/{account_id}-1"
    await call(house, "PATCH", "collector", path, account_id=account_id, comment="said otherwise")
    path = f"/v1/follow-ups/{task}"
    await call(house, "POST", "alerting", f"{path}/acknowledge")
    await call(house, "POST", "alerting", f"{path}/comments", comment="called")
    await call(house, "POST", "alerting", f"{path}/close", outcome="resolved", told_customer=True)
    detail = await house.get("alerting", path)
    assert (detail["state"], detail["outcome"]) == ("closed", "resolved")
    for service, paths in READS.items():
        for read in paths:
            await call(house, "GET", service, read.format(account_id))
    await eventually(lambda: any(account_id.encode() in request.body for request in crm.requests), timeout=40)
    receipt = await call(house, "DELETE", "collector", f"/v1/accounts/{account_id}/stakeholders/{person}/data")
    for service in ("scorer", "alerting"):
        path = f"/v1/erasures/{receipt['receipt_id']}"
        await eventually(lambda service=service, path=path: applied(house, service, path), timeout=40)  # type: ignore[misc]
    return str(receipt["receipt_id"])


async def call(house: Installation, method: str, service: str, path: str, **body: Any) -> Any:
    """The JSON of a successful call."""
    answer = await house.clients[service].request(method, path, json=body or None)
    assert answer.is_success, f"{method} {path}: {answer.text}"
    return answer.json()


async def follow_up(house: Installation, account_id: str) -> str | None:
    items = (await house.get("alerting", "/v1/follow-ups", account_id=account_id, state="open"))["items"]
    return str(items[0]["follow_up_id"]) if items else None


async def applied(house: Installation, service: str, path: str) -> bool:
    answer = await house.clients[service].get(path)
    return answer.is_success and answer.json()["status"] == "applied"


async def test_a_column_added_to_every_table_disturbs_nothing(house: Installation, environment: Environment) -> None:
    async with receiving() as crm:
        await call(house, "POST", "alerting", "/v1/webhook-endpoints", url=crm.url)
        await walk_the_chain(house, crm, f"before-{uuid7().hex[-6:]}")  # so that every statement has a cached plan
        assert await add_a_column_everywhere(environment.database_url) > 50
        await walk_the_chain(house, crm, f"after-{uuid7().hex[-6:]}")
    await house.ready()
    for service in SERVICES:
        assert house.is_still_running(service)
        errors = [line for line in house.log(service).splitlines() if '"level": "error"' in line]
        assert [line for line in errors if '"logger": "aiokafka' not in line] == []
