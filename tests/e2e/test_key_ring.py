"""A newer secret key stands before the old one: whatever the services wrote with the old one, they still read; and once
it is sealed anew, only links need the old one."""

import dataclasses
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from services.cli.ring.sealing import seal_anew
from services.cli.ring.usage import usage_of
from shared.db.copies import database_of
from shared.key_ring import retired
from shared.settings import CommonSettings
from shared.topics import RESPONSES
from tests.support.asked import SECONDS, answer_by, counted, link_row, made, meet, published
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import bearer
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.receiver import Receiver, Request, receiving

NEWEST = SecretStr("pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7")
ACCOUNT, MARA, GONE, STOPPED = "northwind", "mara", "gone", "stopped"
PAGE = "https://app.northwind.example"
BROWSED = {"account_id": "harbour", "email": "lena@harbour.example", "survey_type": "nps", "score": 9}


def answer_of_gone(response_id: str) -> dict[str, Any]:
    """What the erased person answered an hour ago."""
    answered_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    body = {"response_id": response_id, "account_id": ACCOUNT, "stakeholder_id": GONE, "answered_at": answered_at}
    return body | {"survey_type": "nps", "score": 1}


def signed(key: dict[str, Any]) -> dict[str, str]:
    """The headers of a page whose server has signed, as documented."""
    message = f"{BROWSED['account_id']}\n{BROWSED['email']}".encode()
    mac = hmac.new(key["signing_secret"].encode(), message, sha256).hexdigest()
    return bearer(key["key"]) | {"origin": PAGE, "tellback-signature": mac}


async def written(house: Installation, crm: Receiver) -> dict[str, Any]:
    """One of everything that a secret key makes."""
    await meet(house, ACCOUNT, MARA, GONE, STOPPED)
    survey_id = await published(house)
    row = await link_row(house, survey_id, ACCOUNT, MARA)
    await made(house.outreach, "/v1/suppressions", {"addresses": [f"{STOPPED}@{ACCOUNT}.example"]})
    wanted = {"url": crm.url, "event_types": ["follow_up.opened"], "headers": {"x-crm": "ours"}}
    endpoint = await made(house.alerting, "/v1/webhook-endpoints", wanted)
    pages = {"name": "pages", "publishable": True, "origins": [PAGE], "require_signature": True}
    key = await made(house.collector, "/v1/keys", pages)
    posted = await house.collector.post("/v1/responses", json=BROWSED | {"response_id": "b1"}, headers=signed(key))
    assert posted.status_code == 202, posted.text
    await house.collector.post("/v1/responses", json=answer_of_gone("r1"))
    await counted(house, ACCOUNT, 1)
    erased = await house.collector.delete(f"/v1/accounts/{ACCOUNT}/stakeholders/{GONE}/data")
    assert erased.status_code == 202, erased.text
    receipt = erased.json()["receipt_id"]
    for service in ("scorer", "alerting", "outreach"):
        await eventually(lambda service=service: is_erased(house, service, receipt), timeout=SECONDS)  # type: ignore[misc]
    token = posted.json()["amend_token"]
    return {"survey": survey_id, "url": row["url"], "secret": endpoint["secret"], "key": key, "token": token}


async def is_erased(house: Installation, service: str, receipt: str) -> bool:
    answer = await house.clients[service].get(f"/v1/erasures/{receipt}")
    return bool(answer.is_success and answer.json()["applied_at"])


async def late_answers_are_dropped(house: Installation, response_id: str = "r2") -> None:
    """What the erased person had answered before is posted once more, and nobody takes it."""
    posted = await house.collector.post("/v1/responses", json=answer_of_gone(response_id))
    assert posted.status_code == 202, posted.text
    tables = ("scorer.responses", "alerting.responses", "outreach.answers")
    topic = house.environment.topic_prefix + RESPONSES.name
    written = len(await topic_records(house.environment.kafka, topic))

    async def read() -> bool:
        """Whether each has read all answers, also the one that came late."""
        sums: list[int] = []
        async with connected(house.environment.database_url) as connection:
            for table in tables:
                counts = f"select sum(read_count) from {table.partition('.')[0]}.cursors where topic = $1"  # noqa: S608
                sums.append(await connection.fetchval(counts, topic))
        return min(sums) >= written

    await eventually(read, timeout=SECONDS)
    async with connected(house.environment.database_url) as connection:
        for table in tables:
            left = await connection.fetchval(f"select count(*) from {table} where stakeholder_id = $1", GONE)  # noqa: S608
            assert (table, left) == (table, 0)


