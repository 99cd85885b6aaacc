"""Erasure at the collector: the record is deleted, the event is published, and old files bring nobody back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.db.engine import Database
from shared.erasure import subject_by
from shared.events.responses import ResponseRecorded, StakeholderErased
from shared.ids import uuid7
from shared.topics import DIRECTORY, RESPONSES
from tests.integration.collector.conftest import NOW, Running
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, bearer
from tests.support.polling import eventually

ANN = "ann@acme.example"
PERSON = f"/v1/accounts/acme/stakeholders/{ANN}"
DATA = f"{PERSON}/data"
OWNER = "ines@supplier.example"


@asynccontextmanager
async def database(environment: Environment) -> AsyncIterator[Database]:
    opened = Database(environment.database_url, "collector", pool_size=1)
    try:
        yield opened
    finally:
        await opened.close()


async def put_ann(collector: Running) -> None:
    answer = await collector.client.put(PERSON, json={"name": "Ann Lee", "email": ANN})
    assert answer.is_success, answer.text


async def erase(collector: Running, **headers: str) -> dict[str, Any]:
    answer = await collector.client.delete(DATA, headers=headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_the_person_is_gone_and_everybody_is_told(collector: Running) -> None:
    await put_ann(collector)
    await collector.events(DIRECTORY, 1)
    receipt = await erase(collector)
    assert (receipt["status"], receipt["stakeholders"], receipt["id"]) == ("accepted", 1, receipt["receipt_id"])
    assert (await collector.client.get(PERSON)).status_code == 404
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, StakeholderErased)
    subject = subject_by(collector.environment.common.secret_key.get_secret_value())
    assert (str(event.data.receipt_id), event.data.subject) == (receipt["receipt_id"], subject("acme", ANN))

    async def tombstone() -> bool:
        records = await topic_records(collector.environment.kafka, collector.environment.topic_prefix + "directory")
        return [(r.key, r.value is None) for r in records] == [(f"acme/{ANN}".encode(), gone) for gone in (False, True)]

    await eventually(tombstone)


async def test_the_receipt_can_be_looked_up(collector: Running) -> None:
    receipt = await erase(collector)
    found = (await collector.client.get(f"/v1/erasures/{receipt['receipt_id']}")).json()
    assert found == {name: receipt[name] for name in found}
    assert found["stakeholders"] == 0
    assert (await collector.client.get(f"/v1/erasures/{uuid7()}")).status_code == 404


async def test_nothing_that_leads_to_the_person_stays_in_the_database(collector: Running) -> None:
    await put_ann(collector)
    await collector.client.post(
        "/v1/invitation-events",
        json={"invitation_id": "i1", "account_id": "acme", "email": ANN, "kind": "sent", "at": NOW.isoformat()},
    )
    await collector.events(DIRECTORY, 1)
    await erase(collector)
    async with database(collector.environment) as opened, opened.read() as tx:
        rows = await tx.all("select convert_from(value, 'UTF8') as value from outbox where value is not null")
        journal = await tx.all("select * from erasures")
        people = await tx.scalar("select count(*) from stakeholders")
    assert [json.loads(row["value"]).keys() & {"name", "email", "erased_at"} for row in rows] == [{"erased_at"}]
    assert ANN not in str([dict(row) for row in journal])
    assert people == 0


async def test_a_later_record_of_the_same_person_stands_even_within_the_same_instant(collector: Running) -> None:
    await put_ann(collector)
    receipt = await erase(collector)
    await put_ann(collector)
    found = (await collector.client.get(PERSON)).json()
    assert datetime.fromisoformat(found["recorded_at"]) > datetime.fromisoformat(receipt["erased_at"])


@pytest.mark.parametrize("answered_at", ["2026-05-01T10:00:00Z", ""])
async def test_rows_of_a_file_that_came_before_or_say_what_was_before_are_skipped(
    collector: Running, answered_at: str
) -> None:
    await erase(collector)
    file = f"Account ID,Email,Score,Date\nacme,{ANN},3,{answered_at}\nacme,bob@acme.example,9,2026-05-01T10:00:00Z\n"
    form = {"kind": "responses", "answered_at": NOW.isoformat()}
    posted = await collector.client.post("/v1/imports", data=form, files={"file": ("old.csv", file)})
    assert posted.status_code == 202, posted.text

    async def done() -> dict[str, Any] | None:
        job = dict((await collector.client.get(f"/v1/imports/{posted.json()['id']}")).json())
        return job if job["state"] == "done" else None

    job = await eventually(done)
    assert (job["taken"], job["skipped"]) == (1, 1)
    assert [(problem["line"], problem["code"]) for problem in job["problems"]] == [(2, "erased")]


async def test_answers_posted_later_are_taken(collector: Running) -> None:
    await erase(collector)
    collector.clock.advance(timedelta(seconds=1))
    body = {"account_id": "acme", "email": ANN, "survey_type": "nps", "score": 9}
    assert (await collector.client.post("/v1/responses", json=body)).status_code == 202
    events = await collector.events(RESPONSES, 2)
    [answer] = [event.data for event in events if isinstance(event.data, ResponseRecorded)]
    [word] = [event.data for event in events if isinstance(event.data, StakeholderErased)]
    assert answer.recorded_at > word.erased_at


async def test_it_takes_the_scope_to_erase_and_the_account(collector: Running) -> None:
    others = bearer(await api_key(collector.environment, ("ingest", "read", "manage")))
    assert (await collector.client.delete(DATA, headers=others)).status_code == 403
    assert (await collector.client.get(f"/v1/erasures/{uuid7()}", headers=others)).status_code == 403
    limited = bearer(await api_key(collector.environment, ("erase",), OWNER))
    assert (await collector.client.delete(DATA, headers=limited)).status_code == 404
    receipt = await erase(collector)
    path = f"/v1/erasures/{receipt['receipt_id']}"
    assert (await collector.client.get(path, headers=limited)).status_code == 404
    await collector.client.put("/v1/accounts/acme", json={"owner": {"name": "Ines", "email": OWNER}})
    assert (await collector.client.get(path, headers=limited)).status_code == 200
    await erase(collector, **limited)
