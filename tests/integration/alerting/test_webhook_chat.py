"""Endpoints that are rooms in Slack or Teams."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import FAIL, receiving
from tests.support.webhooks import Hooks, arrived, hooks, message

DATA: dict[str, Any] = {
    "account": {"account_id": "acme", "name": "Acme"},
    "task": {"title": "Call Jane", "severity": "critical", "link": "https://t.example/f/1"},
    "response": {"score": 2, "category": "detractor", "comment": "Late again"},
}


@pytest.fixture(scope="module")
async def api(module_environment: Environment) -> AsyncIterator[Hooks]:
    async with hooks(module_environment) as running:
        yield running


@pytest.fixture(autouse=True)
async def no_endpoints_left(api: Hooks) -> AsyncIterator[None]:
    yield
    for endpoint in (await api.call("GET", "/webhook-endpoints", params={"limit": 200}))["items"]:
        await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)


async def test_a_slack_room_gets_blocks_signed_and_the_same_on_every_attempt(api: Hooks) -> None:
    async with receiving(FAIL) as receiver:
        endpoint = await api.endpoint(receiver, format="slack")
        await api.send(message(data=DATA))
        delivery = await api.settled(endpoint, "delivered")
    body = receiver.requests[0].verified(endpoint["secret"])
    assert body["text"] == "New follow-up: Call Jane"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "actions"]
    assert len({request.body for request in receiver.requests}) == 1
    assert len(set(receiver.ids())) == 1
    assert delivery["payload"]["data"] == DATA


async def test_a_teams_room_gets_an_adaptive_card(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver, format="teams")
        await api.send(message(data=DATA))
        await eventually(arrived(receiver, 1))
        await api.call("POST", f"/webhook-endpoints/{endpoint['id']}/test", 202)
        await eventually(arrived(receiver, 2))
    card, test = (request.verified(endpoint["secret"])["attachments"][0] for request in receiver.requests)
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["content"]["body"][0]["inlines"][0]["text"] == "New follow-up: Call Jane"
    assert card["content"]["actions"][0]["url"] == "https://t.example/f/1"
    assert "Tellback" in test["content"]["body"][0]["inlines"][0]["text"]


async def test_of_a_rooms_url_only_the_host_is_shown(api: Hooks) -> None:
    async with receiving() as receiver:
        secret_url = f"http://127.0.0.1:{receiver.port}/services/T0/B0/hush"
        made = await api.endpoint(secret_url, format="slack")
        path = f"/webhook-endpoints/{made['id']}"
        changed = await api.call("PATCH", path, json={"description": "the room of sales"})
        shown = [made, changed, await api.call("GET", path), await api.call("GET", "/webhook-endpoints")]
        assert "hush" not in json.dumps(shown)
        assert made["url"] == f"http://127.0.0.1:{receiver.port}/…"
        await api.send(message(data=DATA))
        await eventually(arrived(receiver, 1))
    assert receiver.requests[0].path == "/services/T0/B0/hush"


async def test_a_room_becomes_an_ordinary_endpoint_by_a_change(api: Hooks) -> None:
    async with receiving() as receiver:
        made = await api.endpoint(receiver, format="teams")
        await api.call("PATCH", f"/webhook-endpoints/{made['id']}", json={"format": "json"})
        await api.send(message(data=DATA))
        await eventually(arrived(receiver, 1))
    assert receiver.requests[0].verified(made["secret"])["data"] == DATA
