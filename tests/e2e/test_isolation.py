"""One record among a thousand fails in every service that consumes: the others are applied, and no API goes away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import run_tellback

ACCOUNTS = [f"account-{number}" for number in range(50)]
RESPONSES = 1_000
BROKEN = {
    "scorer": ("scorer.responses", "response_id <> 'r500'"),
    "alerting": ("alerting.responses", "response_id <> 'r501'"),
    "benchmark": ("benchmark.snapshots", "account_id <> 'account-2'"),
}
"""Constraints added to a table of each service, by which it fails on one record as it would by a bug."""
READS = {
    "scorer": "/v1/accounts/account-1/score",
    "alerting": "/v1/follow-ups",
    "benchmark": "/v1/comparisons/accounts/account-1",
}


async def test_the_other_records_are_applied_and_the_bad_ones_later(environment: Environment, tmp_path: Path) -> None:
    connection = await asyncpg.connect(environment.database_url)
    async with installed(environment, tmp_path) as house, asked_all_the_time(house):
        for table, rule in BROKEN.values():
            await connection.execute(f"alter table {table} add constraint broken check ({rule})")
        await answer(house)
        await eventually(lambda: stored(connection, -1), timeout=60)
        await eventually(lambda: set_aside(connection, 1), timeout=60)
        for table, _ in BROKEN.values():
            await connection.execute(f"alter table {table} drop constraint broken")
        assert (await run_tellback(environment, "dlq", "replay", "--all")).returncode == 0
        await eventually(lambda: stored(connection, 0), timeout=60)
        await eventually(lambda: set_aside(connection, 0), timeout=60)
    await connection.close()
    done = await run_tellback(environment, "reconcile")
    assert done.returncode == 0, done.stdout


async def answer(house: Installation) -> None:
    for start in range(0, RESPONSES, 100):
        body = [
            {
                "response_id": f"r{number}",
                "account_id": ACCOUNTS[number % len(ACCOUNTS)],
                "stakeholder_id": f"person-{number}",
                "survey_type": "nps",
                "score": 9,
            }
            for number in range(start, start + 100)
        ]
        posted = await house.collector.post("/v1/responses/batch", json={"responses": body})
        assert posted.is_success, posted.text


async def stored(connection: asyncpg.Connection, missing: int) -> bool:
    """Whether every service has stored all records but `missing` (0 or -1)."""
    counts = {service: len(await connection.fetch(f"table {table}")) for service, (table, _) in BROKEN.items()}
    assert counts == {
        "scorer": RESPONSES + missing,
        "alerting": RESPONSES + missing,
        "benchmark": len(ACCOUNTS) + missing,
    }
    return True


async def set_aside(connection: asyncpg.Connection, records: int) -> bool:
    """Whether each service has set aside at least so many records."""
    for service in BROKEN:
        rows = await connection.fetch(f"table {service}.parked")
        assert len(rows) >= records if records else not rows, service
    return True


@contextlib.asynccontextmanager
async def asked_all_the_time(house: Installation) -> AsyncIterator[None]:
    """Calls every API during the block, and expects an answer."""
    statuses: set[Any] = set()

    async def ask() -> None:
        while True:
            for service, path in READS.items():
                live = await house.clients[service].get("/health/ready")
                answered = await house.clients[service].get(path)
                statuses.update([(service, live.status_code < 300), (service, answered.status_code < 500)])
            await asyncio.sleep(0)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
    assert statuses == {(service, True) for service in READS}
