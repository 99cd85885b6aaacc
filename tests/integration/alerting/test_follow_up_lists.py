"""Lists and figures of follow-ups, and what a key may see."""

from datetime import timedelta

import pytest

from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting

LATER = MONDAY + timedelta(hours=1)


async def test_filters_and_the_order_by_due_time(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(
        acme.account(),
        acme.answered("r1", 5, stakeholder_id="ann"),
        acme.answered("r2", 1, LATER, stakeholder_id="bob"),
        acme.fell("r3", 9, 8, stakeholder_id="cem"),
    )
    assert [item["stakeholder_id"] for item in await alerting.items(acme)] == ["bob", "ann", "cem"]
    assert [item["stakeholder_id"] for item in await alerting.items(acme, sort="-due_at")] == ["cem", "ann", "bob"]

    async def people(**params: str) -> list[str]:
        return [item["stakeholder_id"] for item in await alerting.items(acme, **params)]

    assert await people(kind="detractor") == ["bob", "ann"]
    assert await people(severity="critical,high", kind="promoter_to_passive") == ["cem"]
    assert await people(stakeholder_id="ann") == ["ann"]
    assert await people(due_before="2026-06-09T10:00:00Z") == ["bob"]
    assert await people(owner=OLIVIA.upper()) == ["bob", "ann", "cem"]
    assert await people(owner="nobody@supplier.example") == []
    assert await people(q="CEM") == ["cem"]
    assert await people(q="%") == []
    alerting.clock.advance(LATER - MONDAY)
    try:
        await alerting.do((await alerting.only(acme, stakeholder_id="ann"))["follow_up_id"], "acknowledge")
    finally:
        alerting.clock.advance(MONDAY - LATER)
    assert await people(state="acknowledged") == ["ann"]
    assert await people(state="open,acknowledged", kind="detractor") == ["bob", "ann"]
    assert await people(updated_since=LATER.isoformat()) == ["ann"]


async def test_what_was_promised_stands_in_the_list_and_is_asked_for_by_its_date(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(
        acme.account(), *(acme.answered(person, 2, stakeholder_id=person) for person in ("ann", "bob", "cem"))
    )
    for person, day in (("ann", "10"), ("bob", "20")):
        task = await alerting.only(acme, stakeholder_id=person)
        await alerting.do(task["follow_up_id"], "promise", what="a plan", by=f"2026-06-{day}T12:00:00Z")

    async def promised(before: str) -> dict[str, str]:
        found = await alerting.items(acme, promised_before=before)
        return {item["stakeholder_id"]: item["promise"]["by"] for item in found}

    assert await promised("2026-06-15T00:00:00Z") == {"ann": "2026-06-10T12:00:00Z"}
    assert (await promised("2026-06-30T00:00:00Z")).keys() == {"ann", "bob"}
    assert (await alerting.only(acme, stakeholder_id="cem"))["promise"] is None


async def test_pages_hold_every_follow_up_once(alerting: RunningAlerting, acme: Case) -> None:
    people = [f"p{number}" for number in range(7)]
    await alerting.emit(*(acme.answered(person, 2, stakeholder_id=person) for person in people))
    seen, cursor = [], None
    while True:
        params: dict[str, str] = {"account_id": acme.account_id, "limit": "3"}
        params |= {"cursor": cursor} if cursor else {}
        page = (await alerting.client.get("/v1/follow-ups", params=params)).json()
        seen += [item["stakeholder_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == people


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"state": "waiting"}, "invalid_state"),
        ({"severity": "huge"}, "invalid_severity"),
        ({"sort": "owner"}, "invalid_sort"),
        ({"cursor": "made-up"}, "invalid_cursor"),
        ({"limit": 0}, "invalid_request"),
        ({"limit": 201}, "invalid_request"),
        ({"due_before": "tomorrow"}, "invalid_request"),
        ({"account_id": "a/b"}, "invalid_request"),
    ],
)
async def test_bad_questions_are_refused(alerting: RunningAlerting, params: dict[str, str | int], code: str) -> None:
    answer = await alerting.client.get("/v1/follow-ups", params=params)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


