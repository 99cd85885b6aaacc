"""Several detractors of one account at about the same time: one follow-up of the account instead of one each."""

from datetime import timedelta

from shared.events.scores import AnswerPair
from tests.integration.alerting.cases import MONDAY, Case
from tests.integration.alerting.running_alerting import Item, RunningAlerting

EIGHT = ("ann", "bob", "cem", "dee", "fay", "gil", "hal", "eve")


async def burst(alerting: RunningAlerting, acme: Case, people: tuple[str, ...] = EIGHT) -> Item:
    """The account's follow-up after all of them were unhappy within the hour."""
    await alerting.emit(acme.account())
    events = [
        acme.answered(f"r-{name}", 3, MONDAY + timedelta(minutes=5 * number), stakeholder_id=name)
        for number, name in enumerate(people)
    ]
    for event in events:  # one by one: those of the same batch as the eighth open nothing of their own
        await alerting.emit(event)
    return await alerting.only(acme, kind="detractor_burst")


async def test_from_the_eighth_detractor_within_a_day_on_there_is_one_follow_up_of_the_account(
    alerting: RunningAlerting, acme: Case
) -> None:
    """Given an account, when eight people turn detractor inside the window, then one task for the account takes in all
    of them and who follows inside it; what was open about one of them closes, superseded."""
    grouped = await burst(alerting, acme)
    assert (grouped["severity"], grouped["stakeholder_id"], grouped["response_id"]) == ("critical", None, None)
    assert grouped["reasons"] == ["8 people gave a detractor's score at about the same time"]
    assert grouped["inhibited"] == ["detractor"]
    own = await alerting.items(acme, kind="detractor")
    assert [item["outcome"] for item in own] == ["superseded"] * 7

    later = acme.answered("r-ida", 1, MONDAY + timedelta(hours=2), stakeholder_id="ida")
    await alerting.emit(later)
    grouped = await alerting.only(acme, state="open")
    assert (grouped["occurrences"], grouped["reasons"][0][:8]) == (1, "9 people")
    why = await alerting.get(grouped["follow_up_id"], "/why")
    taken_in = {trigger["stakeholder_id"] for trigger in why["triggers"] if trigger["role"] == "taken_in"}
    assert taken_in == {*EIGHT, "ida"}


async def test_detractors_days_apart_are_no_burst(alerting: RunningAlerting, acme: Case) -> None:
    events = [
        acme.answered(f"r-{name}", 3, MONDAY + timedelta(hours=4 * number), stakeholder_id=name)
        for number, name in enumerate(EIGHT)
    ]
    await alerting.emit(acme.account(), *events)
    assert [item["kind"] for item in await alerting.items(acme)] == ["detractor"] * 8


async def test_one_person_who_answers_ten_times_is_no_burst(alerting: RunningAlerting, acme: Case) -> None:
    events = [acme.answered(f"r{number}", 2, MONDAY + timedelta(minutes=number)) for number in range(10)]
    await alerting.emit(acme.account(), *events)
    only = await alerting.only(acme)
    assert (only["kind"], only["occurrences"]) == ("detractor", 10)


async def test_an_open_burst_takes_in_what_is_about_the_account(alerting: RunningAlerting, acme: Case) -> None:
    """Inhibition by account: a drop of the score says nothing that the burst has not said."""
    grouped = await burst(alerting, acme)
    await alerting.emit(acme.dropped(-40, 10))
    after = await alerting.get(grouped["follow_up_id"])
    assert "account_score_drop" in after["inhibited"]
    assert await alerting.items(acme, kind="account_score_drop") == []


async def test_where_one_of_eight_answers_is_withdrawn_the_other_seven_get_their_own(
    alerting: RunningAlerting, acme: Case
) -> None:
    grouped = await burst(alerting, acme)
    pair = AnswerPair(latest=acme.ref("r-eve", 3))
    await alerting.emit(acme.corrected("r-eve", pair, AnswerPair(), "withdrawn", stakeholder_id="eve"))
    after = await alerting.get(grouped["follow_up_id"])
    assert (after["state"], after["outcome"], after["closed_by"]) == ("closed", "over", "facts")
    assert {item["stakeholder_id"] for item in await alerting.items(acme, state="open")} == set(EIGHT[:7])


async def test_a_dry_run_counts_a_burst_as_one(alerting: RunningAlerting, acme: Case) -> None:
    await burst(alerting, acme, (*EIGHT, "ida"))
    asked = {"changes": {"conditions": {"burst": {"min": 8}}}, "until": (MONDAY + timedelta(days=1)).isoformat()}
    answer = await alerting.client.post("/v1/rules/detractor_burst/dry-run", json=asked)
    mine = [item for item in answer.json()["items"] if item["account_id"] == acme.account_id]
    assert [item["kind"] for item in mine] == ["detractor_burst"]
