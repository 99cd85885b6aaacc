"""A person with traces in every place that the APIs can write is erased: no table of any service has a trace left."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.kafka.headers import unpack
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import RESPONSES
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.receiver import OK, Answer, receiving
from tests.support.words import places_of

PERSON, EMAIL, NAME = "px-4711-quill", "petra.quill@plume.example", "Petra Quillfeather"
WORDS = "marmalade zeppelin"
"""Texts by the person, and texts that others wrote about them in records about nobody else."""
TRACES = (PERSON, EMAIL, NAME, WORDS)
AT = "/v1/accounts/plume"
ON_ITS_WAY = {
    "collector.outbox.headers",
    "collector.outbox.record_key",
    "collector.outbox.value",
    "scorer.outbox.value",
}
"""Columns with events of the erasure itself and of its corrections, which must name the person to receivers; published
rows stay an hour."""
DAY = timedelta(days=1)


@pytest.fixture
async def house(environment: Environment, tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(environment, tmp_path) as installation:
        yield installation


async def said(answer: Any, status: int | None = None) -> Any:
    """The JSON of a successful call."""
    response = await answer
    assert response.is_success if status is None else response.status_code == status, response.text
    return response.json()


def ago(days: float) -> str:
    return (datetime.now(UTC) - days * DAY).isoformat()


async def respond(house: Installation, response_id: str, score: int, days: float, **fields: Any) -> None:
    body: dict[str, Any] = {"response_id": response_id, "account_id": "plume"}
    body |= {"stakeholder_id": PERSON, "email": EMAIL}
    body |= {"survey_type": "nps", "score": score, "answered_at": ago(days)}
    await said(house.collector.post("/v1/responses", json=body | fields), 202)


async def plant_facts(house: Installation) -> None:
    """Directory, answers and their consequences, invitations, context events."""
    await said(house.collector.put(AT, json={"name": "Plume", "owner": {"name": "Olga", "email": "olga@ours.example"}}))
    person = {"name": NAME, "email": EMAIL, "type": "decision_maker", "attributes": {"note": WORDS}}
    await said(house.collector.put(f"{AT}/stakeholders/{PERSON}", json=person))
    entries = [{"question_id": "why", "type": "text", "value": WORDS}]
    await respond(house, "r1", 9, 9, comment=WORDS, attributes={"note": WORDS}, answers=entries)
    await respond(house, "r2", 2, 0.01, comment=f"{WORDS} {NAME}", follow_up_requested=True)
    for response_id in ("r1", "r-unknown"):
        change = {"account_id": "plume", "stakeholder_id": PERSON, "comment": f"{WORDS}!"}
        await said(house.collector.patch(f"/v1/responses/{response_id}", json=change), 202)
    await respond(house, "r1", 3, 9, comment=f"{WORDS}, otherwise")
    await respond(house, "r3", 4, 9, survey_type="csat")
    unfit: dict[str, Any] = {"account_id": "plume", "score": 9, "comment": f"{WORDS}, off the scale"}
    await said(house.collector.patch("/v1/responses/r3", json=unfit), 202)
    invitation = {"invitation_id": "i1", "account_id": "plume", "stakeholder_id": PERSON, "email": EMAIL}
    for kind in ("sent", "bounced"):
        await said(house.collector.post("/v1/invitation-events", json=invitation | {"kind": kind, "at": ago(1)}), 202)
    context = {"account_id": "plume", "kind": "incident", "at": ago(1)}
    await said(house.collector.post("/v1/context-events", json=context | {"label": f"told {NAME} and {EMAIL}"}), 202)
    context |= {"stakeholder_id": PERSON, "label": WORDS}
    await said(house.collector.post("/v1/context-events", json=context), 202)


async def plant_files(house: Installation) -> None:
    """A file whose report quotes the person, and a record that cannot be decoded."""
    file = f"Account ID,Email,Score,Date\nplume,{EMAIL},{NAME},{ago(2)}\nplume,bob@plume.example,{EMAIL},{PERSON}\n"
    files = {"file": (f"answers of {NAME}.csv", file)}
    job = await said(house.collector.post("/v1/imports", data={"kind": "responses"}, files=files), 202)

    async def reported() -> bool:
        return bool((await house.get("collector", f"/v1/imports/{job['id']}"))["state"] == "done")

    await eventually(reported, timeout=30)
    value = {"account_id": "plume", "stakeholder_id": PERSON, "comment": WORDS, "recorded_at": ago(0)}
    headers = [("ce_type", b"com.tellback.response.recorded.v9"), ("ce_specversion", b"1.0")]
    publisher = Publisher(house.environment.kafka, house.environment.topic_prefix)
    await publisher.start()
    await publisher.send(Record.raw(RESPONSES, "plume", b"plume", json.dumps(value).encode(), headers))
    await publisher.stop()


async def plant_follow_ups(house: Installation) -> None:
    """Follow-ups about the person, and follow-ups about the account that name them."""
    by = {"by": (datetime.now(UTC) + DAY).isoformat()}
    about: dict[str, Any] = {"account_id": "plume", "stakeholder_id": PERSON, "title": WORDS, "reason": WORDS}
    names = f"{NAME} ({PERSON}, {EMAIL.upper()})"
    for body, words in (about, WORDS), ({"account_id": "plume", "title": names, "reason": names}, names):
        task = await said(house.alerting.post("/v1/follow-ups", json=body | {"playbook": "Call them."}), 201)
        path = f"/v1/follow-ups/{task['follow_up_id']}"
        await said(house.alerting.post(f"{path}/comments", json={"comment": f"heard\n{words}"}), 201)
        await said(house.alerting.post(f"{path}/promise", json={"what": words} | by))
        closing = {"root_cause": words, "what_was_done": words, "told_customer": True, "result": words}
        await said(house.alerting.post(f"{path}/close", json={"outcome": "resolved"} | closing))


async def all_is_planted(house: Installation) -> bool:
    """Whether every place where traces are expected has some, so that their absence later is meaningful."""
    found = {place.rpartition(".")[0] for place in await places_of(house.environment.database_url, TRACES)}
    tables = ("responses", "response_answers", "response_changes", "pending_changes", "invitations", "context_marks")
    expected = {f"scorer.{table}" for table in (*tables, "stakeholders", "latest_pairs", "parked")}
    expected |= {
        f"alerting.{table}"
        for table in ("responses", "response_changes", "stakeholders", "tasks", "task_history", "past_triggers")
    }
    expected |= {"alerting.webhook_messages", "alerting.webhook_attempts", "alerting.parked"}
    expected |= {f"collector.{table}" for table in ("stakeholders", "imports")}
    expected |= {f"outreach.{table}" for table in ("stakeholders", "answers", "contacts")}
    assert expected - found == set()
    return True


async def test_nothing_anywhere_says_anything_of_the_person(house: Installation) -> None:
    echo = Answer(200, f"thanks, {NAME} {PERSON}".encode())
    async with receiving(default=echo) as crm:
        await said(house.alerting.post("/v1/webhook-endpoints", json={"url": crm.url}), 201)
        await plant_facts(house)
        await plant_files(house)
        await eventually(lambda: _heard(house), timeout=40)
        await plant_follow_ups(house)
        await eventually(lambda: all_is_planted(house), timeout=60)
        crm.default = OK
        receipt = await said(house.collector.delete(f"{AT}/stakeholders/{PERSON}/data"), 202)
        for service in ("scorer", "alerting", "outreach"):
            path = f"/v1/erasures/{receipt['receipt_id']}"
            await eventually(lambda service=service, path=path: _applied(house, service, path), timeout=60)  # type: ignore[misc]

        async def clean() -> bool:
            found = await places_of(house.environment.database_url, TRACES)
            assert sorted(set(found) - ON_ITS_WAY) == []
            return True

        await eventually(clean, timeout=60)
    assert await _on_its_way(house) <= {"stakeholder.erased", "stakeholder.answer_corrected", "tombstone"}


async def _heard(house: Installation) -> bool:
    answer = await house.alerting.get("/v1/follow-ups", params={"account_id": "plume"})
    return bool(answer.json()["items"])


async def _applied(house: Installation, service: str, path: str) -> bool:
    answer = await house.clients[service].get(path)
    return bool(answer.is_success and answer.json()["status"] == "applied")


async def _on_its_way(house: Installation) -> set[str]:
    """The event types of outbox rows that name the person."""
    connection = await asyncpg.connect(house.environment.database_url)
    try:
        found = set()
        for schema in ("collector", "scorer", "alerting"):
            rows = await connection.fetch(
                f"select headers, value from {schema}.outbox where concat(encode(record_key, 'escape'),"  # noqa: S608
                " encode(value, 'escape'), encode(headers, 'escape')) ilike any($1)",
                [f"%{trace}%" for trace in TRACES],
            )
            for row in rows:
                kind = dict(unpack(row["headers"])).get("ce_type", b"tombstone").decode()
                found.add(kind.removeprefix("com.tellback.").removesuffix(".v1"))
        return found
    finally:
        await connection.close()
