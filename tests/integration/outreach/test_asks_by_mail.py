"""`POST /v1/asks`: somebody is asked by mail now, as a programme asks, and past nothing that forbids it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http import api_key, bearer
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, person

LEA, MAX = "lea@supplier.example", "max@supplier.example"


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """A programme that asks next month; Ann and Bob at Acme, Zoe at Bolt."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(
            account(owner=LEA), person(), person("bob"), account("bolt", owner=MAX), person("zoe", "bolt")
        )
        await found.programme(when={"type": "once", "on": "2026-07-14"}, reminders=[])
        yield found


async def ask(room: Mailroom, *people: dict[str, str], status: int = 201, key: str | None = None) -> Any:
    [programme] = (await room.call("GET", ""))["items"]
    headers = {}
    if key is not None:
        headers = bearer(key)
    body = {"programme_id": programme["programme_id"], "people": list(people)}
    answer = await room.asking.client.post("/v1/asks", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


ANN = {"account_id": "acme", "stakeholder_id": "ann"}
BOB = {"account_id": "acme", "email": "bob@acme.example"}


async def test_1b_20_people_are_asked_by_mail_on_request_once_a_day(room: Mailroom) -> None:
    made = (await ask(room, BOB, ANN))["items"]
    assert [(item["stakeholder_id"], item["state"]) for item in made] == [("bob", "waiting"), ("ann", "waiting")]
    again = (await ask(room, ANN))["items"]
    assert [item["ask_id"] for item in again] == [made[1]["ask_id"]], "a second click asks nobody twice"
    await room.work()
    assert sorted(room.relay.recipients) == ["ann@acme.example", "bob@acme.example"], "it is Tuesday noon"
    assert (await ask(room, ANN))["items"][0]["state"] == "sent"
    room.asking.clock.advance(DAY)
    await ask(room, ANN)
    await room.work()
    assert len(room.relay.recipients) == 2
    [late] = (await room.asking.get("/v1/asks", state="skipped"))["items"]
    assert (late["reason"], late["note"]) == ("too_late", "could not be asked in time: quarantine")
    await room.sums_hold()


async def test_who_objects_is_asked_by_nobody_and_a_stranger_is_told_as_one(room: Mailroom) -> None:
    await room.asking.client.post("/v1/suppressions", json={"addresses": ["bob@acme.example"]})
    await ask(room, BOB, {"account_id": "acme", "stakeholder_id": "nobody"})
    await room.work()
    assert await room.asks() == {"bob": ("skipped", "objected"), "nobody": ("skipped", "not_in_directory")}
    assert room.relay.contents == []


async def test_what_was_asked_by_hand_outlives_a_change_of_the_programme_and_is_no_wave(room: Mailroom) -> None:
    room.relay.rcpt = {"": "450 4.7.1 greylisted"}
    await ask(room, ANN)
    await room.work()
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", open_days=20)
    await room.start(programme["programme_id"])
    assert (await room.asks())["ann"] == ("held", "relay_away")
    assert (await room.asking.get("/v1/waves"))["items"] == []
    room.relay.rcpt = {}
    await room.until(NOW + DAY)
    assert room.relay.recipients == ["ann@acme.example"]


async def test_c37_it_needs_act_a_running_programme_and_an_account_that_the_key_sees(room: Mailroom) -> None:
    environment = room.asking.environment
    reader = await api_key(environment, ("read", "ingest"))
    assert (await ask(room, ANN, status=403, key=reader))["code"] == "missing_scope"
    lea = await api_key(environment, ("act", "read"), LEA)
    assert (await ask(room, ANN, {"account_id": "bolt", "stakeholder_id": "zoe"}, status=404, key=lea))["code"]
    assert await room.asks() == {}
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("POST", f"/{programme['programme_id']}/pause")
    assert (await ask(room, ANN, status=409))["code"] == "programme_rests"