async def test_a_cursor_belongs_to_its_order(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(*(acme.answered(person, 2, stakeholder_id=person) for person in ("a", "b")))
    page = (await alerting.client.get("/v1/follow-ups", params={"limit": 1})).json()
    answer = await alerting.client.get("/v1/follow-ups", params={"sort": "-due_at", "cursor": page["next_cursor"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_the_summary_groups_by_root_cause(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(*(acme.answered(person, 2, stakeholder_id=person) for person in ("a", "b", "c", "d")))
    tasks = {item["stakeholder_id"]: item["follow_up_id"] for item in await alerting.items(acme)}
    alerting.clock.advance(timedelta(hours=2))
    try:
        await alerting.do(tasks["a"], "acknowledge")
        await alerting.do(tasks["a"], "close", root_cause="late delivery", told_customer=True)
        await alerting.do(tasks["b"], "close", root_cause="late delivery", outcome="dismissed")
        await alerting.do(tasks["c"], "close", root_cause="price")
    finally:
        alerting.clock.advance(-timedelta(hours=2))

    async def groups(**params: str) -> list[dict[str, object]]:
        answer = await alerting.client.get("/v1/follow-ups/summary", params={"account_id": acme.account_id} | params)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["groups"])

    late, price, unknown = await groups(group_by="root_cause")
    assert [late["group"], price["group"], unknown["group"]] == [
        {"root_cause": "late delivery"},
        {"root_cause": "price"},
        {"root_cause": None},
    ]
    assert (late["opened_count"], late["resolved_count"], late["dismissed_count"]) == (2, 1, 1)
    assert (late["closed_loop_rate"], late["told_customer_count"]) == (1.0, 1)
    assert (late["median_hours_to_first_touch"], late["median_hours_to_close"]) == (2.0, 2.0)
    assert (unknown["open_count"], unknown["closed_loop_rate"], unknown["median_hours_to_close"]) == (1, 0.0, None)
    (whole,) = await groups()
    assert (whole["group"], whole["opened_count"], whole["closed_count"]) == ({}, 4, 3)
    crossed = await groups(group_by="kind,owner")
    assert [group["group"] for group in crossed] == [{"kind": "detractor", "owner": None}]
    (nothing,) = await groups(opened_since="2027-01-01T00:00:00Z")
    assert (nothing["opened_count"], nothing["closed_loop_rate"]) == (0, None)
    bad = await alerting.client.get("/v1/follow-ups/summary", params={"group_by": "mood"})
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_group_by")


async def test_a_key_limited_to_an_owner_knows_its_own_accounts_only(alerting: RunningAlerting, acme: Case) -> None:
    foreign = Case(f"{acme.account_id}-foreign")
    await alerting.emit(
        acme.account(owner={"email": "max@supplier.example"}),
        foreign.account(owner={"email": "other@supplier.example"}),
        acme.answered("r1", 2),
        foreign.answered("r1", 2),
    )
    own, other = await alerting.only(acme), await alerting.only(foreign)
    limited = await alerting.key("read", "act", owner_email="max@supplier.example")
    client = alerting.client
    listed = (await client.get("/v1/follow-ups", headers=limited)).json()["items"]
    assert [item["follow_up_id"] for item in listed] == [own["follow_up_id"]]
    (whole,) = (await client.get("/v1/follow-ups/summary", headers=limited)).json()["groups"]
    assert whole["opened_count"] == 1
    assert (await client.get(f"/v1/follow-ups/{own['follow_up_id']}", headers=limited)).status_code == 200
    unknown = await client.get("/v1/follow-ups/00000000-0000-0000-0000-000000000000", headers=limited)
    for path in ("", "/why"):
        answer = await client.get(f"/v1/follow-ups/{other['follow_up_id']}{path}", headers=limited)
        assert answer.status_code == 404
        assert answer.json()["code"] == unknown.json()["code"]
    for action in ("acknowledge", "start", "close", "reopen"):
        answer = await client.post(f"/v1/follow-ups/{other['follow_up_id']}/{action}", headers=limited, json={})
        assert answer.status_code == 404
    body = {"account_id": foreign.account_id}
    assert (await client.post("/v1/follow-ups", headers=limited, json=body)).status_code == 404
    assert (await client.post("/v1/follow-ups", headers=limited, json={"account_id": "unheard-of"})).status_code == 404
    assert (await alerting.only(foreign))["version"] == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_key_without_the_scope_gets_the_same_403_for_known_and_unknown_ids(
    alerting: RunningAlerting, acme: Case, known: bool
) -> None:
    """Given a key without the scope, when reading or changing a task, then the same 403 as for an unknown id."""
    await alerting.emit(acme.answered("r1", 2))
    follow_up_id = (await alerting.only(acme))["follow_up_id"] if known else "00000000-0000-0000-0000-000000000000"
    reader, stranger = await alerting.key("read"), await alerting.key("ingest")
    client, path = alerting.client, f"/v1/follow-ups/{follow_up_id}"
    answers = [
        await client.post(f"{path}/acknowledge", headers=reader),
        await client.post("/v1/follow-ups", headers=reader, json={"account_id": "acme"}),
        await client.get(path, headers=stranger),
        await client.get(f"{path}/why", headers=stranger),
        await client.get("/v1/follow-ups", headers=stranger),
        await client.get("/v1/rules", headers=stranger),
        await client.get("/v1/erasures/00000000-0000-0000-0000-000000000000", headers=reader),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["code"] for answer in answers} == {"missing_scope"}


async def test_the_rules_in_force_are_shown_as_data(alerting: RunningAlerting) -> None:
    rules = (await alerting.client.get("/v1/rules")).json()["items"]
    assert [rule["rule_id"] for rule in rules][:4] == [
        "detractor_0_3",
        "detractor_4_6",
        "promoter_to_passive",
        "follow_up_requested",
    ]
    first = rules[0]
    assert (first["kind"], first["severity"], first["version"]) == ("detractor", "critical", 1)
    assert first["due"] == {"amount": 4, "unit": "business_hours"}
    assert first["conditions"] == {"survey_type": {"in": ["nps"]}, "score": {"min": 0, "max": 3}}
    assert (first["recipient"], first["informs"]) == ("owner", ["sponsor"])
