"""A sender killed between the request and the word about it: the receiver hears again, with the same id."""

import signal
import subprocess
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
from tests.support.webhooks import arrived, message, webhook_id

QUICK = {
    "TELLBACK_ALERTING_ALLOW_NETWORKS": "127.0.0.1/32",
    "TELLBACK_ALERTING_ATTEMPT_TIMEOUT_S": "1",
    "TELLBACK_ALERTING_LEASE_MARGIN_S": "0.5",
}


@pytest.mark.thorough
async def test_a_sender_killed_in_the_middle_sends_again_with_the_same_id(
    environment: Environment, tmp_path: Path
) -> None:
    port = free_port()
    child: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        arguments = tellback("serve", "alerting", "--port", str(port), "--pause", "0")
        child.append(start(arguments, tmp_path / "alerting.log", environment.variables() | QUICK))

    key = await api_key(environment, ("read", "manage"))
    database = Database(environment.database_url, "alerting", pool_size=1)
    kill = Answer(before=lambda: child[-1].send_signal(signal.SIGKILL))
    sent = message()
    serve()
    try:
        async with (
            receiving(kill) as receiver,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=bearer(key)) as client,
        ):
            await eventually(lambda: _ready(client), 30)
            endpoint = (await client.post("/v1/webhook-endpoints", json={"url": receiver.url})).json()
            async with database.write() as tx:
                await enqueue(tx, sent)
            await eventually(arrived(receiver, 1))
            assert child[0].wait(10) == -signal.SIGKILL
            serve()
            await eventually(arrived(receiver, 2), 30)
            await eventually(lambda: _ready(client), 30)
            await eventually(lambda: _delivered(client, endpoint["id"]))
            log = (await client.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries")).json()["items"]
            delivery = (await client.get(f"/v1/deliveries/{log[0]['id']}")).json()
    finally:
        end(child[-1])
        await database.close()
    assert set(receiver.ids()) == {webhook_id(sent.event_id)}
    assert len({request.body for request in receiver.requests}) == 1
    for request in receiver.requests:
        request.verified(endpoint["secret"])
    assert [attempt["failure"] for attempt in delivery["attempts"]] == ["lost", None]


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False


async def _delivered(client: httpx.AsyncClient, endpoint_id: str) -> bool:
    answer = await client.get(f"/v1/webhook-endpoints/{endpoint_id}/deliveries")
    return [item["status"] for item in answer.json()["items"]] == ["delivered"]
