"""The life of a follow-up over HTTP, on real PostgreSQL: who may do what, and what is left of it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_OPENED
from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import Item, RunningAlerting

NOBODY = str(UUID(int=0))
TOMORROW = (MONDAY + timedelta(days=1)).isoformat()


@pytest.fixture
async def task(alerting: RunningAlerting, acme: Case) -> Item:
    """A follow-up of a detractor."""
    await alerting.emit(
        acme.account(), acme.person(), acme.response("r1", comment="late again"), acme.answered("r1", 2)
    )
    return await alerting.only(acme)


async def test_the_way_of_a_follow_up_from_open_to_closed(alerting: RunningAlerting, acme: Case, task: Item) -> None:
    key = task["follow_up_id"]
    assert (await alerting.do(key, "acknowledge", version=1, comment="mine"))["state"] == "acknowledged"
    assert (await alerting.do(key, "start", version=2))["state"] == "in_progress"
    promised = await alerting.do(key, "promise", what="a new invoice", by=TOMORROW)
    assert promised["promise"] == {"what": "a new invoice", "by": "2026-06-09T10:00:00Z"}
    closed = await alerting.do(
        key,
        "close",
        outcome="resolved",
        root_cause="late delivery",
        what_was_done="another carrier",
        told_customer=True,
        version=4,
    )
    assert (closed["state"], closed["outcome"], closed["version"]) == ("closed", "resolved", 5)
    detail = await alerting.get(key)
    assert [line["action"] for line in detail["history"]] == ["opened", "acknowledged", "started", "promised", "closed"]
    acknowledged = detail["history"][1]
    assert acknowledged["actor"].startswith("key:")
    assert (acknowledged["comment"], acknowledged["at"]) == ("mine", "2026-06-08T10:00:00Z")
    assert acknowledged["changes"]["state"] == ["open", "acknowledged"]
    assert (detail["root_cause"], detail["what_was_done"], detail["told_customer"]) == (
        "late delivery",
        "another carrier",
        True,
    )
    assert detail["response"]["comment"] == "late again"


async def test_two_agents_with_the_same_version_get_one_200_and_one_409(alerting: RunningAlerting, task: Item) -> None:
    """Given two agents acknowledging with the same version, then one 200 and one 409."""
    path = f"/v1/follow-ups/{task['follow_up_id']}"
    answers = await asyncio.gather(
        alerting.client.post(f"{path}/acknowledge", json={"version": 1}),
        alerting.client.post(f"{path}/start", headers={"If-Match": '"1"'}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["code"] == "stale_version"
    assert (await alerting.get(task["follow_up_id"]))["version"] == 2


async def test_closing_twice_is_a_409_and_tells_nobody_twice(alerting: RunningAlerting, acme: Case, task: Item) -> None:
    """Given a close of a closed task, then 409, and never a second closed webhook."""
    await alerting.do(task["follow_up_id"], "close")
    refused = await alerting.do(task["follow_up_id"], "close", 409)
    assert refused["code"] == "follow_up_closed"
    assert (await alerting.do(NOBODY, "close", 404))["code"] == "follow_up_not_found"
    assert len(await alerting.published(acme, FOLLOW_UP_CLOSED)) == 1


async def test_acknowledging_again_changes_nothing(alerting: RunningAlerting, acme: Case, task: Item) -> None:
    first = await alerting.do(task["follow_up_id"], "acknowledge")
    again = await alerting.do(task["follow_up_id"], "acknowledge")
    assert again == first
    assert len(await alerting.published(acme)) == 2


async def test_a_reopened_follow_up_is_open_and_stays_the_only_one(
    alerting: RunningAlerting, acme: Case, task: Item
) -> None:
    await alerting.do(task["follow_up_id"], "close", outcome="dismissed")
    reopened = await alerting.do(task["follow_up_id"], "reopen", comment="they called again")
    assert (reopened["state"], reopened["outcome"], reopened["closed_at"]) == ("open", None, None)
    assert (await alerting.do(task["follow_up_id"], "reopen", 409))["code"] == "follow_up_not_closed"
    await alerting.do(task["follow_up_id"], "close")
    await alerting.emit(acme.answered("r2", 3))
    assert (await alerting.do(task["follow_up_id"], "reopen", 409))["code"] == "follow_up_already_open"


async def test_a_snoozed_follow_up_comes_back_by_itself(alerting: RunningAlerting, task: Item) -> None:
    key = task["follow_up_id"]
    assert (await alerting.do(key, "snooze", 422, until="2026-06-08T09:00:00Z"))["code"] == "invalid_until"
    snoozed = await alerting.do(key, "snooze", until="2026-06-08T12:00:00Z")
    assert (snoozed["state"], snoozed["snoozed_until"]) == ("snoozed", "2026-06-08T12:00:00Z")
    assert snoozed["due_at"] == task["due_at"]
    await alerting.run_timer("snoozes")
    assert (await alerting.get(key))["state"] == "snoozed"
    alerting.clock.advance(timedelta(hours=2))
    try:
        await alerting.run_timer("snoozes")
    finally:
        alerting.clock.advance(-timedelta(hours=2))
    woken = await alerting.get(key)
    assert (woken["state"], woken["snoozed_until"], woken["history"][-1]["actor"]) == ("open", None, "system")


async def test_who_is_assigned_by_hand_stays_when_the_account_changes_hands(
    alerting: RunningAlerting, acme: Case, task: Item
) -> None:
    assigned = await alerting.do(task["follow_up_id"], "assign", owner={"name": "Eve", "email": "Eve@Supplier.example"})
    assert assigned["owner"] == {"name": "Eve", "email": "eve@supplier.example"}
    await alerting.emit(acme.account(minutes=5, owner={"name": "New", "email": "new@supplier.example"}))
    assert (await alerting.only(acme))["owner"]["name"] == "Eve"


async def test_a_follow_up_goes_along_when_the_account_changes_hands(
    alerting: RunningAlerting, acme: Case, task: Item
) -> None:
    await alerting.emit(acme.account(minutes=5, owner={"name": "New", "email": "new@supplier.example"}))
    moved = await alerting.only(acme)
    assert (moved["owner"]["email"], moved["version"]) == ("new@supplier.example", 2)


async def test_what_was_sent_about_an_account_is_read_by_whoever_owns_it_now(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.subscribe("follow_up.opened")
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    keys = {email: await alerting.key("read", owner_email=email) for email in (OLIVIA, "new@supplier.example")}

    async def readers() -> set[str]:
        """The owners whose keys are shown the delivery."""
        found = set()
        statement = "select delivery_id from webhook_deliveries where account_id = :account_id"
        async with alerting.plumbing.database.read() as tx:
            delivery_id = await tx.scalar(statement, account_id=acme.account_id)
        for email, key in keys.items():
            answer = await alerting.client.get(f"/v1/deliveries/{delivery_id}", headers=key)
            if answer.status_code == 200:
                found.add(email)
        return found

    assert await readers() == {OLIVIA}
    await alerting.emit(acme.account(minutes=5, owner={"name": "New", "email": "New@Supplier.example"}))
    assert await readers() == {"new@supplier.example"}


async def test_comments_stand_in_the_history_also_of_a_closed_one(alerting: RunningAlerting, task: Item) -> None:
    await alerting.do(task["follow_up_id"], "close")
    commented = await alerting.do(task["follow_up_id"], "comments", 201, comment="sent flowers")
    assert commented["history"][-1]["comment"] == "sent flowers"
    assert (commented["state"], commented["version"]) == ("closed", 3)


async def test_a_follow_up_opened_by_hand(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account())
    body = {"account_id": acme.account_id, "stakeholder_id": "jane", "reason": "complained at the fair"}
    answer = await alerting.client.post("/v1/follow-ups", json=body)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["owner"]["email"]) == ("manual", "medium", OLIVIA)
    assert item["due_at"] == "2026-06-11T10:00:00Z", "three business days"
    assert item["reasons"] == ["complained at the fair"]
    again = await alerting.client.post("/v1/follow-ups", json=body | {"severity": "high", "reason": "and by mail"})
    assert again.status_code == 200
    item = await alerting.only(acme)
    assert (item["occurrences"], item["severity"]) == (2, "high")
    assert len(await alerting.published(acme, FOLLOW_UP_OPENED)) == 1


async def test_the_same_idempotency_key_opens_one_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    body, headers = {"account_id": acme.account_id, "kind": "renewal_talk"}, {"Idempotency-Key": str(uuid4())}
    first = await alerting.client.post("/v1/follow-ups", json=body, headers=headers)
    again = await alerting.client.post("/v1/follow-ups", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.json()["occurrences"] == 1


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("close", {"outcome": "won"}, "outcome"),
        ("close", {"told_customer": "yes"}, "told_customer"),
        ("snooze", {"until": "2026-06-09"}, "until"),
        ("snooze", {}, "until"),
        ("assign", {"owner": {"email": "nobody"}}, "owner.email"),
        ("assign", {"owner": {"name": "Eve"}}, "owner.email"),
        ("promise", {"what": "", "by": TOMORROW}, "what"),
        ("promise", {"what": "a call", "by": "2026-06-08T10:00:00Z"}, "by"),
        ("snooze", {"until": "2032-01-01T00:00:00Z"}, "until"),
        ("close", {"root_cause": "two\nlines"}, "root_cause"),
        ("comments", {"comment": "   "}, "comment"),
        ("acknowledge", {"version": "1"}, "version"),
        ("acknowledge", {"version": 0}, "version"),
        ("acknowledge", {"versio": 1}, "versio"),
    ],
)
async def test_bad_bodies_are_refused_and_change_nothing(
    alerting: RunningAlerting, task: Item, action: str, body: Item, field: str
) -> None:
    answer = await alerting.client.post(f"/v1/follow-ups/{task['follow_up_id']}/{action}", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await alerting.get(task["follow_up_id"]))["version"] == 1


@pytest.mark.parametrize("if_match", ["abc", '"0"', "-1", '"99999999999999"'])
async def test_a_version_that_is_none_is_refused(alerting: RunningAlerting, task: Item, if_match: str) -> None:
    path = f"/v1/follow-ups/{task['follow_up_id']}/acknowledge"
    answer = await alerting.client.post(path, headers={"If-Match": if_match})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_version")


async def test_why_tells_event_facts_rule_policy_and_messages(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(tier="premium"), acme.answered("r1", 3))
    item = await alerting.only(acme)
    why = await alerting.get(item["follow_up_id"], "/why")
    assert (why["rule"]["rule_id"], why["rule"]["version"]) == ("detractor_0_3", 1)
    assert why["business_time"]["weekdays"] == [0, 1, 2, 3, 4]
    (trigger,) = why["triggers"]
    assert (trigger["event"], trigger["role"], trigger["holds"]) == ("stakeholder.answered", "own", True)
    assert trigger["response_id"] == acme.id("r1")
    assert (trigger["facts"]["score"], trigger["facts"]["tier"]) == (3, "premium")
    assert [match["rule_id"] for match in trigger["matches"]] == ["detractor_0_3"]
    assert [message["action"] for message in why["messages"]] == ["opened"]


async def test_nothing_is_there_for_an_id_that_is_none(alerting: RunningAlerting) -> None:
    for path in (NOBODY, "no-uuid", f"{NOBODY}/why"):
        answer = await alerting.client.get(f"/v1/follow-ups/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "follow_up_not_found")
