"""Asks as a list, by themselves and in sums, and withdrawing them."""

import csv
import io
from typing import Any

import pytest

from tests.support.outreach import DAY, NOW, Asking, account, answer_to, invited, person


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann, Bob and Cy at Acme, whom Olivia owns, and Dee at Beta."""
    await desk.take(
        account(name="Acme Ltd", tier="key", owner="olivia@us.example"),
        *(person(name) for name in ("ann", "bob", "cy")),
        account("beta", name="Beta", tier="small"),
        person("dee", "beta"),
    )


async def test_asks_come_newest_first_and_page_by_page(desk: Asking) -> None:
    made = []
    for stakeholder_id in ("ann", "bob", "cy"):
        desk.clock.advance(DAY)
        made.append((await desk.link(stakeholder_id))["invitation_id"])
    first = await desk.get("/v1/asks", limit=2)
    second = await desk.get("/v1/asks", limit=2, cursor=first["next_cursor"])
    assert [ask["ask_id"] for ask in (*first["items"], *second["items"])] == made[::-1]
    assert second["next_cursor"] is None
    assert (first["items"][0]["name"], first["items"][0]["account_name"]) == (None, "Acme Ltd")


async def test_asks_are_chosen_by_account_person_survey_state_and_reason(desk: Asking) -> None:
    await desk.survey("srv_two", nps_kind="transactional")
    await desk.links("ann", "bob")
    await desk.link("dee", account_id="beta")
    await desk.link("ann", survey_id="srv_two")
    wanted: list[tuple[dict[str, str], int]] = [
        ({"account_id": "beta"}, 1),
        ({"account": "ACME L"}, 3),
        ({"account": "beta"}, 1),
        ({"account": "%"}, 0),
        ({"account_id": "acme", "stakeholder_id": "ann"}, 2),
        ({"survey_id": "srv_two"}, 1),
        ({"state": "sent"}, 3),
        ({"state": "skipped,held", "reason": "floor"}, 1),
        ({"state": "failed"}, 0),
    ]
    for query, count in wanted:
        assert len((await desk.get("/v1/asks", **query))["items"]) == count, query
    [group] = (await desk.get("/v1/asks/summary", account="acme l"))["groups"]
    assert group["planned"] == 3
    answer = await desk.client.get("/v1/asks", params={"state": "gone"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "invalid_state")


async def test_a_person_has_the_asks_of_all_their_ids(desk: Asking) -> None:
    await desk.link("ann")
    await desk.take(person("ann.lee", aliases=("ann",), recorded_at=NOW + DAY))
    for stakeholder_id in ("ann", "ann.lee"):
        [ask] = (await desk.get("/v1/asks", account_id="acme", stakeholder_id=stakeholder_id))["items"]
        assert ask["stakeholder_id"] == "ann.lee"
    assert await desk.reason("ann.lee") == "quarantine"


async def test_asks_as_a_sheet_are_all_of_them(desk: Asking) -> None:
    await desk.take(account(name="=1+1", owner="olivia@us.example", recorded_at=NOW + DAY))
    await desk.links("ann", "bob")
    answer = await desk.client.get("/v1/asks", params={"format": "csv", "limit": 1})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["account_name"] for row in rows] == ["'=1+1", "'=1+1"]
    assert {row["stakeholder_id"] for row in rows} == {"ann", "bob"}


async def test_c7_sums_by_account_with_outcomes_flags_and_reasons(desk: Asking) -> None:
    rows = await desk.links("ann", "bob", "cy", "nobody")
    ids = [row["invitation_id"] for row in rows]
    at = NOW + DAY
    await desk.take(answer_to(ids[0], at), invited("started", at, ids[0]), invited("reminded", at, ids[0]))
    await desk.take(invited("bounced", at, ids[1], stakeholder_id="bob"))
    await desk.take(invited("unsubscribed", at, ids[2], stakeholder_id="cy"))
    await desk.link("dee", account_id="beta", handed_over=False)
    acme, beta = (await desk.get("/v1/asks/summary", group_by="account"))["groups"]
    assert (acme["key"], acme["name"]) == ("acme", "Acme Ltd")
    assert counts(acme) == {"planned": 4, "sent": 3, "skipped": 1}
    assert acme["outcomes"] == {"answered": 1, "bounced": 1, "withdrawn": 0, "expired": 0, "open": 1}
    assert acme["flags"] == {"started": 1, "finished": 0, "reminded": 1, "unsubscribed": 1}
    assert acme["sent_rate"] == 75.0
    assert acme["reasons"] == [{"state": "skipped", "reason": "not_in_directory", "count": 1}]
    assert counts(beta) == {"planned": 1, "waiting": 1}
    assert beta["sent_rate"] == 0.0


async def test_c8_a_summary_counts_the_asks_that_were_due_in_the_window(desk: Asking) -> None:
    await desk.link("ann")
    desk.clock.advance(2 * DAY)
    await desk.link("bob")
    since, before = (NOW + DAY).isoformat(), (NOW + 3 * DAY).isoformat()
    [group] = (await desk.get("/v1/asks/summary", due_since=since, due_before=before))["groups"]
    assert counts(group) == {"planned": 1, "sent": 1}
    [earlier] = (await desk.get("/v1/asks/summary", due_before=since))["groups"]
    assert counts(earlier) == {"planned": 1, "sent": 1}


@pytest.mark.parametrize(
    ("group_by", "keys"),
    [
        ("survey", ["srv_rel"]),
        ("owner", ["olivia@us.example", None]),
        ("tier", ["key", "small"]),
        (None, [None]),
    ],
)
async def test_sums_by_survey_owner_and_tier(desk: Asking, group_by: str | None, keys: list[str | None]) -> None:
    await desk.link("ann")
    await desk.link("dee", account_id="beta")
    query = {}
    if group_by is not None:
        query = {"group_by": group_by}
    assert [group["key"] for group in (await desk.get("/v1/asks/summary", **query))["groups"]] == keys
    olivia = await desk.with_key("read", owner_email="olivia@us.example")
    assert sum(group["planned"] for group in (await olivia.get("/v1/asks/summary", **query))["groups"]) == 1


async def test_a_sent_ask_that_is_withdrawn_closes_and_raises_no_silence(desk: Asking) -> None:
    ask_id = (await desk.link())["invitation_id"]
    at = desk.clock.advance(DAY)
    answer = await desk.client.post(f"/v1/asks/{ask_id}/withdraw", json={"reason": "The contract was cancelled"})
    ask = answer.json()
    assert (ask["state"], ask["outcome"], ask["reason"]) == ("sent", "withdrawn", None)
    assert ask["changes"][-1] == {
        "at": at.isoformat().replace("+00:00", "Z"),
        "state": "sent",
        "reason": "by_hand",
        "note": "The contract was cancelled",
        "actor": ask["created_by"],
    }
    call = (await desk.rows("outgoing", "entry"))[-1]
    assert call["key"] == f"fact:{ask_id}:expired"
    assert (call["body"]["kind"], call["body"]["reason"]) == ("expired", "withdrawn")
    again = await desk.client.post(f"/v1/asks/{ask_id}/withdraw")
    assert (again.status_code, again.json()["changes"]) == (200, ask["changes"])
    assert len(await desk.rows("outgoing")) == 2
    assert (await desk.client.get(f"/v1/asks/{ask_id}/link")).json()["code"] == "no_link"


async def test_an_ask_that_waits_is_withdrawn_before_anybody_saw_it(desk: Asking) -> None:
    ask_id = (await desk.link(handed_over=False))["invitation_id"]
    ask = (await desk.client.post(f"/v1/asks/{ask_id}/withdraw")).json()
    assert (ask["state"], ask["outcome"], ask["reason"]) == ("withdrawn", None, "by_hand")
    assert await desk.rows("outgoing") == []
    await desk.take(invited("sent", NOW + DAY, ask_id))
    assert (await desk.get(f"/v1/asks/{ask_id}"))["state"] == "withdrawn"


async def test_what_is_answered_or_was_never_to_be_sent_is_not_withdrawn(desk: Asking) -> None:
    asked, skipped = await desk.links("ann", "nobody")
    await desk.take(answer_to(asked["invitation_id"], NOW))
    for row, code in ((asked, "already_answered"), (skipped, "not_to_be_sent")):
        answer = await desk.client.post(f"/v1/asks/{row['invitation_id']}/withdraw")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    missing = await desk.client.post("/v1/asks/0b9f6b0e-5c0f-4c1e-8a6d-0a8f6f3d2c11/withdraw")
    assert (missing.status_code, missing.json()["code"]) == (404, "ask_not_found")


def counts(group: dict[str, Any]) -> dict[str, int]:
    """The states of a group that are not 0, and what was planned; the sum must hold."""
    states = {name: group[name] for name in ("waiting", "held", "skipped", "sent", "failed", "withdrawn")}
    assert group["planned"] == sum(states.values())
    assert group["sent"] == sum(group["outcomes"].values())
    return {"planned": group["planned"]} | {name: count for name, count in states.items() if count}
