"""Links: for whom one is made, what it says, and why others get none."""

import asyncio
import csv
import io
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.outreach.domain.tokens import Purpose
from shared.events.directory import DoNotAsk
from tests.support.outreach import DAY, NOW, Asking, account, answered, invited, person, withdrawn


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann and Bob at Acme, whom Olivia owns."""
    await desk.take(account(name="Acme Ltd", owner="olivia@us.example"), person(name="Ann Lee"), person("bob"))


async def test_c15_a_link_counts_as_sent_when_it_is_made(desk: Asking) -> None:
    row = await desk.link()
    ask_id = UUID(row["invitation_id"])
    token = row["url"].rpartition("/s/")[2]
    opened = desk.tokens.opened(Purpose.ASK, token)
    assert opened is not None
    assert opened.subject == ask_id.bytes
    assert row["expires_at"] == "2026-07-09T10:00:00Z"
    assert (row["name"], row["email"], row["problem"]) == ("Ann Lee", "ann@acme.example", None)
    ask = await desk.get(f"/v1/asks/{ask_id}")
    assert (ask["state"], ask["outcome"], ask["channel"], ask["sent_at"]) == (
        "sent",
        "open",
        "link",
        "2026-06-09T10:00:00Z",
    )
    [call] = await desk.rows("outgoing")
    assert (call["key"], call["service"], call["path"]) == (f"fact:{ask_id}:sent", "collector", "/v1/invitation-events")
    assert call["body"] == {
        "invitation_id": str(ask_id),
        "account_id": "acme",
        "stakeholder_id": "ann",
        "kind": "sent",
        "at": "2026-06-09T10:00:00Z",
        "survey_id": "srv_rel",
        "channel": "link",
    }


async def test_c15_a_mailer_that_hands_the_link_over_says_so_itself(desk: Asking) -> None:
    row = await desk.link(handed_over=False)
    assert (row["url"] is None, row["expires_at"]) == (False, None)
    assert await desk.rows("outgoing") == []
    ask = await desk.get(f"/v1/asks/{row['invitation_id']}")
    assert (ask["state"], ask["sent_at"], ask["outcome"]) == ("waiting", None, None)
    sent_at = NOW + timedelta(hours=3)
    await desk.take(
        invited("sent", sent_at + DAY, row["invitation_id"]), invited("sent", sent_at, row["invitation_id"])
    )
    await desk.take(invited("sent", sent_at + DAY, row["invitation_id"]))
    ask = await desk.get(f"/v1/asks/{row['invitation_id']}")
    assert (ask["state"], ask["sent_at"], ask["closes_at"]) == ("sent", "2026-06-09T13:00:00Z", "2026-07-09T13:00:00Z")
    assert [change["state"] for change in ask["changes"]] == ["waiting", "sent"]


async def test_people_are_found_by_id_by_alias_and_by_address(desk: Asking) -> None:
    await desk.take(person("p-17", email="Carla@acme.example", aliases=("carla.old@acme.example",)), person("dan"))
    named = [
        {"account_id": "acme", "stakeholder_id": "p-17"},
        {"account_id": "acme", "email": "DAN@acme.example"},
        {"account_id": "acme", "email": "nobody@acme.example"},
        {"account_id": "acme", "email": "carla.old@acme.example"},
    ]
    answer = await desk.client.post("/v1/surveys/srv_rel/links", json={"people": named})
    rows = answer.json()["items"]
    assert [row["stakeholder_id"] for row in rows] == ["p-17", "dan", "nobody@acme.example", "p-17"]
    assert [(row["problem"] or {}).get("reason") for row in rows] == [None, None, "not_in_directory", "shared_address"]
    assert (answer.json()["made"], answer.json()["refused"]) == (2, 2)


async def test_w2_w3_w5_a_filter_names_everybody_for_whom_all_of_it_holds(desk: Asking) -> None:
    await desk.take(
        account("beta", tier="key", industry="logistics", owner="Olivia@us.example"),
        person("cleo", "beta", type="decision_maker", job_function="Purchasing"),
        person("dora", "beta"),
    )
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({"tier": "key", "type": "decision_maker"}, ["cleo"]),
        ({"job_function": "Purchasing"}, ["cleo"]),
        ({"account_id": "beta", "type": "user"}, ["dora"]),
        ({"owner": "olivia@us.example"}, ["ann", "bob", "cleo", "dora"]),
        ({"tier": "small"}, []),
    ]
    for chosen, expected in wanted:
        body = {"filter": chosen, "handed_over": False}
        rows = (await desk.client.post("/v1/surveys/srv_rel/links", json=body)).json()["items"]
        assert [row["stakeholder_id"] for row in rows] == expected, chosen


@pytest.mark.parametrize(
    ("kind", "type_", "days"),
    [("relationship", "user", 80), ("relationship", "decision_maker", 170), ("transactional", "user", 30)],
)
async def test_c12_the_quarantine_counts_what_anybody_sent(desk: Asking, kind: str, type_: str, days: int) -> None:
    await desk.survey("srv_other", nps_kind=kind)
    asked_at = NOW - days * DAY + timedelta(minutes=1)
    await desk.take(person("eve", type=type_), invited("sent", asked_at, stakeholder_id="eve"))
    row = await desk.link("eve", survey_id="srv_other")
    assert row["problem"]["reason"] == "quarantine"
    assert datetime.fromisoformat(row["problem"]["again_at"]) == asked_at + days * DAY
    desk.clock.advance(timedelta(minutes=1))
    assert await desk.reason("eve", survey_id="srv_other") is None


async def test_5_5_a_survey_of_one_kind_holds_the_other_for_a_fortnight_only(desk: Asking) -> None:
    await desk.survey("srv_csat", nps_kind="transactional")
    assert await desk.reason(survey_id="srv_csat") is None
    assert await desk.reason() == "floor"
    desk.clock.advance(14 * DAY)
    assert await desk.reason(survey_id="srv_csat") == "quarantine"
    assert await desk.reason() is None


async def test_c11_the_floor_is_by_address_over_all_accounts(desk: Asking) -> None:
    await desk.take(account("beta"), person("consultant", "beta", email="ANN@acme.example"))
    assert await desk.reason() is None
    assert await desk.reason("consultant", account_id="beta") == "floor"
    desk.clock.advance(14 * DAY)
    assert await desk.reason("consultant", account_id="beta") is None


async def test_c11_one_call_asks_an_address_once_over_all_accounts(desk: Asking) -> None:
    await desk.take(account("beta"), person("consultant", "beta", email="ANN@acme.example"))
    body: dict[str, Any] = {"filter": {}}
    rows = (await desk.client.post("/v1/surveys/srv_rel/links", json=body)).json()["items"]
    problems = {row["stakeholder_id"]: row["problem"] for row in rows}
    assert (problems["ann"], problems["bob"], problems["consultant"]["reason"]) == (None, None, "floor")
    assert datetime.fromisoformat(problems["consultant"]["again_at"]) == NOW + 14 * DAY
    body["override_quarantine"] = "Both accounts wish it"
    rows = (await desk.client.post("/v1/surveys/srv_rel/links", json=body)).json()["items"]
    assert [row["problem"] for row in rows] == [None, None, None]


async def test_c12_of_two_calls_at_once_for_one_address_one_gets_the_link(desk: Asking) -> None:
    await desk.take(account("beta"), person("consultant", "beta", email="ann@acme.example"))

    async with desk.database.write() as tx:
        await tx.lock_accounts(["acme", "beta"])
        calls = [
            asyncio.create_task(desk.reason("ann")),
            asyncio.create_task(desk.reason("consultant", account_id="beta")),
        ]
        await desk.waiting(2)
    assert sorted(await asyncio.gather(*calls), key=str) == [None, "floor"]
    assert [ask["state"] for ask in await desk.rows("asks", "state")] == ["sent", "skipped"]


async def test_a_call_that_is_made_again_under_its_key_gives_the_same_links(desk: Asking) -> None:
    await desk.take(invited("sent", NOW - DAY, stakeholder_id="bob"), person("carl"))
    people = [{"account_id": "acme", "stakeholder_id": name} for name in ("ann", "bob", "carl", "ann")]
    again = {"Idempotency-Key": "mailing-7"}

    async def call(headers: dict[str, str]) -> dict[str, Any]:
        answer = await desk.client.post("/v1/surveys/srv_rel/links", json={"people": people}, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first, second = await asyncio.gather(call(again), call(again))
    assert [row["problem"] and row["problem"]["reason"] for row in first["items"]] == [
        None,
        "quarantine",
        None,
        "shared_address",
    ]
    assert first == second
    desk.clock.advance(DAY)
    assert await call(again) == first
    assert (len(await desk.rows("asks")), len(await desk.rows("outgoing"))) == (4, 2)
    other = await call({"Idempotency-Key": "mailing-8"})
    assert other["made"] == 0


async def test_c11_one_address_of_an_account_is_asked_once_by_the_weightiest_person(desk: Asking) -> None:
    same = "office@acme.example"
    await desk.take(
        person("u", email=same),
        person("d", email=same, type="decision_maker"),
        person("i", email=same.upper(), type="influencer"),
    )
    reasons = [(row["problem"] or {}).get("reason") for row in await desk.links("u", "d", "i")]
    assert reasons == ["shared_address", None, "shared_address"]


async def test_c12_already_answered_is_a_live_answer_of_the_same_kind(desk: Asking) -> None:
    await desk.take(answered(NOW - 20 * DAY), answered(NOW - 20 * DAY, "r-2", stakeholder_id="bob", nps_kind="project"))
    rows = await desk.links("ann", "bob", handed_over=False)
    assert [(row["problem"] or {}).get("reason") for row in rows] == ["already_answered", None]
    await desk.take(withdrawn("r-1", NOW))
    assert await desk.reason(handed_over=False) is None


async def test_c15_a_reason_passes_the_quarantine_and_nothing_passes_an_objection(desk: Asking) -> None:
    await desk.take(invited("sent", NOW - DAY), invited("sent", NOW - DAY, stakeholder_id="bob"))
    await desk.take(invited("unsubscribed", NOW, stakeholder_id="bob"))
    rows = await desk.links("ann", "bob", override_quarantine="They asked to be asked")
    assert [(row["problem"] or {}).get("reason") for row in rows] == [None, "objected"]
    assert (await desk.get(f"/v1/asks/{rows[0]['invitation_id']}"))["note"] == "They asked to be asked"


async def test_c9_who_bounced_is_asked_again_once_the_address_is_another(desk: Asking) -> None:
    await desk.take(invited("bounced", NOW - DAY))
    assert await desk.reason() == "bounced"
    later = NOW + timedelta(minutes=5)
    await desk.take(person(email="ann.lee@acme.example", recorded_at=later, email_changed_at=later))
    assert await desk.reason() is None


async def test_c9_who_bounced_and_answered_since_is_reached(desk: Asking) -> None:
    await desk.take(invited("bounced", NOW - 90 * DAY), answered(NOW - 85 * DAY))
    assert await desk.reason() is None


async def test_c9_closed_and_removed_accounts_are_not_asked(desk: Asking) -> None:
    await desk.take(account("gone", closed_on=NOW.date()), person("x", "gone"))
    assert await desk.reason("x", account_id="gone") == "not_in_directory"


async def test_c28_the_directory_says_whom_not_to_ask(desk: Asking) -> None:
    pause = DoNotAsk(until=NOW.date(), reason="A lawsuit")
    await desk.take(
        account("quiet", do_not_ask=pause), person("x", "quiet"), person("refusing", mail_permission="refused")
    )
    row = await desk.link("x", account_id="quiet")
    assert (row["problem"]["reason"], row["problem"]["detail"]) == (
        "do_not_ask",
        "nobody of the account is asked: A lawsuit",
    )
    assert await desk.reason("refusing") == "no_permission"
    desk.clock.advance(DAY)
    assert await desk.reason("x", account_id="quiet") is None


async def test_c7_every_person_named_is_an_ask_with_its_reason(desk: Asking) -> None:
    rows = await desk.links("ann", "nobody", "ann")
    listed = (await desk.get("/v1/asks"))["items"]
    assert {(ask["ask_id"], ask["state"], ask["reason"]) for ask in listed} == {
        (rows[0]["invitation_id"], "sent", None),
        (rows[1]["invitation_id"], "skipped", "not_in_directory"),
        (rows[2]["invitation_id"], "skipped", "shared_address"),
    }


async def test_w7_c37_an_owner_sees_and_asks_own_accounts_only(desk: Asking) -> None:
    await desk.take(account("beta", owner="ben@us.example"), person("cleo", "beta"))
    olivia = await desk.with_key("read", "act", owner_email="olivia@us.example")
    row = await olivia.link("cleo", account_id="beta")
    assert (row["problem"]["reason"], row["invitation_id"], row["email"]) == ("not_in_directory", None, None)
    assert await desk.rows("asks") == []
    everybody = await olivia.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert [row["stakeholder_id"] for row in everybody.json()["items"]] == ["ann", "bob"]
    theirs = await desk.link("cleo", account_id="beta")
    for path in ("", "/link", "/qr"):
        assert (await olivia.client.get(f"/v1/asks/{theirs['invitation_id']}{path}")).status_code == 404
    assert (await olivia.client.post(f"/v1/asks/{theirs['invitation_id']}/withdraw")).status_code == 404
    assert {ask["account_id"] for ask in (await olivia.get("/v1/asks"))["items"]} == {"acme"}


async def test_c37_who_is_known_at_accounts_of_others_is_not_told(desk: Asking) -> None:
    known = person("crm-7", "beta", email="cleo@beta.example", aliases=("cleo-old",))
    await desk.take(account("beta", owner="ben@us.example"), known)
    olivia = await desk.with_key("read", "act", owner_email="olivia@us.example")
    people = [
        {"account_id": "beta", "email": "cleo@beta.example"},
        {"account_id": "beta", "stakeholder_id": "cleo-old"},
        {"account_id": "beta", "email": "nobody@beta.example"},
    ]
    await desk.take(person(email="cleo@beta.example", recorded_at=NOW + timedelta(minutes=5)))
    mine = {"account_id": "acme", "stakeholder_id": "ann"}
    answer = await olivia.client.post("/v1/surveys/srv_rel/links", json={"people": [*people, mine]})
    *rows, ann = answer.json()["items"]
    assert ann["problem"] is None
    assert [row.pop("stakeholder_id") for row in rows] == ["cleo@beta.example", "cleo-old", "nobody@beta.example"]
    assert rows[0] == rows[1] == rows[2]


async def test_c37_links_need_act(desk: Asking) -> None:
    reader = await desk.with_key("read", "ingest", "manage")
    answer = await reader.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_a_survey_must_be_there_and_published(desk: Asking) -> None:
    await desk.survey("srv_draft", published=False)
    for survey_id, status, code in (("srv_draft", 409, "survey_not_published"), ("none", 404, "survey_not_found")):
        answer = await desk.client.post(f"/v1/surveys/{survey_id}/links", json={"filter": {}})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"people": []},
        {"people": [{"account_id": "acme"}]},
        {"people": [{"account_id": "acme", "stakeholder_id": "ann", "email": "ann@acme.example"}]},
        {"filter": {}, "people": [{"account_id": "acme", "stakeholder_id": "ann"}]},
        {"filter": {"colour": "red"}},
        {"filter": {}, "language": "no language"},
        {"filter": {}, "override_quarantine": " "},
    ],
)
async def test_a_wrong_body_is_refused_and_nobody_is_asked(desk: Asking, body: dict[str, Any]) -> None:
    assert (await desk.client.post("/v1/surveys/srv_rel/links", json=body)).status_code == 422
    assert await desk.rows("asks") == []


async def test_links_as_a_sheet_run_no_formula(desk: Asking) -> None:
    await desk.take(person("zoe", name='=HYPERLINK("https://evil.example")'))
    answer = await desk.client.post("/v1/surveys/srv_rel/links", json={"filter": {}}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["stakeholder_id"] for row in rows] == ["ann", "bob", "zoe"]
    assert rows[2]["name"] == '\'=HYPERLINK("https://evil.example")'
    assert all(row["url"].startswith("http://127.0.0.1:8005/s/") and row["reason"] == "" for row in rows)


async def test_the_link_of_an_ask_is_copied_again_and_drawn(desk: Asking) -> None:
    row = await desk.link()
    again = await desk.get(f"/v1/asks/{row['invitation_id']}/link")
    assert (again["url"], again["expires_at"]) == (row["url"], row["expires_at"])
    picture = await desk.client.get(f"/v1/asks/{row['invitation_id']}/qr")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<?xml")
    assert "<svg" in picture.text
    desk.clock.advance(30 * DAY)
    for path in ("link", "qr"):
        answer = await desk.client.get(f"/v1/asks/{row['invitation_id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "link_closed")
    skipped = await desk.link("nobody")
    assert (await desk.client.get(f"/v1/asks/{skipped['invitation_id']}/link")).json()["code"] == "no_link"


async def test_ten_thousand_people_get_their_links_as_a_sheet(desk: Asking) -> None:
    async with desk.database.write() as tx:
        await tx.execute(
            "insert into accounts (account_id, record, recorded_at, event_id) select 'big-' || n, '{}', :now,"
            " gen_random_uuid() from generate_series(1, 500) n",
            now=NOW,
        )
        await tx.execute(
            "insert into stakeholders (account_id, stakeholder_id, email, type, record, recorded_at, event_id)"
            " select 'big-' || (1 + n % 500), 'p' || n, 'p' || n || '@big.example', 'user', '{}', :now,"
            " gen_random_uuid() from generate_series(1, 9998) n",
            now=NOW,
        )
    answer = await desk.client.post("/v1/surveys/srv_rel/links?format=csv", json={"filter": {}})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 10_000
    assert len({row["url"] for row in rows}) == 10_000
    assert (await desk.get("/v1/asks/summary"))["groups"][0]["sent"] == 10_000
    assert len(await desk.rows("outgoing")) == 10_000
    await desk.take(person("one-more"))
    answer = await desk.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_people")
