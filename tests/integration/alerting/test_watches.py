"""What time brings about: renewals at risk, segments that turn; contacts that bounce; and what is not worth telling."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, cast

import pytest

from services.alerting.domain.default_rules import RENEWAL_NEAR
from services.alerting.handlers import watches
from services.alerting.handlers.watches import watch_renewals
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.events.scores import AccountClassChanged, AccountScoreChanged
from shared.ids import uuid7
from shared.topics import ACCOUNT_CLASS_CHANGED, ACCOUNT_SCORE_CHANGED
from tests.integration.alerting.cases import MONDAY, Case, event
from tests.integration.alerting.desk import Desk, desk
from tests.support.environment import Environment
from tests.support.polling import eventually

RENEWAL = date(2026, 9, 1)


@pytest.fixture
async def fresh(environment: Environment) -> AsyncIterator[Desk]:
    async with desk(environment) as running:
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


def class_changed(case: Case, old: str, new: str, days: float) -> Event:
    at = MONDAY + timedelta(days=days)
    data = AccountClassChanged(
        account_id=case.account_id, sequence=9, old=cast(Any, old), new=cast(Any, new), numbers={}, at=at
    )
    return event(ACCOUNT_CLASS_CHANGED, data, at)


def voices(case: Case, now: tuple[int, int], before: tuple[int, int]) -> Event:
    def figures(count: int, detractors: int) -> dict[str, Any]:
        return {"nps": 0, "response_count": count, "detractor_count": detractors}

    latest = figures(*now) | {"previous": figures(*before)}
    data = AccountScoreChanged(
        account_id=case.account_id,
        sequence=1,
        computed_at=MONDAY,
        account_class="steady",
        figures={"90d": {"latest": latest}},
    )
    return event(ACCOUNT_SCORE_CHANGED, data)


async def test_an_account_that_turns_before_its_renewal_opens_one_critical_follow_up_at_once(
    fresh: Desk, acme: Case
) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL), acme.scored(1, 10, "at_risk"))
    assert await fresh.look("renewals") == 0
    item = await fresh.only(acme)
    assert (item["kind"], item["severity"], item["stakeholder_id"]) == ("renewal_risk", "critical", None)
    assert item["reasons"] == ["renews in 85 days and is at risk"]
    assert item["due_at"] == "2026-06-10T10:00:00Z"
    await fresh.do(item["follow_up_id"], "close", outcome="resolved")
    fresh.clock.advance(timedelta(days=1))
    assert await fresh.look("renewals") == 0, "closed by hand: the same is not told again"
    await fresh.emit(acme.scored(2, -20, "silent"))
    assert len(await fresh.items(acme, state="open")) == 1, "another class is another matter"


async def test_a_renewal_date_that_is_entered_for_an_account_at_risk_opens_one_at_once(fresh: Desk, acme: Case) -> None:
    await fresh.emit(acme.account(), acme.scored(1, 10, "at_risk"))
    assert await fresh.items(acme) == []
    await fresh.emit(acme.account(minutes=1, renewal_on=RENEWAL))
    assert (await fresh.only(acme))["kind"] == "renewal_risk"


async def test_a_decision_maker_who_was_not_heard_for_long_puts_the_renewal_at_risk(fresh: Desk, acme: Case) -> None:
    old = MONDAY - timedelta(days=200)
    await fresh.emit(
        acme.account(renewal_on=RENEWAL),
        acme.person("jane", type="decision_maker"),
        acme.person("bob", type="user"),
        acme.response("r1", 9, answered_at=old, quiet=True),
        acme.response("r2", 9, stakeholder_id="bob"),
        acme.scored(1, 90, "ambassador"),
    )
    await fresh.look("renewals")
    item = await fresh.only(acme)
    assert item["reasons"] == ["renews in 85 days and no decision-maker was heard for 200 days"]


async def test_an_account_that_is_new_here_is_not_yet_unheard(fresh: Desk, acme: Case) -> None:
    later = Case(f"{acme.account_id}-later")
    await fresh.emit(
        acme.account(renewal_on=RENEWAL),
        later.account(renewal_on=date(2026, 12, 24)),
        acme.scored(1, 50, "steady"),
        later.scored(1, -100, "at_risk"),
    )
    assert await fresh.look("renewals") == 0
    fresh.clock.advance(timedelta(days=80))
    await fresh.look("renewals")
    assert await fresh.items(acme) == [], "80 days known, and nothing wrong"
    assert [item["kind"] for item in await fresh.items(later)] == ["renewal_risk"], "118 days before its renewal"


async def test_a_look_at_all_contracts_waits_for_who_holds_an_account_and_stands_in_nobody_s_way(
    fresh: Desk, acme: Case
) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL))
    async with fresh.plumbing.database.write() as tx:  # as if nobody had looked at the turn yet
        await tx.execute("delete from account_watches")
        await tx.execute(
            "insert into account_scores (account_id, sequence, account_class, figures, computed_at)"
            " values (:account_id, 1, 'at_risk', '{}', now())",
            account_id=acme.account_id,
        )
    database, resources = fresh.plumbing.database, fresh.app.state.service.resources
    async with database.write() as tx:
        await tx.execute("set local lock_timeout = '500ms'")  # sooner than a deadlock would be ended
        await tx.lock_accounts([acme.account_id])
        looking = asyncio.create_task(fresh.look("renewals"))

        async def waiting() -> int:
            return await fresh.number("select count(*) from pg_locks where locktype = 'advisory' and not granted")

        await eventually(waiting)
        assert await watch_renewals(tx, resources, [acme.account_id]) == 1
    assert await looking == 0
    assert (await fresh.only(acme))["occurrences"] == 1


async def test_what_was_acted_on_takes_no_place_among_what_is_looked_at_at_once(
    fresh: Desk, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "AT_ONCE", 1)
    later = Case(f"{acme.account_id}-later")
    await fresh.emit(acme.account(renewal_on=RENEWAL), later.account(renewal_on=RENEWAL + timedelta(days=60)))
    await fresh.emit(acme.scored(1, 10, "at_risk"), later.scored(1, 10, "at_risk"))
    assert [len(await fresh.items(one)) for one in (acme, later)] == [1, 0], "the second one renews too late"
    fresh.clock.advance(timedelta(days=30))
    assert await fresh.look("renewals") == 1
    assert len(await fresh.items(later)) == 1


async def test_a_dry_run_judges_renewals_as_they_stand(fresh: Desk, acme: Case) -> None:
    await fresh.emit(acme.account(renewal_on=RENEWAL), acme.scored(1, 10, "steady"))
    conditions = {"days_to_renewal": {"min": 0, "max": 90}, "account_class": {"in": ["steady"]}}
    body = {"changes": {"conditions": conditions}}
    answer = await fresh.client.post("/v1/rules/renewal_risk_class/dry-run", json=body)
    (item,) = answer.json()["items"]
    assert (item["event"], item["account_id"]) == (RENEWAL_NEAR, acme.account_id)


async def test_a_segment_in_which_detractors_spread_goes_to_the_leader_once_a_month(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_LEADER_EMAIL", "lena@supplier.example")
    async with desk(environment) as alerting:
        other = Case(f"{acme.account_id}-other")
        await alerting.emit(
            acme.account(industry="logistics", tier="key"),
            other.account(industry="logistics", tier="small"),
            voices(acme, (60, 24), (60, 6)),
            voices(other, (20, 3), (20, 2)),
        )
        assert await alerting.look("segments") == 2
        items = (await alerting.client.get("/v1/follow-ups", params={"kind": "segment_drop"})).json()["items"]
        assert {item["account_id"]: item["reasons"] for item in items} == {
            "segment/industry/logistics": ["industry logistics: detractors went from 10 to 33.8 per cent"],
            "segment/tier/key": ["tier key: detractors went from 10 to 40 per cent"],
        }
        assert {item["owner"]["email"] for item in items} == {"lena@supplier.example"}
        detail = await alerting.get(items[0]["follow_up_id"])
        assert detail["title"] in ("More detractors in a segment: logistics", "More detractors in a segment: key")
        assert await alerting.look("segments") == 0
        alerting.clock.advance(timedelta(days=31))
        assert await alerting.look("segments") == 2
        items = (await alerting.client.get("/v1/follow-ups", params={"kind": "segment_drop"})).json()["items"]
        assert [item["occurrences"] for item in items] == [2, 2]


async def test_a_bounced_invitation_opens_one_low_follow_up_that_an_answer_closes(alerting: Desk, acme: Case) -> None:
    bounce = bounced(acme)
    await alerting.emit(
        acme.account(), acme.person(), bounced(acme, "sent"), bounced(acme, "delivered"), bounce, bounce
    )
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["stakeholder_id"]) == ("bounced_contact", "low", "jane")
    assert (item["occurrences"], item["reasons"]) == (1, ["an invitation to them came back"])
    await alerting.emit(acme.silent(furthest="bounced"))
    assert (await alerting.only(acme))["inhibited"] == ["non_response"], "one lost contact is one follow-up"
    await alerting.emit(acme.answered("r1", 8))
    assert (await alerting.only(acme))["outcome"] == "answered"


async def test_a_bounce_of_long_ago_or_of_somebody_erased_opens_nothing(
    alerting: Desk, acme: Case, module_environment: Environment
) -> None:
    await alerting.emit(bounced(acme, days=31))
    await alerting.emit(acme.erased(module_environment, "bob"))
    await alerting.emit(bounced(acme, stakeholder_id="bob"))
    assert await alerting.items(acme) == []


async def test_an_account_that_turns_and_a_new_promoter_are_told_from_the_first_day_on(
    alerting: Desk, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 9), acme.answered("r1", 9, change="new_promoter"))
    promoter = await alerting.only(acme)
    assert (promoter["kind"], promoter["severity"], promoter["due_at"]) == (
        "new_promoter",
        "low",
        "2026-06-22T10:00:00Z",
    )
    await alerting.emit(class_changed(acme, "steady", "at_risk", days=1))
    assert {item["kind"] for item in await alerting.items(acme)} == {"account_class_changed", "new_promoter"}


async def test_nobody_is_asked_for_a_referral_who_has_fallen_since(alerting: Desk, acme: Case) -> None:
    later = MONDAY + timedelta(hours=1)
    await alerting.emit(acme.account(), acme.answered("r1", 9, change="new_promoter"))
    await alerting.emit(acme.fell("r2", 9, 7, later))
    found = {item["kind"]: (item["state"], item["outcome"]) for item in await alerting.items(acme)}
    assert found == {"new_promoter": ("closed", "answered"), "promoter_to_passive": ("open", None)}


async def test_where_the_first_answers_put_an_account_is_no_turn(alerting: Desk, acme: Case) -> None:
    await alerting.emit(acme.account(), class_changed(acme, "unknown", "at_risk", days=0))
    assert await alerting.items(acme) == []


async def test_an_open_detractor_takes_in_what_is_about_the_account_and_leaves_colleagues_alone(
    alerting: Desk, acme: Case
) -> None:
    late = MONDAY + timedelta(days=40)
    await alerting.emit(acme.account(), acme.response("r0", 9), acme.answered("r1", 2, late))
    await alerting.emit(
        acme.dropped(10, 40),
        class_changed(acme, "steady", "at_risk", days=40),
        acme.answered("r2", 10, late, change="new_promoter", stakeholder_id="bob"),
    )
    items = {item["kind"]: item for item in await alerting.items(acme)}
    assert set(items) == {"detractor", "new_promoter"}
    assert items["detractor"]["inhibited"] == ["account_score_drop", "account_class_changed"]


async def test_a_recovery_is_a_chance_also_while_the_call_about_the_low_score_is_open(
    alerting: Desk, acme: Case
) -> None:
    later = MONDAY + timedelta(hours=2)
    await alerting.emit(acme.account(), acme.fell("r1", 4, 9))
    assert (await alerting.only(acme))["kind"] == "recovered"
    await alerting.emit(
        acme.answered("r2", 3, stakeholder_id="bob"), acme.fell("r3", 3, 8, later, stakeholder_id="bob")
    )
    bobs = {item["kind"]: item["inhibited"] for item in await alerting.items(acme, stakeholder_id="bob")}
    assert bobs == {"detractor": [], "recovered": []}
