"""Asking, end to end on real parts: a survey is made, a link handed over, the page answered, and the loop is opened."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.outreach.domain.weekly import Week
from services.outreach.handlers.weekly_facts import week_until
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.http.client import Api, ServiceName, Services
from tests.support.asked import REASON, SECONDS, answer_by, counted, link_row, made, meet, published
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.receiver import Receiver, Request, receiving

ACCOUNT, PERSON = "northwind", "mara"


@pytest.fixture
async def house(environment: Environment, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(environment, tmp_path) as installation:
        yield installation


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_a_score_of_two_given_by_a_link_moves_the_account_and_reaches_the_crm(
    house: Installation, crm: Receiver
) -> None:
    await meet(house, ACCOUNT, PERSON)
    wanted = {"url": crm.url, "event_types": ["follow_up.opened"]}
    endpoint = await made(house.alerting, "/v1/webhook-endpoints", wanted)
    row = await link_row(house, await published(house), ACCOUNT, PERSON)
    await answer_by(row["url"])

    score = await counted(house, ACCOUNT, 1)
    assert (score["nps"], score["detractor_count"]) == (-100, 1)

    async def amended() -> dict[str, Any]:
        person = await house.get("scorer", f"/v1/accounts/{ACCOUNT}/stakeholders/{PERSON}")
        (response,) = person["responses"]
        if response["comment"] != REASON:
            return {}
        return dict(response)

    response = await eventually(amended, timeout=SECONDS)
    assert (response["score"], response["channel"]) == (2, "link")

    async def called_for() -> list[dict[str, Any]]:
        tasks = (await house.get("alerting", "/v1/follow-ups", account_id=ACCOUNT))["items"]
        if not any("follow_up_requested" in str(task) for task in tasks):
            return []
        return list(tasks)

    tasks = await eventually(called_for, timeout=SECONDS)
    assert {task["stakeholder_id"] for task in tasks} == {PERSON}
    assert "detractor" in {task["kind"] for task in tasks}

    def told() -> list[Request]:
        return [request for request in crm.requests if f'"{ACCOUNT}"'.encode() in request.body]

    bodies = [webhook.verified(endpoint["secret"]) for webhook in await eventually(told, timeout=SECONDS)]
    first = bodies[0]
    assert (first["type"], first["data"]["response"]["response_id"]) == ("follow_up.opened", response["response_id"])

    week = await last_week(house)
    assert (week.nps, week.respondents, week.before) == (-100, 1, None)
    assert (week.fell.total(), week.rose.total(), week.praised.total(), week.overdue.total()) == (0, 0, 0, 0)


async def last_week(house: Installation) -> Week:
    """What the leaders' mail would say, as the services answer it."""
    urls: dict[ServiceName, str] = {"scorer": house.url("scorer"), "alerting": house.url("alerting")}
    services = Services(urls)
    database = Database.of(house.environment.common, "outreach", pool_size=1)
    try:
        return await week_until(SystemClock().now(), Api(services, house.key), database)
    finally:
        await services.close()
        await database.close()