async def test_what_was_written_under_the_old_key_is_read_under_a_newer_one_and_after_the_old_was_retired(
    environment: Environment, tmp_path: Path
) -> None:
    async with receiving() as crm:
        async with installed(environment, tmp_path) as house:
            before = await written(house, crm)
        ring = environment.common.model_copy(update={"secret_keys": (NEWEST, *environment.common.secret_keys)})
        async with installed(dataclasses.replace(environment, common=ring), tmp_path) as house:
            await check_outreach(house, before)
            await check_collector(house, before)
            await late_answers_are_dropped(house)
            await check_webhook(crm, before)
        left = await retired_ring(environment.common.key_ring[0], ring)
        async with installed(dataclasses.replace(environment, common=left), tmp_path) as house:
            await check_without_the_old_key(house, before, crm)


async def retired_ring(old: str, common: CommonSettings) -> CommonSettings:
    """The settings after `tellback secrets rotate` and `retire --now`."""
    database = database_of(common)
    try:
        await seal_anew(database, common.key_ring, datetime.now(UTC), lambda _kind, _count: None)
        async with database.read() as tx:
            usage = await usage_of(tx, common.key_ring, datetime.now(UTC))
    finally:
        await database.close()
    ring = usage.retired_ring()
    assert (usage.still_sealed(), ring) == ([], (common.key_ring[0], retired(old)))
    return common.model_copy(update={"secret_keys": tuple(map(SecretStr, ring))})


async def check_without_the_old_key(house: Installation, before: dict[str, Any], crm: Receiver) -> None:
    """The old link is unknown; receivers, pages that sign, objections and erasures notice nothing."""
    port = httpx.URL(house.url("outreach")).port
    async with httpx.AsyncClient() as respondent:
        assert (await respondent.get(httpx.URL(before["url"]).copy_with(port=port))).status_code == 404
    row = await link_row(house, before["survey"], ACCOUNT, STOPPED)
    assert row["problem"]["reason"] == "objected"
    headers = signed(before["key"])
    posted = await house.collector.post("/v1/responses", json=BROWSED | {"response_id": "b3"}, headers=headers)
    assert posted.status_code == 202, posted.text
    answer = {
        "response_id": "low",
        "account_id": "ferry",
        "email": "ida@ferry.example",
        "survey_type": "nps",
        "score": 0,
    }
    await house.collector.post("/v1/responses", json=answer)

    def about_ida() -> list[Request]:
        return [request for request in crm.requests if b"ida@ferry.example" in request.body]

    sent = (await eventually(about_ida, timeout=SECONDS))[0]
    assert sent.verified(before["secret"])["type"] == "follow_up.opened"
    assert sent.headers["x-crm"] == "ours"
    await late_answers_are_dropped(house, "r3")


async def check_outreach(house: Installation, before: dict[str, Any]) -> None:
    """The old link takes an answer, and the old objection holds."""
    port = httpx.URL(house.url("outreach")).port
    await answer_by(str(httpx.URL(before["url"]).copy_with(port=port)))
    await counted(house, ACCOUNT, 1)
    row = await link_row(house, before["survey"], ACCOUNT, STOPPED)
    assert row["problem"]["reason"] == "objected"


async def check_collector(house: Installation, before: dict[str, Any]) -> None:
    """The page's old signature and its old token are accepted."""
    headers = signed(before["key"])
    posted = await house.collector.post("/v1/responses", json=BROWSED | {"response_id": "b2"}, headers=headers)
    assert posted.status_code == 202, posted.text
    amendment = {"account_id": BROWSED["account_id"], "comment": "Good.", "amend_token": before["token"]}
    amended = await house.collector.patch("/v1/responses/b1", json=amendment, headers=headers)
    assert amended.status_code == 202, amended.text


async def check_webhook(crm: Receiver, before: dict[str, Any]) -> None:
    """The message about the answer by the link carries the endpoint's old secret and header."""

    def about_mara() -> list[Request]:
        return [request for request in crm.requests if f'"{MARA}"'.encode() in request.body]

    first = (await eventually(about_mara, timeout=SECONDS))[0]
    assert first.verified(before["secret"])["type"] == "follow_up.opened"
    assert first.headers["x-crm"] == "ours"
