"""What time brings about: renewals at risk, segments that turn; contacts that bounce; and what is not worth telling."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, cast

import pytest

from services.alerting.domain.default_rules import RENEWAL_NEAR
from services.alerting.handlers import watches
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.events.scores import AccountScoreChanged
from shared.ids import uuid7
from shared.topics import ACCOUNT_SCORE_CHANGED
from tests.integration.alerting.cases import MONDAY, Case, event
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

RENEWAL = date(2026, 9, 1)


@pytest.fixture
async def fresh(environment: Environment) -> AsyncIterator[RunningAlerting]:
    async with running_alerting(environment) as running:
        yield running


def bounced(case: Case, kind: str = "bounced", days: float = 0, **fields: Any) -> Event:
    at = MONDAY - timedelta(days=days)
    event_id = uuid7()
    values: dict[str, Any] = {
        "invitation_id": "i1",
        "stakeholder_id": "jane",
        "at": at,
        "recorded_at": MONDAY,
        "channel": "email",
    }
    data = InvitationFact(event_id=event_id, account_id=case.account_id, kind=cast(Any, kind), **values | fields)
    return event(f"invitation.{kind}", data, at, event_id)


def voices(case: Case, now: tuple[int, int], before: tuple[int, int], sequence: int = 1) -> Event:
    def figures(count: int, detractors: int) -> dict[str, Any]:
        return {"nps": 0, "response_count": count, "detractor_count": detractors}

    latest = figures(*now) | {"previous": figures(*before)}
    data = AccountScoreChanged(
        account_id=case.account_id,
        sequence=sequence,
        computed_at=MONDAY,
        account_class="steady",
        figures={"90d": {"latest": latest}},
    )
    return event(ACCOUNT_SCORE_CHANGED, data)


async def test_an_account_that_turns_before_its_renewal_opens_one_critical_follow_up_at_once(
    fresh: RunningAlerting, acme: Case
) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL), acme.turned("steady", "at_risk"))
    item = await fresh.only(acme, kind="renewal_risk")
    assert (item["severity"], item["stakeholder_id"]) == ("critical", None)
    assert item["reasons"] == ["renews in 85 days and is at risk"]
    assert item["due_at"] == "2026-06-10T10:00:00Z"
    await fresh.run_timer("renewals")
    assert (await fresh.only(acme, kind="renewal_risk"))["version"] == 1
    await fresh.do(item["follow_up_id"], "close", outcome="resolved")
    fresh.clock.advance(timedelta(days=1))
    await fresh.run_timer("renewals")
    assert (await fresh.only(acme, kind="renewal_risk"))["state"] == "closed", "the same is not told again"
    await fresh.emit(acme.turned("at_risk", "silent", 10))
    assert len(await fresh.items(acme, state="open", kind="renewal_risk")) == 1, "another class is another matter"


async def test_a_snapshot_alone_opens_no_renewal_before_the_daily_watch_and_ends_one_at_once(
    fresh: RunningAlerting, acme: Case
) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL))
    await fresh.emit(acme.scored(1, 10, "at_risk"))
    assert await fresh.items(acme) == []
    assert await fresh.run_timer("renewals") == 1
    assert await fresh.run_timer("renewals") == 0, "once a day"
    assert (await fresh.only(acme))["kind"] == "renewal_risk"
    await fresh.emit(acme.scored(2, 60, "ambassador"))
    item = await fresh.only(acme)
    assert (item["state"], item["outcome"], item["closed_by"]) == ("closed", "over", "facts")


async def test_the_daily_watch_begins_at_eight_of_a_business_day(fresh: RunningAlerting, acme: Case) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL))
    await fresh.emit(acme.scored(1, 10, "at_risk"))
    fresh.clock.advance(-timedelta(hours=2, minutes=1))
    assert await fresh.run_timer("renewals") == 0
    fresh.clock.advance(timedelta(minutes=1))
    assert await fresh.run_timer("renewals") == 1


async def test_a_contract_that_was_renewed_ends_what_is_open_about_it(fresh: RunningAlerting, acme: Case) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL), acme.turned("steady", "at_risk"))
    await fresh.emit(acme.decided("contract_renewed"))
    item = await fresh.only(acme, kind="renewal_risk")
    assert (item["state"], item["outcome"]) == ("closed", "over")


async def test_a_renewal_date_that_is_entered_for_an_account_at_risk_opens_one_at_once(
    fresh: RunningAlerting, acme: Case
) -> None:
    await fresh.emit(acme.account(), acme.scored(1, 10, "at_risk"))
    assert await fresh.items(acme) == []
    await fresh.emit(acme.account(minutes=1, renewal_on=RENEWAL))
    assert (await fresh.only(acme))["kind"] == "renewal_risk"


async def test_a_decision_maker_who_was_not_heard_for_long_puts_the_renewal_at_risk(
    fresh: RunningAlerting, acme: Case
) -> None:
    old = MONDAY - timedelta(days=200)
    await fresh.emit(
        acme.account(renewal_on=RENEWAL),
        acme.person("jane", type="decision_maker"),
        acme.person("bob", type="user"),
        acme.response("r1", 9, answered_at=old, quiet=True),
        acme.response("r2", 8, stakeholder_id="bob"),
        acme.scored(1, 90, "ambassador"),
    )
    await fresh.run_timer("renewals")
    item = await fresh.only(acme)
    assert item["reasons"] == ["renews in 85 days and no decision-maker was heard for 200 days"]
    await fresh.emit(acme.response("r3", 8, quiet=True))
    assert (await fresh.only(acme))["outcome"] == "over", "a quiet answer of a decision-maker ends it"


async def test_an_account_that_is_new_here_is_not_yet_unheard(fresh: RunningAlerting, acme: Case) -> None:
    later = Case(f"{acme.account_id}-later")
    await fresh.emit(acme.account(renewal_on=RENEWAL), later.account(renewal_on=date(2026, 12, 24)))
    await fresh.emit(acme.scored(1, 50, "steady"), later.scored(1, -100, "at_risk"))
    await fresh.run_timer("renewals")
    assert await fresh.items(acme) == await fresh.items(later) == []
    fresh.clock.advance(timedelta(days=80))
    await fresh.run_timer("renewals")
    assert await fresh.items(acme) == [], "80 days known, and nothing wrong"
    assert [item["kind"] for item in await fresh.items(later)] == ["renewal_risk"], "118 days before its renewal"


async def test_a_watch_of_many_accounts_goes_on_where_it_was(
    fresh: RunningAlerting, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "AT_ONCE", 1)
    other = Case(f"{acme.account_id}-other")
    await fresh.emit(acme.account(renewal_on=RENEWAL), other.account(renewal_on=RENEWAL))
    await fresh.emit(acme.scored(1, 10, "at_risk"), other.scored(1, 10, "at_risk"))
    assert [await fresh.run_timer("renewals") for _ in range(3)] == [1, 1, 0]
    assert [len(await fresh.items(case)) for case in (acme, other)] == [1, 1]


async def test_a_dry_run_takes_renewals_as_they_stand(fresh: RunningAlerting, acme: Case) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL), acme.scored(1, 10, "steady"))
    conditions = {"days_to_renewal": {"min": 0, "max": 90}, "account_class": {"in": ["steady"]}}
    body = {"changes": {"conditions": conditions}}
    answer = await fresh.client.post("/v1/rules/renewal_risk_class/dry-run", json=body)
    (item,) = answer.json()["items"]
    assert (item["event"], item["account_id"]) == (RENEWAL_NEAR, acme.account_id)


async def test_a_segment_in_which_detractors_spread_goes_to_the_leader_until_it_is_no_more_than_chance(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_LEADER_EMAIL", "lena@supplier.example")
    async with running_alerting(environment) as alerting:
        other = Case(f"{acme.account_id}-other")
        await alerting.emit(
            acme.account(industry="logistics", tier="key"),
            other.account(industry="logistics", tier="small"),
            voices(acme, (60, 24), (60, 6)),
            voices(other, (20, 3), (20, 2)),
        )
        alerting.clock.advance(timedelta(days=1))  # the watch of the first day is over
        assert await alerting.run_timer("segments") == 2
        items = (await alerting.client.get("/v1/follow-ups", params={"kind": "segment_drop"})).json()["items"]
        assert {item["account_id"]: item["reasons"] for item in items} == {
            "segment/industry/logistics": ["industry logistics: detractors went from 10 to 33.8 per cent"],
            "segment/tier/key": ["tier key: detractors went from 10 to 40 per cent"],
        }
        assert {item["owner"]["email"] for item in items} == {"lena@supplier.example"}
        detail = await alerting.get(items[0]["follow_up_id"])
        assert detail["title"] in ("More detractors in a segment: logistics", "More detractors in a segment: key")
        assert await alerting.run_timer("segments") == 0
        alerting.clock.advance(timedelta(days=1))
        await alerting.emit(voices(acme, (60, 6), (60, 6), 2))
        assert await alerting.run_timer("segments") == 2
        items = (await alerting.client.get("/v1/follow-ups", params={"kind": "segment_drop"})).json()["items"]
        assert {item["outcome"] for item in items} == {"over"}


async def test_a_bounced_invitation_opens_one_low_follow_up_that_an_answer_closes(
    alerting: RunningAlerting, acme: Case
) -> None:
    bounce = bounced(acme)
    await alerting.emit(
        acme.account(), acme.person(), bounced(acme, "sent"), bounced(acme, "delivered"), bounce, bounce
    )
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["stakeholder_id"]) == ("bounced_contact", "low", "jane")
    assert (item["occurrences"], item["reasons"]) == (1, ["an invitation to them came back"])
    await alerting.emit(acme.silent(furthest="bounced"))
    assert (await alerting.only(acme))["inhibited"] == ["non_response"], "one lost contact is one follow-up"
    await alerting.emit(acme.answered("r1", 8, MONDAY + timedelta(minutes=5)))
    assert (await alerting.only(acme))["outcome"] == "answered"


async def test_a_second_bounce_from_a_corrected_address_opens_a_follow_up_again(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.person(), bounced(acme, days=3))
    task = await alerting.only(acme)
    changed: dict[str, Any] = {"email_changed_at": MONDAY - timedelta(days=2), "recorded_at": MONDAY}
    await alerting.emit(acme.person(email="jane.new@acme.example", **changed))
    assert (await alerting.only(acme))["state"] == "closed"
    await alerting.emit(bounced(acme, days=1), bounced(acme, days=3))
    again = await alerting.only(acme)
    assert (again["follow_up_id"], again["state"]) == (task["follow_up_id"], "open")


async def test_a_bounce_of_long_ago_or_of_somebody_erased_opens_nothing(
    alerting: RunningAlerting, acme: Case, module_environment: Environment
) -> None:
    await alerting.emit(bounced(acme, days=31))
    await alerting.emit(acme.erased(module_environment, "bob"))
    await alerting.emit(bounced(acme, stakeholder_id="bob"))
    assert await alerting.items(acme) == []


async def test_an_account_that_turns_and_a_new_promoter_are_told_from_the_first_day_on(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 9), acme.answered("r1", 9, change="new_promoter"))
    promoter = await alerting.only(acme)
    assert (promoter["kind"], promoter["severity"], promoter["due_at"]) == (
        "new_promoter",
        "low",
        "2026-06-22T10:00:00Z",
    )
    await alerting.emit(acme.turned("steady", "at_risk", days=1))
    assert {item["kind"] for item in await alerting.items(acme)} == {"account_class_changed", "new_promoter"}


async def test_nobody_is_asked_for_a_referral_who_has_fallen_since(alerting: RunningAlerting, acme: Case) -> None:
    later = MONDAY + timedelta(hours=1)
    await alerting.emit(acme.account(), acme.answered("r1", 9, change="new_promoter"))
    await alerting.emit(acme.fell("r2", 9, 7, later))
    found = {item["kind"]: (item["state"], item["outcome"]) for item in await alerting.items(acme)}
    assert found == {"new_promoter": ("closed", "over"), "promoter_to_passive": ("open", None)}


async def test_where_the_first_answers_put_an_account_is_no_turn(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.turned("unknown", "at_risk"))
    assert await alerting.items(acme) == []


async def test_an_open_detractor_takes_in_what_is_about_the_account_and_leaves_colleagues_alone(
    alerting: RunningAlerting, acme: Case
) -> None:
    late = MONDAY + timedelta(days=40)
    await alerting.emit(acme.account(), acme.response("r0", 8), acme.answered("r1", 2, late))
    await alerting.emit(
        acme.dropped(10, 40),
        acme.turned("steady", "at_risk", days=40),
        acme.answered("r2", 10, late, change="new_promoter", stakeholder_id="bob"),
    )
    items = {item["kind"]: item for item in await alerting.items(acme)}
    assert set(items) == {"detractor", "new_promoter"}
    assert items["detractor"]["inhibited"] == ["account_score_drop", "account_class_changed"]


async def test_a_recovery_ends_the_call_about_the_low_score_and_is_a_chance(
    alerting: RunningAlerting, acme: Case
) -> None:
    later = MONDAY + timedelta(hours=2)
    await alerting.emit(acme.account(), acme.fell("r1", 4, 9))
    assert (await alerting.only(acme))["kind"] == "recovered"
    await alerting.emit(acme.answered("r2", 3, stakeholder_id="bob"))
    await alerting.emit(acme.fell("r3", 3, 8, later, stakeholder_id="bob"))
    bobs = {item["kind"]: item["outcome"] for item in await alerting.items(acme, stakeholder_id="bob")}
    assert bobs == {"detractor": "improved", "recovered": None}
