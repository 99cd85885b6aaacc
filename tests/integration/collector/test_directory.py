"""The directory: complete records in order, each published once, in the transaction that changes them."""

import asyncio
from typing import Any

import pytest

from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved, StakeholderUpserted
from shared.topics import DIRECTORY
from tests.integration.collector.conftest import NOW, Running
from tests.support.events import topic_records
from tests.support.http import api_key, bearer

ACME: dict[str, Any] = {
    "name": "Acme Ltd",
    "industry": "Freight",
    "tier": "key",
    "region": "EMEA",
    "annual_revenue": {"amount": 120000, "currency": "eur"},
    "renewal_on": "2026-12-31",
    "products": ["cleaning"],
    "owner": {"name": "Kim", "email": "Kim@us.example"},
    "sponsor": {"name": "Lou", "email": "lou@us.example"},
    "parent_account_id": "group",
    "domains": ["acme.example"],
    "attributes": {"plan": "pro"},
    "time_zone": "Europe/Paris",
    "language": "fr",
    "customer_since": "2019-04-01",
    "do_not_ask": {"until": "2026-09-30", "reason": "Claim in court"},
}
NOTHING: dict[str, Any] = {
    **dict.fromkeys(ACME, None),
    "closed_on": None,
    "products": [],
    "domains": [],
    "attributes": {},
}


async def test_put_get_patch_delete_an_account(collector: Running) -> None:
    client = collector.client
    put = await client.put("/v1/accounts/acme", json=ACME)
    expected = ACME | {"account_id": "acme", "industry": "logistics", "recorded_at": "2026-06-01T12:00:00Z"}
    expected["closed_on"] = None
    expected["annual_revenue"] = {"amount": 120000, "currency": "EUR"}
    assert (put.status_code, put.json()) == (200, expected)
    assert (await client.get("/v1/accounts/acme")).json() == expected

    patch = {"tier": "premium", "owner": {"email": "new@us.example"}, "region": None, "annual_revenue": {"amount": 1.5}}
    patched = await client.patch("/v1/accounts/acme", json=patch)
    assert patched.json() == expected | {
        "tier": "premium",
        "owner": {"name": "Kim", "email": "new@us.example"},
        "region": None,
        "annual_revenue": {"amount": 1.5, "currency": "EUR"},
        "recorded_at": "2026-06-01T12:00:00.000001Z",
    }

    replaced = await client.put("/v1/accounts/acme", json={"name": "Acme"})
    assert replaced.json() == NOTHING | {
        "account_id": "acme",
        "name": "Acme",
        "recorded_at": "2026-06-01T12:00:00.000002Z",
    }

    assert (await client.delete("/v1/accounts/acme")).status_code == 204
    assert (await client.get("/v1/accounts/acme")).status_code == 404
    assert (await client.delete("/v1/accounts/acme")).status_code == 404

    events = await collector.events(DIRECTORY, 4)
    assert [event.name for event in events] == ["account.upserted"] * 3 + ["account.removed"]
    assert isinstance(events[0].data, AccountUpserted)
    assert events[0].data.recorded_at == NOW
    assert isinstance(events[3].data, AccountRemoved)
    assert events[3].data.name == "Acme"
    recorded = [event.time for event in events]
    assert recorded == sorted(set(recorded))


async def test_put_get_patch_delete_a_person(collector: Running) -> None:
    client, address = collector.client, "/v1/accounts/acme/stakeholders/ann"
    ann = {"name": "Ann Lee", "email": "Ann@acme.example", "type": "decision_maker", "job_title": "COO"}
    put = await client.put(address, json=ann)
    assert put.status_code == 200
    assert {name: put.json()[name] for name in ann} == ann
    patched = await client.patch(address, json={"job_title": None, "attributes": {"vip": True}})
    assert (patched.json()["job_title"], patched.json()["attributes"]) == (None, {"vip": True})
    assert (await client.get(address)).json() == patched.json()
    assert (await client.delete(address)).status_code == 204
    assert (await client.get(address)).status_code == 404
    assert (await client.patch(address, json={"name": "Ann"})).status_code == 404

    events = await collector.events(DIRECTORY, 3)
    assert isinstance(events[0].data, StakeholderUpserted)
    assert isinstance(events[2].data, StakeholderRemoved)
    assert events[2].data.model_dump(include={"account_id", "stakeholder_id", "type"}) == {
        "account_id": "acme",
        "stakeholder_id": "ann",
        "type": "decision_maker",
    }
    records = await topic_records(collector.environment.kafka, collector.environment.topic_prefix + DIRECTORY.name)
    assert {record.key for record in records} == {b"acme/ann"}


