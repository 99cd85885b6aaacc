"""The service killed again and again while snapshots come in, and everything told twice: the cohorts are exact."""

import subprocess
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from services.cli.embedded.process import free_port
from shared.db.engine import Database
from tests.integration.benchmark.stand import account, publish, snapshot, year
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

ACCOUNTS, VERSIONS, KILLS = 30, 12, 3


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_killed_and_replayed_it_ends_with_the_newest_snapshot_of_each_account(
    environment: Environment, tmp_path: Path
) -> None:
    random = Random(7)
    newest = {f"a{number}": [random.randint(0, 10) for _ in range(random.randint(1, 5))] for number in range(ACCOUNTS)}
    records = [account(name, random.choice(("logistics", "saas"))) for name in newest]
    for name, scores in newest.items():
        for sequence in range(1, VERSIONS + 1):
            final = sequence == VERSIONS
            given = scores if final else [random.randint(0, 10) for _ in range(random.randint(0, 5))]
            records.append(snapshot(name, sequence, year(*given)))
    random.shuffle(records)
    expected = [score for scores in newest.values() for score in scores]
    port, key = free_port(), await api_key(environment, ["read"])
    database = Database(environment.database_url, "benchmark", pool_size=1)
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=bearer(key), trust_env=False)
    child = serve(environment, tmp_path, port)
    try:
        share = len(records) // KILLS
        for round_ in range(KILLS):
            await publish(environment, *records[round_ * share : (round_ + 1) * share])
            read = await count(database)
            await eventually(lambda read=read: more(database, read), timeout=60)  # type: ignore[misc]
            child.kill()
            child.wait()
            child = serve(environment, tmp_path, port)
        await publish(environment, *records[KILLS * share :], *records)

        async def complete() -> bool:
            return await count(database) == 2 * len(records)

        await eventually(complete, timeout=90)
        everything = await eventually(lambda: cohort(client), timeout=60)
    finally:
        end(child)
        await client.aclose()
        await database.close()
    assert everything["distribution"] == [expected.count(score) for score in range(11)]
    assert (everything["response_count"], everything["account_count"]) == (len(expected), ACCOUNTS)


def serve(environment: Environment, folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A real process of the service."""
    arguments = tellback("serve", "benchmark", "--port", str(port), "--pause", "0")
    return start(arguments, folder / "benchmark.log", environment.variables())


async def count(database: Database) -> int:
    """Records read so far, as the cursors have it."""
    async with database.read() as tx:
        return int(await tx.scalar("select coalesce(sum(read_count), 0) from cursors"))


async def more(database: Database, than: int) -> bool:
    """Whether anything was read since."""
    return await count(database) > than


async def cohort(client: httpx.AsyncClient) -> Any:
    """The cohort of everything, None while the service is not there."""
    try:
        answer = await client.get("/v1/cohorts", params={"group_by": ""})
        return answer.json()["groups"][0] if answer.is_success else None
    except httpx.TransportError:
        return None
