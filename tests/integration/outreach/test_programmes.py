"""Programmes: nothing is armed without a dry-run, whom they ask and when, and why they do not ask others."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.events.context import ContextRecorded
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.topics import CONTEXT_RECORDED
from tests.support.mailing import SENDER, Mailroom
from tests.support.outreach import DAY, NOW, account, answered, invited, person
from tests.support.outreach import _event as event

BERLIN = ZoneInfo("Europe/Berlin")


def happened(kind: str, at: datetime, stakeholder_id: str | None = "ann") -> Event:
    data = ContextRecorded(
        event_id=uuid7(), account_id="acme", stakeholder_id=stakeholder_id, kind=kind, at=at, recorded_at=at
    )
    return event(CONTEXT_RECORDED, data)


async def test_nothing_is_armed_without_a_dry_run_of_what_is_started(room: Mailroom) -> None:
    programme_id = await room.programme(started=False)
    refused = await room.call("POST", f"/{programme_id}/start", 409)
    assert refused["code"] == "dry_run_first"
    await room.call("POST", f"/{programme_id}/dry-run")
    await room.call("PATCH", f"/{programme_id}", open_days=20)
    assert (await room.call("POST", f"/{programme_id}/start", 409))["code"] == "dry_run_first"
    await room.call("POST", f"/{programme_id}/dry-run")
    assert (await room.call("POST", f"/{programme_id}/start"))["state"] == "running"
    assert (await room.call("POST", f"/{programme_id}/start"))["state"] == "running", "again changes nothing"


async def test_a_dry_run_says_whom_it_would_ask_and_why_not_others(room: Mailroom) -> None:
    await room.asking.take(
        person("bob", email=None),
        person("cem"),
        person("eve"),
        account("bolt"),
        person("zoe", "bolt", mail_permission="refused"),
        invited("sent", NOW - 10 * DAY, stakeholder_id="cem", nps_kind="relationship"),
        answered(NOW - 9 * DAY, stakeholder_id="eve"),
    )
    programme_id = await room.programme(started=False)
    found = await room.call("POST", f"/{programme_id}/dry-run")
    reasons = {(item["state"], item["reason"]): item["count"] for item in found["reasons"]}
    assert reasons == {
        ("skipped", "too_late"): 1,
        ("skipped", "no_address"): 1,
        ("skipped", "no_permission"): 1,
        ("skipped", "already_answered"): 1,
    }
    assert (found["would_ask"], found["account_count"], found["accounts_without_anybody"]) == (2, 1, 1)
    assert (found["held"], found["skipped"]) == (0, 4)
    assert await room.asking.rows("asks") == [], "nothing is planned"
    assert room.relay.contents == []


async def test_a_dry_run_says_who_would_wait_first(room: Mailroom) -> None:
    await room.asking.link("ann", survey_id="srv_other")
    programme_id = await room.programme(started=False, when={"type": "once", "on": "2026-06-16"})
    found = await room.call("POST", f"/{programme_id}/dry-run")
    assert (found["would_ask"], found["held"]) == (2, 1)
    assert found["reasons"] == [{"state": "held", "reason": "floor", "count": 1}]


async def test_a_wave_asks_everybody_once_in_hours_and_is_told(room: Mailroom) -> None:
    await room.programme()
    await room.until(NOW + 4 * DAY)
    assert await room.asks() == {"ann": ("sent", None), "dora": ("sent", None)}
    assert sorted(room.relay.recipients) == ["ann@acme.example", "dora@acme.example"]
    sent = {row["stakeholder_id"]: row["sent_at"].astimezone(BERLIN) for row in await room.asking.rows("asks")}
    assert {moment.weekday() for moment in sent.values()} <= {1, 2}
    assert all(9 <= moment.hour < 16 for moment in sent.values())
    calls = {call["body"]["stakeholder_id"]: call["body"] for call in await room.asking.rows("outgoing")}
    assert {(body["kind"], body["channel"]) for body in calls.values()} == {("sent", "email")}
    await room.sums_hold()
    await room.until(NOW + 6 * DAY)
    assert len(room.relay.contents) == 2


async def test_m4_m5_each_mail_has_its_own_link_and_names_the_person(room: Mailroom) -> None:
    await room.programme()
    await room.until(NOW + 2 * DAY)
    texts = {str(mail["To"]): mail.get_body(("plain",)) for mail in room.relay.mails}
    [ann] = [str(part.get_content()) for to, part in texts.items() if part and "ann@" in to]
    ids = await room.ask_ids()
    assert "Hello Ann Lee" in ann
    links = [line for line in ann.splitlines() if line.startswith("https://ask.supplier.example/s/")]
    assert len(links) == 1
    assert {str(ask_id) in str(mail["Message-ID"]) for ask_id in ids.values() for mail in room.relay.mails} == {
        True,
        False,
    }
    assert all(str(mail["From"]) == "Lea Maier <lea@supplier.example>" for mail in room.relay.mails)


@pytest.mark.parametrize("finished", [False, True])
async def test_t7_c14_those_who_did_not_finish_are_reminded(room: Mailroom, finished: bool) -> None:
    await room.programme(reminders=[7, 14])
    await room.until(NOW + 2 * DAY)
    if finished:
        async with room.asking.database.write() as tx:
            await tx.execute("update asks set answered_at = sent_at, finished_at = sent_at")
    await room.until(NOW + 23 * DAY)
    subjects = [str(mail["Subject"]) for mail in room.relay.mails]
    if finished:
        assert len(subjects) == 2
        return
    assert len(subjects) == 6
    assert len(set(subjects)) == 3, "the invitation and two reminders"
    assert {row["reminders"] for row in await room.asking.rows("asks")} == {2}
    kinds = [(mail["kind"], mail["number"]) for mail in await room.asking.rows("sends", "kind, number")]
    assert kinds == [("invite", 1)] * 2 + [("reminder", 1)] * 2 + [("reminder", 2)] * 2


async def test_users_are_asked_quarterly_and_decision_makers_half_yearly(room: Mailroom) -> None:
    await room.programme(when={"type": "cadence"}, reminders=[])
    await room.until(NOW + 380 * DAY, timedelta(hours=8))
    sent: dict[str, list[datetime]] = {}
    for row in await room.asking.rows("asks", "sent_at"):
        if row["sent_at"] is not None:
            sent.setdefault(row["stakeholder_id"], []).append(row["sent_at"])
    assert (len(sent["ann"]), len(sent["dora"])) in [(4, 2), (5, 2), (5, 3)]
    first = {moments[0].isocalendar()[:2] for moments in sent.values()}
    assert len(first) == 1, "an account is asked in one week"


async def test_a1_a_programme_says_what_it_is_for(room: Mailroom) -> None:
    programme_id = await room.programme(started=False, objective="retention")
    assert (await room.call("GET", f"/{programme_id}"))["objective"] == "retention"


async def test_an_event_asks_its_person_after_its_days(room: Mailroom) -> None:
    await room.programme(when={"type": "event", "kind": "order_delivered", "after_days": 2}, reminders=[])
    await room.asking.take(happened("order_delivered", NOW), happened("issue_resolved", NOW, "dora"))
    await room.until(NOW + DAY)
    assert room.relay.contents == []
    await room.until(NOW + 9 * DAY)
    assert room.relay.recipients == ["ann@acme.example"]


async def test_c12_who_was_asked_about_something_else_in_the_week_of_a_wave_is_asked_after_the_floor(
    room: Mailroom,
) -> None:
    await room.asking.survey("srv_csat", nps_kind="transactional")
    assert (await room.asking.link("ann", survey_id="srv_csat"))["problem"] is None
    await room.programme(reminders=[])
    await room.until(NOW + 13 * DAY, timedelta(hours=2))
    assert (await room.asks())["ann"] == ("held", "floor")
    await room.until(NOW + 15 * DAY, timedelta(hours=2))
    assert (await room.asks())["ann"] == ("sent", None)


async def test_c29_an_import_of_old_events_mails_nobody(room: Mailroom) -> None:
    await room.programme(when={"type": "event", "kind": "issue_resolved"}, reminders=[])
    await room.until(NOW + 10 * DAY, DAY)
    await room.asking.take(happened("issue_resolved", NOW + 5 * DAY))
    await room.until(NOW + 13 * DAY)
    assert room.relay.contents == []
    assert await room.asks() == {"ann": ("skipped", "too_late")}


async def test_c29_an_event_that_names_nobody_is_told_as_one(room: Mailroom) -> None:
    await room.asking.take(account("bolt", tier="key"), person("zoe", "bolt"))
    await room.programme(when={"type": "event", "kind": "issue_resolved"}, who={"tier": "key"}, reminders=[])
    at_bolt = ContextRecorded(event_id=uuid7(), account_id="bolt", kind="issue_resolved", at=NOW, recorded_at=NOW)
    await room.asking.take(event(CONTEXT_RECORDED, at_bolt), happened("issue_resolved", NOW, None))
    await room.until(NOW + 2 * DAY)
    [ask] = (await room.asking.get("/v1/asks"))["items"]
    assert (ask["account_id"], ask["stakeholder_id"], ask["name"]) == ("bolt", "", None), "Acme is not of the audience"
    assert (ask["state"], ask["reason"]) == ("skipped", "no_person")
    assert room.relay.contents == []
    await room.sums_hold()


async def test_w2_w3_who_has_other_attributes_is_not_asked(room: Mailroom) -> None:
    await room.asking.take(
        account("bolt", attributes={"plan": "gold", "seats": 20}),
        person("zoe", "bolt"),
        person("max", "bolt", attributes={"plan": "trial"}),
        person("ida", attributes={"plan": "gold", "seats": "20"}),
    )
    await room.programme(who={"attributes": {"plan": "gold", "seats": "20"}}, reminders=[])
    await room.until(NOW + 2 * DAY)
    assert set(await room.asks()) == {"ida", "zoe"}, "what the person lacks is the account's"
    refused = await room.call("POST", "", 422, name="x", survey_id="srv_mail", who={"attributes": {"plan": ""}})
    assert "attributes" in str(refused)


async def test_a_paused_programme_holds_and_an_ended_one_withdraws(room: Mailroom) -> None:
    programme_id = await room.programme(when={"type": "once", "on": "2026-06-16"})
    await room.work()
    assert await room.asks() == {"ann": ("waiting", None), "dora": ("waiting", None)}
    await room.call("POST", f"/{programme_id}/pause")
    await room.until(NOW + 9 * DAY)
    assert set((await room.asks()).values()) == {("held", "paused")}
    assert room.relay.contents == []
    await room.call("POST", f"/{programme_id}/end")
    assert set((await room.asks()).values()) == {("withdrawn", "programme_ended")}
    assert (await room.call("POST", f"/{programme_id}/start", 409))["code"] == "programme_ended"
    await room.sums_hold()


async def test_a_programme_that_asked_nobody_who_is_known_is_removed(room: Mailroom) -> None:
    programme_id = await room.programme(when={"type": "once", "on": "2026-06-16"})
    await room.work()
    assert (await room.call("DELETE", f"/{programme_id}", 409))["code"] == "programme_in_use"
    async with room.asking.database.write() as tx:
        await tx.execute("delete from asks")  # as an erasure of the account does
    paths = (f"/v1/programmes/{programme_id}", "/v1/surveys/srv_mail", f"/v1/programmes/{programme_id}")
    removals = [(await room.asking.client.delete(path)).status_code for path in paths]
    assert removals == [204, 204, 404], "no programme asks by the survey any more"


async def test_a_change_plans_anew_what_was_not_sent(room: Mailroom) -> None:
    programme_id = await room.programme(when={"type": "once", "on": "2026-06-16"})
    await room.work()
    before = await room.ask_ids()
    assert (await room.call("PATCH", f"/{programme_id}", who={"type": "user"}))["state"] == "paused"
    await room.work()
    assert await room.asks() == {}
    await room.start(programme_id)
    await room.work()
    after = await room.ask_ids()
    assert set(after) == {"ann"}
    assert after["ann"] != before["ann"]


@pytest.mark.parametrize("owned", [True, False])
async def test_c27_mails_come_from_the_owner_where_the_supplier_may_write_as_them(room: Mailroom, owned: bool) -> None:
    owner = "olga@supplier.example" if owned else "olga@elsewhere.example"
    await room.asking.take(account(name="Acme Ltd", owner=owner, recorded_at=NOW + timedelta(seconds=1)))
    await room.programme()
    await room.until(NOW + 2 * DAY)
    expected = owner if owned else "lea@supplier.example"
    assert {mail["From"].addresses[0].addr_spec for mail in room.relay.mails} == {expected}


async def test_without_anybody_who_may_write_the_programme_pauses_and_says_so(room: Mailroom) -> None:
    programme_id = await room.programme(sender={"kind": "owner"})
    await room.until(NOW + 2 * DAY)
    found = await room.call("GET", f"/{programme_id}")
    assert found["state"] == "paused"
    assert "TELLBACK_OUTREACH_SENDER_DOMAINS" in found["reason"]
    assert room.relay.contents == []


async def test_a_copy_is_a_draft_and_lists_show_both(room: Mailroom) -> None:
    programme_id = await room.programme()
    copied = await room.call("POST", f"/{programme_id}/duplicate", 201)
    assert (copied["state"], copied["name"], copied["dry_run_at"]) == ("draft", "Copy of Wave", None)
    listed = await room.call("GET", "")
    assert {item["programme_id"] for item in listed["items"]} == {programme_id, copied["programme_id"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"survey_id": "srv_none"}, "survey_id"),
        ({"reminders": [14, 7]}, ""),
        ({"open_days": 99}, "open_days"),
        ({"when": {"type": "weekly"}}, "when"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(room: Mailroom, change: dict[str, Any], field: str) -> None:
    document = {"name": "Wave", "survey_id": "srv_mail", "when": {"type": "cadence"}, "sender": SENDER}
    refused = await room.call("POST", "", 422, **{**document, **change})
    assert field in refused["errors"][0]["field"]
    programme_id = await room.programme(started=False)
    await room.call("PATCH", f"/{programme_id}", 422, **change)


async def test_somebody_else_may_have_changed_it(room: Mailroom) -> None:
    programme_id = await room.programme(started=False)
    await room.call("PATCH", f"/{programme_id}", revision=1, open_days=20)
    assert (await room.call("PATCH", f"/{programme_id}", 409, revision=1, open_days=25))["code"] == "stale_version"


async def test_c37_programmes_are_for_those_who_manage_all_accounts(room: Mailroom) -> None:
    programme_id = await room.programme(started=False)
    owner = await room.asking.with_key("read", "manage", owner_email="olga@supplier.example")
    assert (await owner.client.get(f"/v1/programmes/{programme_id}")).status_code == 200
    assert (await owner.client.post(f"/v1/programmes/{programme_id}/dry-run")).status_code == 403
    reader = await room.asking.with_key("read", "act", "ingest")
    for path in ("dry-run", "start", "pause", "end"):
        assert (await reader.client.post(f"/v1/programmes/{programme_id}/{path}")).status_code == 403


@pytest.mark.parametrize("turn", range(3))
async def test_c11_of_one_address_the_first_by_rank_is_asked_and_the_others_are_told_why(
    room: Mailroom, turn: int
) -> None:
    """By rank whoever of them is due first, which follows from the id."""
    shared = f"office{turn}@acme.example"
    types = ("user", "influencer", "decision_maker")
    ids = [f"p{turn}{number}" for number in range(3)]
    for number, stakeholder_id in enumerate(ids):
        type_ = types[(number + turn) % 3]
        await room.asking.take(person(stakeholder_id, type=type_, email=shared.upper() if number else shared))
    await room.programme(reminders=[])
    await room.until(NOW + 5 * DAY)
    found = await room.asks()
    decider = ids[(2 - turn) % 3]
    assert {stakeholder_id: found[stakeholder_id] for stakeholder_id in ids} == {
        stakeholder_id: ("skipped", "shared_address") for stakeholder_id in ids
    } | {decider: ("sent", None)}
    assert [to.lower() for to in room.relay.recipients].count(shared) == 1
    await room.sums_hold()


async def test_c11_of_two_of_one_rank_the_first_id_is_asked(room: Mailroom) -> None:
    for stakeholder_id in ("y2", "y1", "y3"):
        await room.asking.take(person(stakeholder_id, email="desk@acme.example"))
    await room.programme(reminders=[])
    await room.until(NOW + 5 * DAY)
    found = await room.asks()
    assert found["y1"] == ("sent", None)
    assert {found["y2"], found["y3"]} == {("skipped", "shared_address")}


async def test_c11_an_objection_comes_before_the_shared_address(room: Mailroom) -> None:
    await room.asking.take(person("x1", email="desk@acme.example"), person("x2", email="desk@acme.example"))
    await room.asking.client.post("/v1/suppressions", json={"addresses": ["desk@acme.example"]})
    await room.programme(reminders=[])
    await room.until(NOW + 5 * DAY)
    found = await room.asks()
    assert {found["x1"], found["x2"]} == {("skipped", "objected")}