async def test_a_pause_needs_a_reason_and_null_ends_it(collector: Running) -> None:
    client, address = collector.client, "/v1/accounts/acme"
    await client.put(address, json={})
    refused = await client.patch(address, json={"do_not_ask": {"until": "2026-09-30"}})
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, ["do_not_ask"])
    paused = await client.patch(address, json={"do_not_ask": {"reason": "Claim in court"}})
    assert paused.json()["do_not_ask"] == {"until": None, "reason": "Claim in court"}
    shorter = await client.patch(address, json={"do_not_ask": {"until": "2026-09-30"}})
    assert shorter.json()["do_not_ask"] == {"until": "2026-09-30", "reason": "Claim in court"}
    assert (await client.patch(address, json={"do_not_ask": None})).json()["do_not_ask"] is None


async def test_a_permission_is_unknown_until_it_is_said(collector: Running) -> None:
    client, address = collector.client, "/v1/accounts/acme/stakeholders/ann"
    put = (await client.put(address, json={"time_zone": "Europe/Paris"})).json()
    assert (put["time_zone"], put["mail_permission"]) == ("Europe/Paris", "unknown")
    said = (await client.patch(address, json={"mail_permission": "granted", "time_zone": None})).json()
    assert (said["time_zone"], said["mail_permission"]) == (None, "granted")
    assert (await client.patch(address, json={"mail_permission": None})).json()["mail_permission"] == "unknown"

    *_, granted, unknown = [event.data for event in await collector.events(DIRECTORY, 3)]
    assert isinstance(granted, StakeholderUpserted)
    assert isinstance(unknown, StakeholderUpserted)
    assert (granted.mail_permission, unknown.mail_permission) == ("granted", "unknown")


async def test_what_changes_nothing_is_told_to_nobody(collector: Running) -> None:
    for _ in range(2):
        answer = await collector.client.put("/v1/accounts/acme", json=ACME)
        assert answer.json()["recorded_at"] == "2026-06-01T12:00:00Z"
    await collector.client.put("/v1/accounts/beta", json={})
    await collector.events(DIRECTORY, 2)


async def test_a_removed_record_begins_anew(collector: Running) -> None:
    client = collector.client
    await client.put("/v1/accounts/acme", json=ACME)
    await client.delete("/v1/accounts/acme")
    answer = await client.post("/v1/directory/batch", json={"accounts": [{"account_id": "acme", "name": "Acme Neu"}]})
    assert answer.json()["accepted"] == 1
    again = (await client.get("/v1/accounts/acme")).json()
    assert (again["name"], again["tier"], again["recorded_at"]) == ("Acme Neu", None, "2026-06-01T12:00:00.000002Z")


async def test_concurrent_changes_of_one_account_all_count_and_leave_in_order(collector: Running) -> None:
    client = collector.client
    await client.put("/v1/accounts/acme", json={})
    await asyncio.gather(
        *(client.patch("/v1/accounts/acme", json={"attributes": {f"a{number}": number}}) for number in range(20))
    )
    account = (await client.get("/v1/accounts/acme")).json()
    assert account["attributes"] == {f"a{number}": number for number in range(20)}
    events = await collector.events(DIRECTORY, 21)
    recorded = [event.time for event in events]
    assert recorded == sorted(set(recorded))
    assert [len(event.data.attributes) for event in events if isinstance(event.data, AccountUpserted)] == [*range(21)]


async def test_a_batch_merges_what_it_has_and_refuses_row_by_row(collector: Running) -> None:
    client = collector.client
    await client.put("/v1/accounts/acme", json=ACME)
    body = {
        "accounts": [
            {"account_id": "acme", "tier": "small"},
            {"account_id": "acme", "region": "APAC"},
            {"account_id": "beta", "annual_revenue": {"amount": 5}},
            {"name": "nobody"},
        ],
        "stakeholders": [
            {"account_id": "acme", "email": "Ann@Acme.example", "type": "user"},
            {"account_id": "acme"},
            "ann",
        ],
    }
    answer = await client.post("/v1/directory/batch", json=body)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["rejected"], told["unavailable"]) == (3, 4, 0)
    names = ("kind", "index", "account_id", "stakeholder_id", "status")
    assert [tuple(result[name] for name in names) for result in told["results"]] == [
        ("account", 0, "acme", None, "accepted"),
        ("account", 1, "acme", None, "accepted"),
        ("account", 2, "beta", None, "rejected"),
        ("account", 3, None, None, "rejected"),
        ("stakeholder", 0, "acme", "ann@acme.example", "accepted"),
        ("stakeholder", 1, "acme", None, "rejected"),
        ("stakeholder", 2, None, None, "rejected"),
    ]
    assert told["results"][2]["problem"]["errors"][0]["code"] == "incomplete"
    account = (await client.get("/v1/accounts/acme")).json()
    assert (account["tier"], account["region"], account["name"]) == ("small", "APAC", "Acme Ltd")
    assert (await client.get("/v1/accounts/beta")).status_code == 404
    await collector.events(DIRECTORY, 4)


