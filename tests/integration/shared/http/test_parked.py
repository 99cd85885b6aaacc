"""`/v1/dead-letters` and `/v1/conflicts` over a real PostgreSQL: shown, replayed, dropped."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from shared.access.caller import SCOPES, Caller
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.http import parked
from shared.http.app import create_app
from shared.http.health import health_of
from shared.kafka.headers import pack, unpack
from tests.support.edge import Keys
from tests.support.environment import Environment
from tests.support.http import bearer, running
from tests.support.problems import assert_problem

BAD_VALUE = b'{"comment": "my boss is a fool"'


class Relay:
    """Counts how often it was woken."""

    woken = 0

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def database(module_environment: Environment) -> AsyncIterator[Database]:
    database = Database(module_environment.database_url, "collector", pool_size=2)
    yield database
    async with database.write() as tx:
        await tx.execute("delete from parked")
        await tx.execute("delete from outbox")
    await database.close()


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
async def client(database: Database, relay: Relay) -> AsyncIterator[httpx.AsyncClient]:
    keys = Keys(
        {
            "all": Caller("a" * 12, frozenset(SCOPES)),
            "reader": Caller("r" * 12, frozenset({"read"})),
            "owner": Caller("o" * 12, frozenset(SCOPES), owner_email="ana@supplier.example"),
            "writer": Caller("w" * 12, frozenset({"ingest"})),
            "eraser": Caller("e" * 12, frozenset({"erase"})),
            "page": Caller("p" * 12, frozenset(), publishable=True, origins=("https://app.acme.example",)),
        }
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.plumbing = SimpleNamespace(database=database, clock=SystemClock(), keys=keys, relay=relay)
        health_of(app).add("nothing", nothing_missing)
        yield

    async def nothing_missing() -> str | None:
        return None

    async with running(create_app("test", "Parked", "Parked.", [parked.router_for()], lifespan)) as client:
        client.headers.update(bearer("all"))
        yield client


async def park(database: Database, offset: int = 1, **changes: Any) -> UUID:
    row = {
        "id": uuid4(),
        "kind": "dead_letter",
        "reason": "invalid_data",
        "topic": "responses",
        "record_offset": offset,
        "record_key": b"acme",
        "headers": pack([("ce_id", b"1"), ("odd", b"caf\xe9")]),
        "value": BAD_VALUE,
        "account_id": "acme",
        "sender": None,
        "parked_at": datetime.now(UTC),
    } | changes
    async with database.write() as tx:
        await tx.execute(
            "insert into parked (id, kind, reason, topic, partition, record_offset, record_key, headers, value,"
            " account_id, sender, parked_at) values (:id, :kind, :reason, :topic, 2, :record_offset, :record_key,"
            " :headers, :value, :account_id, :sender, :parked_at)",
            **row,
        )
    found = row["id"]
    assert isinstance(found, UUID)
    return found


async def test_the_list_says_why_and_where_but_not_what(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database)
    await park(database, offset=2, kind="conflict", reason="other_content")
    response = await client.get("/v1/dead-letters", headers=bearer("reader"))
    [item] = response.json()["items"]
    assert item.pop("parked_at")
    assert item == {
        "id": str(parked_id),
        "reason": "invalid_data",
        "detail": "",
        "topic": "responses",
        "partition": 2,
        "offset": 1,
        "size": len(BAD_VALUE),
        "account_id": "acme",
        "sender": None,
        "replayed_at": None,
        "state": "dead",
        "tries": 0,
        "next_try_at": None,
    }
    assert "boss" not in response.text
    [conflict] = (await client.get("/v1/conflicts")).json()["items"]
    assert conflict["reason"] == "other_content"


async def test_the_list_has_pages_and_can_be_narrowed(client: httpx.AsyncClient, database: Database) -> None:
    for offset in range(5):
        await park(database, offset, reason="odd" if offset % 2 else "even")
    first = (await client.get("/v1/dead-letters?limit=3")).json()
    second = (await client.get("/v1/dead-letters", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [item["offset"] for item in first["items"] + second["items"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None
    odd = (await client.get("/v1/dead-letters?reason=odd")).json()["items"]
    assert [item["offset"] for item in odd] == [3, 1]
    wrong_list = await client.get("/v1/conflicts", params={"cursor": first["next_cursor"]})
    assert_problem(wrong_list, 422, "invalid_cursor")


async def test_the_content_takes_the_scope_to_manage(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database)
    shown = (await client.get(f"/v1/dead-letters/{parked_id}")).json()
    assert (shown["value"], shown["encoding"], shown["key"]) == (BAD_VALUE.decode(), "utf-8", "acme")
    assert shown["headers"][0] == ["ce_id", "1"]
    assert_problem(await client.get(f"/v1/dead-letters/{parked_id}", headers=bearer("reader")), 403, "missing_scope")


async def test_bytes_that_are_no_text_are_shown_in_base64(client: httpx.AsyncClient, database: Database) -> None:
    binary = await park(database, value=b"\xff\x00", record_key=None)
    shown = (await client.get(f"/v1/dead-letters/{binary}")).json()
    assert (shown["value"], shown["encoding"], shown["key"]) == ("/wA=", "base64", None)
    empty = (await client.get(f"/v1/dead-letters/{await park(database, offset=2, value=None)}")).json()
    assert (empty["value"], empty["size"]) == (None, 0)


async def outbox(database: Database) -> list[dict[str, Any]]:
    async with database.read() as tx:
        return [dict(row) for row in await tx.all("select * from outbox order by id")]


async def test_a_replay_has_the_record_tried_again_and_publishes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    parked_id = await park(database)
    response = await client.post(f"/v1/dead-letters/{parked_id}/replay")
    assert response.status_code == 202
    assert response.json() == {"id": str(parked_id), "topic": "responses", "status": "accepted"}
    assert await outbox(database) == []
    [item] = (await client.get("/v1/dead-letters")).json()["items"]
    assert (item["state"], item["tries"]) == ("retrying", 0)
    assert item["next_try_at"] is not None
    assert item["replayed_at"] is not None


@pytest.mark.parametrize("reason", ["unpublishable", "wrong_partition"])
async def test_a_record_that_has_to_travel_leaves_through_the_outbox(
    client: httpx.AsyncClient, database: Database, relay: Relay, reason: str
) -> None:
    parked_id = await park(database, reason=reason)
    assert (await client.post(f"/v1/dead-letters/{parked_id}/replay")).status_code == 202
    [row] = await outbox(database)
    assert (row["topic"], row["account_id"], row["record_key"], row["value"]) == (
        "responses",
        "acme",
        b"acme",
        BAD_VALUE,
    )
    assert unpack(row["headers"]) == [("ce_id", b"1"), ("odd", b"caf\xe9")]
    assert row["partition"] is None
    assert relay.woken == 1


async def test_a_record_of_unknown_account_goes_back_to_its_partition(
    client: httpx.AsyncClient, database: Database
) -> None:
    parked_id = await park(database, account_id=None, record_key=None, reason="unpublishable")
    assert (await client.post(f"/v1/dead-letters/{parked_id}/replay")).status_code == 202
    [row] = await outbox(database)
    assert (row["partition"], row["record_key"]) == (2, b"")


async def test_what_must_be_applied_is_never_dropped(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database, reason="handler_error")
    async with database.write() as tx:
        await tx.execute("update parked set must_apply = 'stakeholder.erased'")
    assert_problem(await client.delete(f"/v1/dead-letters/{parked_id}"), 409, "must_apply")
    assert len((await client.get("/v1/dead-letters")).json()["items"]) == 1


async def test_a_topic_that_is_not_ours_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database, topic="elsewhere")
    assert_problem(await client.post(f"/v1/dead-letters/{parked_id}/replay"), 409, "unknown_topic")
    assert await outbox(database) == []


async def test_a_dropped_record_is_gone(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database)
    assert (await client.delete(f"/v1/dead-letters/{parked_id}")).status_code == 204
    assert_problem(await client.delete(f"/v1/dead-letters/{parked_id}"), 404, "not_found")
    assert (await client.get("/v1/dead-letters")).json()["items"] == []


async def test_a_conflict_is_not_a_dead_letter(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database, kind="conflict")
    assert (await client.get(f"/v1/conflicts/{parked_id}")).status_code == 200
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
        assert_problem(await client.request(method, f"/v1/dead-letters/{parked_id}{path}"), 404, "not_found")


async def test_a_key_limited_to_an_owner_sees_none(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database)
    limited = bearer("owner")
    assert (await client.get("/v1/dead-letters", headers=limited)).json() == {"items": [], "next_cursor": None}
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
        response = await client.request(method, f"/v1/dead-letters/{parked_id}{path}", headers=limited)
        assert_problem(response, 404, "not_found")
    assert len((await client.get("/v1/dead-letters")).json()["items"]) == 1


async def test_writing_takes_the_scope_to_manage(client: httpx.AsyncClient, database: Database) -> None:
    parked_id = await park(database)
    for method, path in (("DELETE", ""), ("POST", "/replay")):
        response = await client.request(method, f"/v1/dead-letters/{parked_id}{path}", headers=bearer("reader"))
        assert_problem(response, 403, "missing_scope")


async def conflict_of(database: Database, sender: str | None, offset: int, **changes: Any) -> UUID:
    """Park a response that contradicts the stored one."""
    said = {
        "kind": "conflict",
        "reason": "response_id_taken",
        "detail": "differs in score",
        "value": json.dumps({"response_id": f"r{offset}", "account_id": "acme", "score": 3}).encode(),
        "headers": pack([("ce_id", f"event-{offset}".encode())]),
    }
    return await park(database, offset, sender=sender, **(said | changes))


@pytest.mark.parametrize("key", ["writer", "owner"])
async def test_a_key_that_may_not_read_all_sees_what_it_sent_itself_and_never_what_differs(
    client: httpx.AsyncClient, database: Database, key: str
) -> None:
    """Otherwise the key could read stored values by guessing."""
    reasons = ("response_id_taken", "wrong_account", "wrong_stakeholder", "wrong_response", "invalid_change")
    own = [await conflict_of(database, key[0] * 12, number, reason=reason) for number, reason in enumerate(reasons)]
    await conflict_of(database, "x" * 12, 8)
    await conflict_of(database, None, 9)
    await park(database, 10, sender=key[0] * 12)
    answer = await client.get("/v1/conflicts", headers=bearer(key))
    items = answer.json()["items"]
    assert [item.pop("id") for item in items] == [str(parked_id) for parked_id in reversed(own)]
    assert all(item.pop("parked_at") for item in items)
    assert items[-1] == {"reason": "not_taken", "response_id": "r0", "account_id": "acme", "event_id": "event-0"}
    assert {item["reason"] for item in items} == {"not_taken"}
    assert not [word for word in ("differ", "score", *reasons) if word in answer.text]


async def test_to_look_for_a_reason_does_not_tell_it_either(client: httpx.AsyncClient, database: Database) -> None:
    await conflict_of(database, "w" * 12, 1)
    found = {
        reason: len((await client.get(f"/v1/conflicts?reason={reason}", headers=bearer("writer"))).json()["items"])
        for reason in ("response_id_taken", "wrong_account", "not_taken")
    }
    assert found == {"response_id_taken": 0, "wrong_account": 0, "not_taken": 1}


async def test_who_may_read_sees_the_conflicts_of_all_with_their_senders(
    client: httpx.AsyncClient, database: Database
) -> None:
    for number, sender in enumerate(("w" * 12, "p" * 12, None)):
        await conflict_of(database, sender, number)
    items = (await client.get("/v1/conflicts", headers=bearer("reader"))).json()["items"]
    assert [(item["sender"], item["reason"]) for item in items] == [
        (sender, "response_id_taken") for sender in (None, "p" * 12, "w" * 12)
    ]


async def test_other_keys_and_those_of_pages_see_no_conflicts(client: httpx.AsyncClient, database: Database) -> None:
    await conflict_of(database, "p" * 12, 1)
    assert_problem(await client.get("/v1/conflicts", headers=bearer("eraser")), 403, "missing_scope")
    page = bearer("page") | {"origin": "https://app.acme.example"}
    assert_problem(await client.get("/v1/conflicts", headers=page), 403, "publishable_key")
    shown = await client.get(f"/v1/conflicts/{uuid4()}", headers=bearer("writer"))
    assert_problem(shown, 403, "missing_scope")


async def test_the_pages_of_what_a_key_sent_go_on_where_the_one_before_ended(
    client: httpx.AsyncClient, database: Database
) -> None:
    for number in range(5):
        await conflict_of(database, "w" * 12, number)
    mine = bearer("writer")
    first = (await client.get("/v1/conflicts?limit=3", headers=mine)).json()
    rest = {"limit": 3, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/conflicts", params=rest, headers=mine)).json()
    assert [item["response_id"] for item in first["items"] + second["items"]] == ["r4", "r3", "r2", "r1", "r0"]
    assert second["next_cursor"] is None
    assert_problem(await client.get("/v1/conflicts", params=rest), 422, "invalid_cursor")
