"""Owners see the people of a wave five working days before: they leave somebody out, correct and add; silence is go."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from shared.http.client import Api, Services
from tests.support.mailing import PAGES, Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, person

LEA, MAX = "lea@supplier.example", "max@supplier.example"
MONDAY = date(2026, 6, 22)
"""Of the wave; the test's clock shows Tuesday, 9 June."""
ONCE = {"type": "once", "on": "2026-06-24"}


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Lea's people Ann and Dora at Acme, and Max's Zoe at Bolt; nobody is planned yet."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(
            account(name="Acme Ltd", owner=LEA),
            person(name="Ann Lee"),
            person("dora", type="decision_maker"),
            account("bolt", owner=MAX),
            person("zoe", "bolt"),
        )
        yield found


async def listed(room: Mailroom, until: datetime) -> None:
    """Let time pass as `until` does, and let mails to owners be written on the way."""
    clock = room.asking.clock
    while clock.now() < until:
        clock.advance(min(timedelta(hours=1), until - clock.now()))
        await room.planner.round()
        await room.lists.plan()
        await room.work()


async def people(desk: Asking, programme_id: str, day: date = MONDAY, **query: Any) -> list[dict[str, Any]]:
    return list((await desk.get(f"/v1/programmes/{programme_id}/waves/{day}/people", **query))["items"])