async def test_an_ndjson_row_with_an_address_is_a_person(collector: Running) -> None:
    lines = '{"account_id": "acme", "name": "Acme"}\n{"account_id": "acme", "email": "ann@acme.example"}\nnonsense\n'
    answer = await collector.client.post(
        "/v1/directory/batch", content=lines, headers={"content-type": "application/x-ndjson"}
    )
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 1)
    assert (await collector.client.get("/v1/accounts/acme/stakeholders/ann@acme.example")).status_code == 200


async def test_a_key_of_one_owner_knows_the_accounts_of_that_owner_only(collector: Running) -> None:
    client = collector.client
    await client.put("/v1/accounts/mine", json={"owner": {"email": "Kim@us.example"}})
    await client.put("/v1/accounts/theirs", json={"owner": {"email": "lou@us.example"}})
    await client.put("/v1/accounts/theirs/stakeholders/ann", json={"type": "user"})
    kim = bearer(await api_key(collector.environment, ["ingest", "read"], "kim@us.example"))
    assert (await client.get("/v1/accounts/mine", headers=kim)).status_code == 200
    assert (await client.patch("/v1/accounts/mine", json={"tier": "key"}, headers=kim)).status_code == 200
    calls: list[dict[str, Any]] = [
        {"method": "GET"},
        {"method": "PUT", "json": {"name": "Ours"}},
        {"method": "PATCH", "json": {"name": "Ours"}},
        {"method": "DELETE"},
    ]
    answers = [
        await client.request(url=f"/v1/accounts/{address}", headers=kim, **call)
        for call in calls
        for address in ("theirs", "unknown", "theirs/stakeholders/ann", "unknown/stakeholders/ann")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    batch = {"accounts": [{"account_id": "theirs"}, {"account_id": "mine"}]}
    told = (await client.post("/v1/directory/batch", json=batch, headers=kim)).json()
    assert [result["status"] for result in told["results"]] == ["rejected", "accepted"]
    assert (await client.get("/v1/accounts/theirs")).json()["owner"]["email"] == "lou@us.example"


@pytest.mark.parametrize("name", ["Caf\u00e9", "Cafe\u0301", " Café "])
async def test_one_account_however_its_id_is_written(shared_collector: Running, name: str) -> None:
    client = shared_collector.client
    answer = await client.put(f"/v1/accounts/{name}", json={"name": "Café"})
    assert answer.json()["account_id"] == "Café"
    assert (await client.get("/v1/accounts/Café")).status_code == 200


async def test_lists_are_paged_searched_and_limited_to_the_owner(collector: Running) -> None:
    client = collector.client
    for number in range(5):
        owner = "kim@us.example" if number % 2 else "lou@us.example"
        await client.put(f"/v1/accounts/a{number}", json={"name": f"Client {number}%", "owner": {"email": owner}})
        await client.put(f"/v1/accounts/a1/stakeholders/p{number}", json={"name": f"Person {number}"})
    await client.delete("/v1/accounts/a0")

    async def listed(path: str, headers: dict[str, str] | None = None, **params: Any) -> list[str]:
        ids: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            query = params | ({"cursor": cursor} if cursor else {})
            page = (await client.get(path, params=query, headers=headers)).json()
            ids += [item.get("stakeholder_id", item["account_id"]) for item in page["items"]]
            cursor = page["next_cursor"]
        return ids

    assert await listed("/v1/accounts", limit=2) == ["a1", "a2", "a3", "a4"]
    assert await listed("/v1/accounts", q="client 3%") == ["a3"]
    assert await listed("/v1/accounts", q="%_") == []
    assert await listed("/v1/accounts", updated_since="2026-06-01T12:00:01Z") == []
    assert await listed("/v1/accounts/a1/stakeholders", limit=3) == [f"p{number}" for number in range(5)]
    assert await listed("/v1/accounts/unknown/stakeholders") == []
    kim = bearer(await api_key(collector.environment, ["read"], "kim@us.example"))
    assert await listed("/v1/accounts", kim) == ["a1", "a3"]
    assert (await client.get("/v1/accounts/a2/stakeholders", headers=kim)).status_code == 404
    assert (await client.get("/v1/accounts?limit=201")).status_code == 422
    assert (await client.get("/v1/accounts?cursor=abc")).status_code == 422
