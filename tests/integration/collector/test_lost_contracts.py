"""A lost contract: a mark on the trend, and from that day on the account is no client."""

from shared.events.context import ContextRecorded
from shared.events.directory import AccountUpserted
from shared.topics import CONTEXT_EVENTS, DIRECTORY
from tests.integration.collector.conftest import NOW, Running

LOST = {"account_id": "acme", "kind": "contract_lost", "at": NOW.isoformat(), "label": "Went to a competitor"}


async def test_a_lost_contract_closes_the_account_in_the_directory(collector: Running) -> None:
    await collector.client.put("/v1/accounts/acme", json={"name": "Acme", "tier": "key"})
    answer = await collector.client.post("/v1/context-events", json=LOST)
    assert answer.status_code == 202, answer.text
    [fact] = await collector.events(CONTEXT_EVENTS, 1)
    assert isinstance(fact.data, ContextRecorded)
    assert fact.data.kind == "contract_lost"
    _, closed = await collector.events(DIRECTORY, 2)
    assert isinstance(closed.data, AccountUpserted)
    assert (closed.data.closed_on, closed.data.name, closed.data.tier) == (NOW.date(), "Acme", "key")
    again = await collector.client.post("/v1/context-events", json=LOST)
    assert again.json()["event_id"] == answer.json()["event_id"]
    assert (await collector.client.get("/v1/accounts/acme")).json()["closed_on"] == NOW.date().isoformat()


async def test_a_lost_contract_of_an_account_that_the_directory_does_not_list_is_a_mark_only(
    collector: Running,
) -> None:
    answer = await collector.client.post("/v1/context-events", json=LOST | {"account_id": "unknown"})
    assert answer.status_code == 202, answer.text
    assert (await collector.client.get("/v1/accounts/unknown")).status_code == 404
