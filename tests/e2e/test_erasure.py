"""Erasure of a person on a whole installation, including unread records and dead letters."""

import json
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import RESPONSES
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import SOURCES, tellback

ANN = "ann.lee@northwind.example"
WORDS = "Never again, says Ann"
DATA = f"/v1/accounts/northwind/stakeholders/{ANN}/data"
SERVICES = ("collector", "scorer", "alerting", "outreach")


@pytest.fixture(scope="module")
async def house(
    module_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    logs: Path = tmp_path_factory.mktemp("logs")
    async with installed(module_environment, logs) as installation:
        yield installation


async def respond(house: Installation, person: str, score: int, days: float = 0, **fields: Any) -> str:
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    body = {"account_id": "northwind", "email": person, "survey_type": "nps", "score": score, "answered_at": moment}
    answer = await house.collector.post("/v1/responses", json=body | fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["response_id"])


async def counted(house: Installation, answers: int) -> dict[str, Any]:
    async def enough() -> dict[str, Any] | None:
        params = {"window": "all", "method": "all"}
        answer = await house.scorer.get("/v1/accounts/northwind/score", params=params)
        return dict(answer.json()) if answer.is_success and answer.json()["response_count"] == answers else None

    figures: dict[str, Any] | None = await eventually(enough, timeout=30)
    assert figures
    return figures


async def traces(house: Installation) -> list[str]:
    """The tables that contain the person's id or words, without the outbox, where the event of the erasure itself stays
    until it is cleaned."""
    connection = await asyncpg.connect(house.environment.database_url)
    try:
        tables = await connection.fetch(
            "select schemaname as schema, tablename as name from pg_tables"
            " where schemaname in ('collector', 'scorer', 'alerting', 'benchmark', 'outreach')"
            " and tablename <> 'outbox'"
        )
        found = []
        for table in tables:
            name = f"{table['schema']}.{table['name']}"
            rows = await connection.fetch(f"table {name}")
            if any(mark in str(bytes_shown(row)) for row in rows for mark in (ANN, WORDS)):
                found.append(name)
        return found
    finally:
        await connection.close()


def bytes_shown(row: Any) -> list[object]:
    return [value.decode(errors="replace") if isinstance(value, bytes) else value for value in row.values()]


async def poison(house: Installation) -> None:
    """A response of Ann's in a version that no service reads, as after a bad deploy."""
    value = {"account_id": "northwind", "stakeholder_id": ANN, "comment": WORDS, "score": 1}
    value |= {"recorded_at": datetime.now(UTC).isoformat()}
    headers = [("ce_type", b"com.tellback.response.recorded.v9"), ("ce_specversion", b"1.0")]
    publisher = Publisher(house.environment.kafka, house.environment.topic_prefix)
    await publisher.start()
    await publisher.send(Record.raw(RESPONSES, "northwind", b"northwind", json.dumps(value).encode(), headers))
    await publisher.stop()


async def dead_letters(house: Installation, service: str) -> list[Any]:
    return list((await house.get(service, "/v1/dead-letters"))["items"])


async def test_everything_of_a_person_goes_also_what_was_not_read_yet(house: Installation) -> None:
    await house.collector.put("/v1/accounts/northwind", json={"name": "Northwind"})
    await house.collector.put(f"/v1/accounts/northwind/stakeholders/{ANN}", json={"name": "Ann Lee", "email": ANN})
    await respond(house, "bob@northwind.example", 9)
    first = await respond(house, ANN, 9, days=9, comment=WORDS)
    await counted(house, 2)
    await poison(house)
    await eventually(lambda: dead_letters(house, "scorer"), timeout=30)
    [dead] = await eventually(lambda: dead_letters(house, "alerting"), timeout=30)

    house.kill("scorer")
    await respond(house, ANN, 2, comment=WORDS)
    amended = await house.collector.patch(
        f"/v1/responses/{first}", json={"account_id": "northwind", "comment": f"{WORDS}!"}
    )
    assert amended.status_code == 202, amended.text
    await poison(house)
    receipt = (await house.collector.delete(DATA)).json()
    house.start("scorer")
    await house.ready("scorer")

    for service in SERVICES:
        path = f"/v1/erasures/{receipt['receipt_id']}"
        await eventually(lambda service=service, path=path: said(house, service, path), timeout=30)  # type: ignore[misc]
    figures = await counted(house, 1)
    assert (figures["nps"], figures["detractor_count"]) == (100, 0)
    person = await house.scorer.get(f"/v1/accounts/northwind/stakeholders/{ANN}")
    assert person.status_code == 404
    replayed = await house.alerting.post(f"/v1/dead-letters/{dead['id']}/replay")
    assert replayed.status_code == 404

    async def clean() -> bool:
        assert await traces(house) == []
        return True

    await eventually(clean, timeout=30)


async def said(house: Installation, service: str, path: str) -> bool:
    answer = await house.clients[service].get(path)
    return bool(answer.is_success and answer.json()["applied_at"])


async def test_what_was_said_before_stays_out_when_every_record_comes_again(house: Installation) -> None:
    """The topics still hold the person's records: services that read them again drop them."""
    assert await house.repeat_everything() > 5
    await respond(house, "carl@northwind.example", 8)
    await counted(house, 2)
    assert await traces(house) == []
    assert (await dead_letters(house, "scorer"), await dead_letters(house, "alerting")) == ([], [])


async def test_answers_given_later_count_again(house: Installation) -> None:
    await respond(house, ANN, 10, comment="Much better")
    figures = await counted(house, 3)
    assert figures["promoter_count"] == 2


def test_the_command_erases_and_shows_where(house: Installation) -> None:
    variables = {f"TELLBACK_{service.upper()}_URL": house.url(service) for service in SERVICES}
    done = subprocess.run(
        tellback("erase", "northwind", ANN, "--yes", "--json"),
        env=os.environ | SOURCES | variables | {"TELLBACK_API_KEY": house.key},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    services = json.loads(done.stdout)["services"]
    assert services["scorer"]["responses"] == 1
    assert set(services) == set(SERVICES)
