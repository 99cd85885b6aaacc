"""Changes of the directory that are made only while the record is the one that their sender has seen."""

from datetime import datetime
from typing import Any

import pytest

from tests.integration.collector.conftest import Running
from tests.support.problems import assert_problem

ACME = "/v1/accounts/acme"
ANN = f"{ACME}/stakeholders/ann@acme.example"


async def put(collector: Running, path: str, **body: Any) -> dict[str, Any]:
    answer = await collector.client.put(path, json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("path", [ACME, ANN])
async def test_a_change_of_the_record_that_was_seen_is_made(collector: Running, path: str) -> None:
    seen = await put(collector, path, name="First")
    answer = await collector.client.patch(path, json={"name": "Second", "recorded_at": seen["recorded_at"]})
    assert answer.is_success, answer.text
    assert answer.json()["name"] == "Second"
    before, after = (datetime.fromisoformat(body["recorded_at"]) for body in (seen, answer.json()))
    assert after > before


@pytest.mark.parametrize("path", [ACME, ANN])
async def test_a_change_of_another_record_than_stands_is_refused_and_changes_nothing(
    collector: Running, path: str
) -> None:
    seen = await put(collector, path, name="First")
    await put(collector, path, name="Second")
    for call in (collector.client.patch, collector.client.put):
        answer = await call(path, json={"name": "Mine", "recorded_at": seen["recorded_at"]})
        assert_problem(answer, 409, "changed_meanwhile")
    assert (await collector.client.get(path)).json()["name"] == "Second"


@pytest.mark.parametrize("path", [ACME, ANN])
async def test_null_makes_a_record_only_where_there_is_none(collector: Running, path: str) -> None:
    await put(collector, path, name="First", recorded_at=None)
    answer = await collector.client.put(path, json={"name": "Again", "recorded_at": None})
    assert_problem(answer, 409, "changed_meanwhile")
    assert (await collector.client.delete(path)).status_code == 204
    assert (await put(collector, path, name="Anew", recorded_at=None))["name"] == "Anew"


async def test_a_record_that_was_removed_meanwhile_is_not_there(collector: Running) -> None:
    seen = await put(collector, ACME, name="First")
    await collector.client.delete(ACME)
    answer = await collector.client.patch(ACME, json={"name": "Mine", "recorded_at": seen["recorded_at"]})
    assert_problem(answer, 404, "not_found")


async def test_an_unchanged_record_keeps_its_time(collector: Running) -> None:
    seen = await put(collector, ACME, name="Same")
    again = await put(collector, ACME, name="Same", recorded_at=seen["recorded_at"])
    assert again["recorded_at"] == seen["recorded_at"]


async def test_of_a_batch_each_row_is_judged_by_itself(collector: Running) -> None:
    seen = await put(collector, ACME, name="First")
    rows = [
        {"account_id": "acme", "tier": "key", "recorded_at": "2026-01-01T00:00:00Z"},
        {"account_id": "acme", "region": "EMEA", "recorded_at": seen["recorded_at"]},
        {"account_id": "new", "name": "New", "recorded_at": None},
    ]
    answer = (await collector.client.post("/v1/directory/batch", json={"accounts": rows})).json()
    assert [result["status"] for result in answer["results"]] == ["rejected", "accepted", "accepted"]
    assert answer["results"][0]["problem"]["code"] == "changed_meanwhile"
    record = (await collector.client.get(ACME)).json()
    assert (record["name"], record["tier"], record["region"]) == ("First", None, "EMEA")
