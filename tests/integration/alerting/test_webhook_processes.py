"""Several processes on one queue: the limit of an endpoint holds over all of them."""

import contextlib
from pathlib import Path

import httpx
import pytest

from services.alerting.courier.interface import enqueue
from services.cli.embedded.process import free_port
from shared.db.engine import Database
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback
from tests.support.receiver import Answer, receiving
from tests.support.webhooks import arrived, message

PROCESSES, MESSAGES = 4, 200


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_four_processes_never_make_five_requests_at_once(environment: Environment, tmp_path: Path) -> None:
    """Given a limit of 4 and four worker processes, when 200 are queued, then the receiver never sees 5 at once."""
    # With three each, no process can fill the endpoint's four places alone, and together they could take twelve.
    variables = environment.variables() | {
        "TELLBACK_ALERTING_ALLOW_NETWORKS": "127.0.0.1/32",
        "TELLBACK_ALERTING_MAX_IN_FLIGHT": "3",
    }
    ports = [free_port() for _ in range(PROCESSES)]
    headers = bearer(await api_key(environment, ("read", "manage")))
    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            arguments = tellback("serve", "alerting", "--port", str(port), "--pause", "0")
            stack.callback(end, start(arguments, tmp_path / f"{port}.log", variables))
        receiver = await stack.enter_async_context(receiving(default=Answer(delay=0.25)))
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers))
            for port in ports
        ]
        for client in clients:
            await eventually(lambda client=client: _lives(client), 90)  # type: ignore[misc]
        made = (await clients[0].post("/v1/webhook-endpoints", json={"url": receiver.url})).json()
        database = Database(environment.database_url, "alerting", pool_size=1)
        stack.push_async_callback(database.close)
        async with database.write() as tx:
            await enqueue(tx, *(message() for _ in range(MESSAGES)))
        await eventually(arrived(receiver, MESSAGES), 60)
        await eventually(lambda: _all_delivered(clients[0], made["id"]), 60)
    assert receiver.most_in_flight == 4
    assert len(receiver.ids()) == len(set(receiver.ids())) == MESSAGES


async def _lives(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False


async def _all_delivered(client: httpx.AsyncClient, endpoint_id: str) -> bool:
    answer = await client.get(f"/v1/webhook-endpoints/{endpoint_id}/deliveries", params={"limit": 200})
    return {item["status"] for item in answer.json()["items"]} == {"delivered"}
