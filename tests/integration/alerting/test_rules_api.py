"""Rules through the API: versions, switching on and off, and dry-runs on events that really came."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

RULE: dict[str, Any] = {
    "kind": "lukewarm",
    "label": "Lukewarm",
    "event": "stakeholder.answered",
    "conditions": {"survey_type": {"in": ["nps"]}, "score": {"min": 7, "max": 7}},
    "severity": "medium",
    "due": {"amount": 2, "unit": "business_days"},
    "reason": "scored $score of 10: lukewarm",
    "playbook": "Ask what would have made it a nine.",
    "escalation": [{"after": {"amount": 4, "unit": "business_hours"}, "to": "leader"}],
}


async def call(running_alerting: RunningAlerting, method: str, path: str, status: int = 200, **options: Any) -> Any:
    answer = await running_alerting.client.request(method, f"/v1/rules{path}", **options)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_new_rule_is_in_force_at_once_and_every_version_is_kept(alerting: RunningAlerting, acme: Case) -> None:
    made = await call(alerting, "PUT", "/lukewarm", 201, json=RULE)
    assert (made["version"], made["enabled"], made["created_by"][:4]) == (1, True, "key:")
    await alerting.emit(acme.account(), acme.answered("r1", 7))
    item = await alerting.only(acme)
    assert (item["kind"], item["reasons"]) == ("lukewarm", ["scored 7 of 10: lukewarm"])

    await call(alerting, "PATCH", "/lukewarm", json={"severity": "high", "version": 1})
    written = await call(alerting, "PUT", "/lukewarm", json=RULE | {"enabled": False})
    assert (written["version"], written["severity"], written["enabled"]) == (3, "medium", False)
    versions = (await call(alerting, "GET", "/lukewarm/versions"))["items"]
    assert [(version["version"], version["severity"]) for version in versions] == [
        (3, "medium"),
        (2, "high"),
        (1, "medium"),
    ]
    await alerting.emit(acme.answered("r2", 7, stakeholder_id="bob"))
    assert len(await alerting.items(acme)) == 1, "the rule is switched off"


async def test_a_follow_up_of_the_account_about_single_people_needs_a_burst(alerting: RunningAlerting) -> None:
    problem = await call(alerting, "PUT", "/all_silent", 422, json=RULE | {"about": "account", "enabled": False})
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("about", "needs_burst")]
    counted = {"about": "account", "enabled": False, "conditions": {"burst": {"min": 3}}}
    await call(alerting, "PUT", "/several", 201, json=RULE | counted)


async def test_the_same_rule_again_makes_no_version(alerting: RunningAlerting) -> None:
    await call(alerting, "PUT", "/same", 201, json=RULE | {"enabled": False})
    again = await call(alerting, "PUT", "/same", json=RULE | {"enabled": False})
    assert again["version"] == 1


async def test_a_running_follow_up_keeps_the_policy_under_which_it_was_opened(
    environment: Environment, acme: Case
) -> None:
    """A changed policy leaves the times of what is open; what opens then has the new ones."""
    async with running_alerting(environment) as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        first = await alerting.only(acme)
        changed = {"due": {"amount": 1, "unit": "business_hours"}}
        await call(alerting, "PATCH", "/detractor_0_3", json=changed)
        await alerting.emit(acme.answered("r2", 2, stakeholder_id="bob"))
        found = {item["stakeholder_id"]: item["due_at"] for item in await alerting.items(acme)}
        assert found == {"jane": "2026-06-08T14:00:00Z", "bob": "2026-06-08T11:00:00Z"}
        why = await alerting.get(first["follow_up_id"], "/why")
        assert (why["rule"]["version"], why["rule"]["due"]["amount"]) == (1, 4)


async def test_two_who_change_the_same_version_are_told_apart(alerting: RunningAlerting) -> None:
    rule = await call(alerting, "PUT", "/contested", 201, json=RULE | {"enabled": False})
    headers = {"If-Match": f'"{rule["version"]}"'}
    await call(alerting, "PATCH", "/contested", json={"severity": "low"}, headers=headers)
    stale = await call(alerting, "PATCH", "/contested", 409, json={"severity": "high"}, headers=headers)
    assert stale["code"] == "stale_version"
    await call(alerting, "PUT", "/not_yet", 409, json=RULE | {"version": 3})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event": "full_moon"}, "event"),
        ({"conditions": {"shoe_size": {"min": 1}}}, "conditions"),
        ({"conditions": {"score": {"like": 1}}}, "conditions"),
        ({"conditions": {"score": {"min": "7"}}}, "conditions"),
        ({"conditions": {"score": {"in": []}}}, "conditions"),
        ({"reason": "scored $shoe_size"}, "reason"),
        ({"reason": "costs 5 $"}, "reason"),
        ({"severity": "awful"}, "severity"),
        ({"due": {"amount": -1, "unit": "business_days"}}, "due.amount"),
        ({"due": {"amount": 1, "unit": "fortnights"}}, "due.unit"),
        ({"recipient": "nobody"}, "recipient"),
        ({"escalation": [{"after": {"amount": 1, "unit": "business_days"}, "to": "pope"}]}, "escalation.0.to"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused_by_field(
    alerting: RunningAlerting, changes: dict[str, Any], field: str
) -> None:
    problem = await call(alerting, "PUT", "/nonsense", 422, json=RULE | changes)
    assert [error["field"] for error in problem["errors"]] == [field]
    await call(alerting, "GET", "/nonsense", 404)


async def test_who_may_not_manage_or_knows_one_owner_only_changes_no_rule(alerting: RunningAlerting) -> None:
    reader = await alerting.key("read", "act")
    limited = await alerting.key("read", "manage", owner_email=OLIVIA)
    for headers in (reader, limited):
        await call(alerting, "PATCH", "/detractor_0_3", 403, json={"enabled": False}, headers=headers)
        await call(alerting, "PUT", "/mine", 403, json=RULE, headers=headers)
    await call(alerting, "PATCH", "/unknown_rule", 404, json={"enabled": False})


async def test_a_dry_run_says_what_a_changed_rule_would_have_opened(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        people = [f"p{number}" for number in range(20)]
        answers = [acme.answered(f"r{name}", 7 if name < "p14" else 8, stakeholder_id=name) for name in sorted(people)]
        await alerting.emit(acme.account(), *answers)
        assert await alerting.items(acme) == []
        sevens = sum(name < "p14" for name in people)
        alerting.clock.advance(timedelta(hours=1))

        whole = await call(alerting, "POST", "/dry-run", json={"rules": [RULE | {"rule_id": "lukewarm"}]})
        assert (whole["considered"], whole["would_open"], whole["opens_now"]) == (20, sevens, 0)
        assert whole["sentence"] == f"would have opened {sevens} tasks"
        assert {item["stakeholder_id"] for item in whole["items"]} == {name for name in people if name < "p14"}
        assert {item["kind"] for item in whole["items"]} == {"lukewarm"}

        changes = {"conditions": {"survey_type": {"in": ["nps"]}, "score": {"max": 8}}}
        result = await call(alerting, "POST", "/detractor_0_3/dry-run", json={"changes": changes})
        assert (result["would_open"], result["opens_now"]) == (20, 0)
        asleep = await call(alerting, "POST", "/new_promoter/dry-run")
        assert asleep["would_open"] == 0
        later = await call(alerting, "POST", "/dry-run", json={"since": "2026-06-08T10:30:00Z"})
        assert later["considered"] == 0
        assert await alerting.items(acme) == [], "nothing was opened"
        assert (await call(alerting, "GET", "/detractor_0_3"))["version"] == 1
        await call(
            alerting, "POST", "/dry-run", 422, json={"since": "2026-06-08T10:30:00Z", "until": "2026-06-08T10:00:00Z"}
        )


async def test_a_dry_run_of_one_owner_knows_that_owners_accounts_only(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    alerting.clock.advance(timedelta(minutes=1))
    stranger = await alerting.key("read", owner_email="else@supplier.example")
    none = await call(alerting, "POST", "/dry-run", headers=stranger)
    assert none["considered"] == 0
    hers = await call(alerting, "POST", "/dry-run", headers=await alerting.key("read", owner_email=OLIVIA))
    assert acme.account_id in {item["account_id"] for item in hers["items"]}


async def test_what_was_withdrawn_or_erased_is_no_event_of_the_past(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        await alerting.emit(acme.response("r1"), acme.answered("r1", 2), acme.answered("r2", 2, stakeholder_id="bob"))
        alerting.clock.advance(timedelta(days=1))
        assert (await call(alerting, "POST", "/dry-run"))["considered"] == 2
        await alerting.emit(acme.erased(environment))
        found = await call(alerting, "POST", "/dry-run")
        assert [item["stakeholder_id"] for item in found["items"]] == ["bob"]
        assert found["since"] < MONDAY.isoformat()
