"""Limited resources of a machine are used up by others: services report it, shed load, and recover by themselves."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.cli.embedded.process import free_port
from tests.chaos.parts import health, own_machine
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import SOURCES, end, start, tellback

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
PATIENT = 60.0
SERVER_LIMIT = 100
HANDLES, SOCKETS = 128, 200


@contextlib.asynccontextmanager
async def no_connection_left(environment: Environment) -> AsyncIterator[None]:
    """Open idle sessions up to max_connections; sessions of the services are ended to make room."""
    url = environment.database_url
    held = [await asyncpg.connect(url)]

    async def taken_all() -> bool:
        # One at a time, repeatedly: services that lost their sessions reconnect at once.
        await held[0].execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and application_name <> 'hog' and pid <> pg_backend_pid()"
        )
        for _ in range(SERVER_LIMIT):
            try:
                held.append(await asyncpg.connect(url, server_settings={"application_name": "hog"}))
            except asyncpg.TooManyConnectionsError:
                break
        ours = await held[0].fetchval("select count(*) from pg_stat_activity where application_name = 'hog'")
        return int(ours) >= SERVER_LIMIT - 1

    try:
        await eventually(taken_all, PATIENT)
        yield
    finally:
        await asyncio.gather(*(connection.close() for connection in held))


async def test_connections_used_up_are_named_and_waited_out(tmp_path: Path) -> None:
    async with own_machine(tmp_path) as machine:
        scorer = await machine.serve("scorer")
        headers = bearer(await api_key(machine.environment, ["read"]))
        async with httpx.AsyncClient(base_url=machine.urls["scorer"], headers=headers, timeout=30) as api:
            assert (await api.get("/v1/portfolio/score")).status_code == 200
            async with no_connection_left(machine.environment):

                async def refused() -> bool:
                    answer = await api.get("/v1/portfolio/score")
                    return answer.status_code == 503 and "retry-after" in answer.headers

                await eventually(refused, PATIENT)
                assert health(machine.urls["scorer"], "live") == 200
                found = await doctor(machine.environment)
                assert [(check["state"], check["found"]) for check in found if check["name"] == "database"] == [
                    ("failed", "the database takes no more connections")
                ]

            async def answers() -> bool:
                return (await api.get("/v1/portfolio/score")).status_code == 200

            await eventually(answers, PATIENT)
            await eventually(lambda: health(machine.urls["scorer"], "ready") == 200, PATIENT)
        assert (scorer.running, scorer.kills) == (True, 0)


async def doctor(environment: Environment) -> list[dict[str, Any]]:
    """The checks of `tellback doctor`."""
    done = await asyncio.to_thread(
        subprocess.run,
        tellback("doctor", "--json"),
        env=os.environ | SOURCES | environment.variables(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return list(json.loads(done.stdout)["checks"])


@contextlib.contextmanager
def idle_sockets(port: int, number: int) -> Iterator[int]:
    """Open idle connections; yields how many were made."""
    with contextlib.ExitStack() as stack:
        made = 0
        for _ in range(number):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(2)
            with contextlib.suppress(OSError):
                connection.connect(("127.0.0.1", port))
                made += 1
        yield made


async def test_a_collector_with_few_file_handles_goes_on_answering(environment: Environment, tmp_path: Path) -> None:
    """Two hundred idle connections with 128 file handles: connected clients are answered, and when the idle connections
    are closed all are, without a restart."""
    port, log = free_port(), tmp_path / "collector.log"
    served = tellback("serve", "collector", "--port", str(port), "--pause", "0", "--workers", "1")
    limited = ("/bin/sh", "-c", f'ulimit -n {HANDLES}; exec "$@"', "sh", *served)
    child = start(limited, log, environment.variables())
    url, key = f"http://127.0.0.1:{port}", await api_key(environment, ["ingest"])
    body = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}
    try:
        await eventually(lambda: health(url, "ready") == 200, PATIENT)
        async with httpx.AsyncClient(base_url=url, headers=bearer(key), timeout=10, trust_env=False) as client:
            assert (await client.post("/v1/responses", json=body)).status_code == 202
            with idle_sockets(port, SOCKETS) as made:
                assert made > HANDLES
                for _ in range(20):
                    answer = await client.post("/v1/responses", json=body)
                    assert answer.status_code == 202, answer.text
        async with httpx.AsyncClient(base_url=url, headers=bearer(key), timeout=10, trust_env=False) as client:

            async def taken() -> bool:
                try:
                    return (await client.post("/v1/responses", json=body)).status_code == 202
                except httpx.TransportError:
                    return False

            await eventually(taken, PATIENT)
        assert child.poll() is None, log.read_text(errors="replace")[-3000:]
    finally:
        end(child)
