"""A key limited to one owner's accounts can do nothing about others: not post, amend, withdraw, mark or import."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.collector.app import build
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, topic_records
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

OWNER = "mo@supplier.example"
ANSWER = {"stakeholder_id": "ann", "survey_type": "nps", "score": 9}
SENT = {"invitation_id": "i1", "stakeholder_id": "ann", "kind": "sent", "at": "2026-05-01T00:00:00Z"}
MARK = {"kind": "incident", "label": "Outage", "at": "2026-05-01T00:00:00Z"}


@pytest.fixture
async def client(environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a limited key; `mine` is its owner's account, `theirs` another's, `nowhere` in no directory."""
    async with running(build(environment.common, FrozenClock(NOW))) as client:
        everything = bearer(await api_key(environment, ["ingest"]))
        for account, owner in (("mine", OWNER), ("theirs", "ida@supplier.example")):
            record = {"name": account, "owner": {"email": owner}}
            assert (await client.put(f"/v1/accounts/{account}", json=record, headers=everything)).is_success
        client.headers.update(bearer(await api_key(environment, ["ingest"], owner_email=OWNER)))
        await client.get("/v1/me")
        yield client


async def ask(client: httpx.AsyncClient, call: str, account: str) -> httpx.Response:
    match call:
        case "post":
            return await client.post("/v1/responses", json=ANSWER | {"account_id": account})
        case "amend":
            return await client.patch("/v1/responses/r1", json={"account_id": account, "comment": "hm"})
        case "withdraw":
            return await client.delete("/v1/responses/r1", params={"account_id": account})
        case "invitation":
            return await client.post("/v1/invitation-events", json=SENT | {"account_id": account})
        case _:
            return await client.post("/v1/context-events", json=MARK | {"account_id": account})


@pytest.mark.parametrize("call", ["post", "amend", "withdraw", "invitation", "context"])
async def test_only_own_accounts_are_there(client: httpx.AsyncClient, call: str) -> None:
    assert (await ask(client, call, "mine")).status_code == 202
    foreign, missing = await ask(client, call, "theirs"), await ask(client, call, "nowhere")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in (foreign, missing)]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("path", "name", "item"), [("/v1/responses/batch", "responses", ANSWER), ("/v1/invitation-events", "events", SENT)]
)
async def test_a_batch_takes_what_is_own_and_refuses_the_rest(
    client: httpx.AsyncClient, path: str, name: str, item: dict[str, Any]
) -> None:
    items = [item | {"account_id": account} for account in ("mine", "theirs", "nowhere")]
    body = (await client.post(path, json={name: items})).json()
    assert [result["status"] for result in body["results"]] == ["accepted", "rejected", "rejected"]
    assert {result["problem"]["code"] for result in body["results"][1:]} == {"not_found"}


async def test_an_import_takes_the_rows_of_own_accounts(environment: Environment, client: httpx.AsyncClient) -> None:
    rows = "account_id,stakeholder_id,score,survey_type\nmine,ann,9,nps\ntheirs,ann,1,nps\nnowhere,ann,1,nps\n"
    job = await client.post("/v1/imports", data={"kind": "responses"}, files={"file": ("a.csv", rows)})
    assert job.status_code == 202, job.text

    async def done() -> dict[str, Any] | None:
        body: dict[str, Any] = (await client.get(f"/v1/imports/{job.json()['id']}")).json()
        return body if body["state"] == "done" else None

    report = await eventually(done, timeout=30)
    assert (report["taken"], report["bad"]) == (1, 2)
    assert {(problem["line"], problem["code"]) for problem in report["problems"]} == {
        (3, "not_found"),
        (4, "not_found"),
    }

    async def published() -> bool:
        found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
        return [record.key for record in found] == [b"mine"]

    await eventually(published, timeout=30)


@pytest.mark.parametrize("sender", ["everybody", "another owner"])
async def test_imports_of_others_are_not_there_for_a_key_limited_to_an_owner(
    environment: Environment, client: httpx.AsyncClient, sender: str
) -> None:
    limits = {"everybody": None, "another owner": "ida@supplier.example"}
    senders = bearer(await api_key(environment, ["ingest"], owner_email=limits[sender]))
    rows = "account_id,stakeholder_id,score,survey_type\ntheirs,ann,1,nps\n"
    files = {"file": ("a.csv", rows)}
    job = (await client.post("/v1/imports", data={"kind": "responses"}, files=files, headers=senders)).json()
    path = f"/v1/imports/{job['id']}"

    async def done() -> bool:
        return bool((await client.get(path, headers=senders)).json()["state"] == "done")

    await eventually(done, timeout=30)
    for answer in (
        await client.get(path),
        await client.get(f"{path}/report"),
        await client.post(f"{path}/undo"),
        await client.post(f"{path}/undo", params={"dry_run": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    undone = (await client.get(path, headers=senders)).json()["undone_at"]
    assert undone is None


async def test_keys_of_one_owner_see_and_undo_the_imports_of_each_other(
    environment: Environment, client: httpx.AsyncClient
) -> None:
    rows = "account_id,stakeholder_id,score,survey_type\nmine,ann,1,nps\n"
    job = (await client.post("/v1/imports", data={"kind": "responses"}, files={"file": ("a.csv", rows)})).json()
    path = f"/v1/imports/{job['id']}"
    other = bearer(await api_key(environment, ["ingest"], owner_email=OWNER))

    async def done() -> bool:
        return bool((await client.get(path, headers=other)).json()["state"] == "done")

    await eventually(done, timeout=30)
    assert (await client.get(f"{path}/report", headers=other)).text == "line,outcome,code,field,reason\r\n"
    undone = await client.post(f"{path}/undo", headers=other)
    assert (undone.status_code, undone.json()["accounts"]) == (200, 1)