async def done(desk: Asking, ask_id: str, what: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = await desk.client.post(f"/v1/asks/{ask_id}/{what}", json=body or None)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def ask_of(room: Mailroom, stakeholder_id: str) -> str:
    return str((await room.ask_ids())[stakeholder_id])


async def test_w7_each_owner_gets_their_own_list_five_working_days_before(room: Mailroom) -> None:
    programme_id = await room.programme(when=ONCE)
    await listed(room, datetime(2026, 6, 15, 6, 59, tzinfo=UTC))
    assert room.relay.recipients == [], "it is not Monday nine o'clock in Berlin yet"
    await listed(room, datetime(2026, 6, 15, 8, 0, tzinfo=UTC))
    assert sorted(room.relay.recipients) == [LEA, MAX]
    texts = {str(mail["To"]): mail.get_body(("plain",)) for mail in room.relay.mails}
    lea = str(cast(Any, texts[LEA]).get_content())
    assert "Acme Ltd: 2 people" in lea
    assert "bolt" not in lea
    assert f"{PAGES}/surveys/waves/{programme_id}/{MONDAY}" in lea
    await listed(room, datetime(2026, 6, 19, tzinfo=UTC))
    assert len(room.relay.contents) == 2, "each list goes once"
    [ann, dora] = await people(room.asking, programme_id, owner=LEA)
    assert (ann["stakeholder_id"], ann["email"], ann["state"]) == ("ann", "ann@acme.example", "waiting")
    assert dora["type"] == "decision_maker"


async def test_m10_an_owner_s_list_says_their_target_of_answers(room: Mailroom) -> None:
    answer = await room.asking.client.put("/v1/response-targets", json={"owner": LEA, "target": 0.55})
    assert answer.status_code == 200, answer.text
    await room.programme(when=ONCE)
    await listed(room, datetime(2026, 6, 15, 8, 0, tzinfo=UTC))
    said = {}
    for mail in room.relay.mails:
        for kind in ("plain", "html"):
            text = str(cast(Any, mail.get_body((kind,))).get_content())
            said[str(mail["To"]), kind] = "Your target is that 55 % of those who are asked answer." in text
    assert said == {(LEA, "plain"): True, (LEA, "html"): True, (MAX, "plain"): False, (MAX, "html"): False}


async def test_a_programme_that_starts_late_tells_its_owners_at_once(room: Mailroom) -> None:
    await room.programme(when={"type": "once", "on": NOW.date().isoformat()})
    await room.planner.round()
    await room.lists.plan()
    await room.work()
    assert sorted(room.relay.recipients) == [LEA, MAX]


async def test_owners_are_left_alone_where_a_programme_says_so(room: Mailroom) -> None:
    await room.programme(when=ONCE, owners_look=False)
    await listed(room, NOW + 9 * DAY)
    assert await room.asking.rows("notices") == []


async def test_silence_is_go_and_who_is_left_out_is_counted_with_the_reason(room: Mailroom) -> None:
    programme_id = await room.programme(when=ONCE)
    await listed(room, NOW + 7 * DAY)
    ask_id = await ask_of(room, "dora")
    found = await done(room.asking, ask_id, "exclude", reason="On leave until August")
    assert (found["state"], found["reason"], found["note"]) == ("skipped", "excluded", "On leave until August")
    assert found["changes"][-1]["actor"].startswith("key:")
    await done(room.asking, ask_id, "exclude", 422)
    await room.until(NOW + 17 * DAY, timedelta(hours=2))
    assert await room.asks() == {"ann": ("sent", None), "dora": ("skipped", "excluded"), "zoe": ("sent", None)}
    assert "dora@acme.example" not in room.relay.recipients
    [group] = (await room.asking.get("/v1/asks/summary"))["groups"]
    assert {"state": "skipped", "reason": "excluded", "count": 1} in group["reasons"]
    await room.sums_hold()
    [dora] = [item for item in await people(room.asking, programme_id) if item["stakeholder_id"] == "dora"]
    assert dora["note"] == "On leave until August"


async def test_an_exclusion_survives_planning_anew_and_is_taken_back(room: Mailroom) -> None:
    programme_id = await room.programme(when=ONCE)
    await room.until(NOW + 2 * DAY, timedelta(hours=4))
    ask_id = await ask_of(room, "ann")
    await done(room.asking, ask_id, "exclude", reason="Ill")
    await room.call("PATCH", f"/{programme_id}", open_days=20)
    await room.start(programme_id)
    await room.planner.round()
    assert (await room.asks())["ann"] == ("skipped", "excluded")
    await done(room.asking, ask_id, "include")
    assert (await room.asks())["ann"] == ("waiting", None)
    assert (await done(room.asking, ask_id, "include"))["state"] == "waiting", "again changes nothing"
    await room.until(NOW + 17 * DAY, timedelta(hours=2))
    assert (await room.asks())["ann"] == ("sent", None)


async def test_who_was_asked_cannot_be_left_out_any_more(room: Mailroom) -> None:
    await room.programme(when={"type": "once", "on": NOW.date().isoformat()})
    await room.until(NOW + 3 * DAY)
    ask_id = await ask_of(room, "ann")
    assert (await done(room.asking, ask_id, "exclude", 409, reason="Late"))["code"] == "not_to_be_sent"
    assert (await done(room.asking, ask_id, "include", 409))["code"] == "not_excluded"


async def test_an_exclusion_is_over_with_its_wave(room: Mailroom) -> None:
    await room.programme(when=ONCE)
    await room.until(NOW + 2 * DAY, timedelta(hours=4))
    ask_id = await ask_of(room, "ann")
    await done(room.asking, ask_id, "exclude", reason="Ill")
    room.asking.clock.advance(40 * DAY)
    assert (await done(room.asking, ask_id, "include", 409))["code"] == "too_late"


async def test_c37_a_key_of_an_owner_sees_and_touches_its_own_people_only(room: Mailroom) -> None:
    programme_id = await room.programme(when=ONCE)
    await room.until(NOW + 2 * DAY, timedelta(hours=4))
    lea = await room.asking.with_key("read", "act", owner_email=LEA)
    assert {item["account_id"] for item in await people(lea, programme_id)} == {"acme"}
    assert await people(lea, programme_id, owner=MAX) == []
    [wave] = (await lea.get("/v1/waves"))["items"]
    assert (wave["day"], wave["to_ask"], wave["accounts"]) == (MONDAY.isoformat(), 2, 1)
    assert (await done(lea, await ask_of(room, "zoe"), "exclude", 404, reason="x"))["code"] == "ask_not_found"
    await done(lea, await ask_of(room, "ann"), "exclude", reason="Left the company")
    [wave] = (await room.asking.get("/v1/waves"))["items"]
    assert (wave["to_ask"], wave["excluded"], wave["accounts"]) == (2, 1, 2)
    added = await lea.client.post(
        f"/v1/programmes/{programme_id}/waves/{MONDAY}/people", json={"account_id": "bolt", "email": "y@bolt.example"}
    )
    assert added.status_code == 404
    reader = await room.asking.with_key("read", owner_email=LEA)
    await done(reader, await ask_of(room, "ann"), "include", 403)


class Directory:
    """The collector's calls about people."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.calls.append((request.method, request.url.path, body))
        _, _, account_id, _, stakeholder_id = request.url.path.removeprefix("/").split("/")
        record = {"account_id": account_id, "stakeholder_id": stakeholder_id, "recorded_at": NOW.isoformat()}
        return httpx.Response(200, json=record | {"removed": False} | body | {"recorded_at": NOW.isoformat()})


@pytest.fixture
async def directory(room: Mailroom) -> AsyncIterator[Directory]:
    """Outreach changes this directory."""
    transport = room.asking.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    state = cast(FastAPI, transport.app).state
    before, found = state.service, Directory()
    services = Services({"collector": "http://collector"}, transport=httpx.MockTransport(found))
    state.service = replace(before, api=Api(services, "tb_of_tests"))
    yield found
    state.service = before
    await services.close()


async def test_an_owner_corrects_an_address_and_the_mail_goes_there(room: Mailroom, directory: Directory) -> None:
    await room.programme(when=ONCE)
    await room.until(NOW + 2 * DAY, timedelta(hours=4))
    lea = await room.asking.with_key("read", "act", owner_email=LEA)
    found = await done(lea, await ask_of(room, "ann"), "correct", email="Ann.Lee@acme.example")
    assert directory.calls == [("PATCH", "/v1/accounts/acme/stakeholders/ann", {"email": "ann.lee@acme.example"})]
    assert found["changes"][-1]["note"] == "the address was corrected"
    assert found["state"] == "waiting"
    changed = person(name="Ann Lee", email="ann.lee@acme.example", recorded_at=NOW + 2 * DAY)
    await room.asking.take(changed)
    await room.until(NOW + 17 * DAY, timedelta(hours=2))
    assert "ann.lee@acme.example" in room.relay.recipients
    assert "ann@acme.example" not in room.relay.recipients
    assert (await done(lea, await ask_of(room, "ann"), "correct", 409, email="x@acme.example"))["code"]


async def test_an_owner_adds_somebody_who_is_asked_with_the_others(room: Mailroom, directory: Directory) -> None:
    programme_id = await room.programme(when=ONCE)
    await room.until(NOW + 2 * DAY, timedelta(hours=4))
    lea = await room.asking.with_key("read", "act", owner_email=LEA)
    answer = await lea.client.post(
        f"/v1/programmes/{programme_id}/waves/{MONDAY}/people",
        json={"account_id": "acme", "email": "Bo@acme.example", "name": "Bo Yi", "type": "user"},
    )
    assert answer.status_code == 201, answer.text
    [(method, path, body)] = directory.calls
    assert (method, path) == ("PUT", "/v1/accounts/acme/stakeholders/bo@acme.example")
    assert body == {"email": "bo@acme.example", "name": "Bo Yi", "type": "user", "recorded_at": None}
    await room.asking.take(person("bo@acme.example", email="bo@acme.example", recorded_at=NOW + 2 * DAY))
    await room.until(NOW + 17 * DAY, timedelta(hours=2))
    assert "bo@acme.example" in room.relay.recipients


async def test_a_list_that_a_relay_put_off_goes_once_and_one_that_is_refused_is_kept(room: Mailroom) -> None:
    await room.programme(when=ONCE)
    room.relay.rcpt = {LEA: "450 4.7.1 greylisted", MAX: "550 5.1.1 no such user"}
    await listed(room, NOW + 7 * DAY)
    room.relay.rcpt = {}
    await listed(room, NOW + 8 * DAY)
    found = {row["recipient"]: (row["state"], row["reason"]) for row in await room.asking.rows("notices")}
    assert found == {LEA: ("sent", None), MAX: ("failed", "recipient_refused")}
    assert room.relay.recipients == [LEA]


async def test_c23_a_list_that_may_be_on_its_way_is_not_sent_again(room: Mailroom) -> None:
    await room.programme(when=ONCE)
    room.relay.hang_up_after_data = True
    await listed(room, NOW + 8 * DAY)
    found = {row["recipient"]: (row["state"], row["unconfirmed"]) for row in await room.asking.rows("notices")}
    assert found == {LEA: ("sent", True), MAX: ("sent", True)}
    assert len(room.relay.contents) == 2
