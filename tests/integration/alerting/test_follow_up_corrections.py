"""Answers that are amended, withdrawn, late or erased: what becomes of the follow-ups they had opened."""

from datetime import timedelta

from shared.events.scores import AnswerPair
from tests.integration.alerting.cases import MONDAY, Case, pair
from tests.integration.alerting.running_alerting import RunningAlerting

LATER = MONDAY + timedelta(minutes=5)


async def test_an_answer_amended_to_a_promoter_closes_the_follow_up_as_corrected(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    old, new = pair(acme.ref("r1", 2)), pair(acme.ref("r1", 9), change="new_promoter")
    await alerting.emit(acme.corrected("r1", old, new, "amended"))
    item = await alerting.only(acme, kind="detractor")
    assert (item["state"], item["outcome"], item["version"]) == ("closed", "corrected", 2)
    assert (await alerting.only(acme, state="open"))["kind"] == "new_promoter"
    last = (await alerting.get(item["follow_up_id"]))["history"][-1]
    assert (last["actor"], last["comment"]) == ("system", "the answer was amended: the score is 9 now")


async def test_an_answer_that_is_withdrawn_closes_the_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 5))
    await alerting.emit(acme.corrected("r1", pair(acme.ref("r1", 5)), AnswerPair(), "withdrawn"))
    item = await alerting.only(acme)
    assert (item["state"], item["outcome"]) == ("closed", "corrected")


async def test_an_amendment_within_the_rule_says_so_and_takes_on_what_got_worse(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.answered("r1", 5))
    before = await alerting.only(acme)
    await alerting.emit(acme.corrected("r1", pair(acme.ref("r1", 5)), pair(acme.ref("r1", 1)), "amended"))
    item = await alerting.only(acme)
    assert (item["state"], item["severity"], item["occurrences"]) == ("open", "critical", 1)
    assert item["due_at"] < before["due_at"]
    assert (item["reasons"][0], item["inhibited"]) == ("scored 1 of 10: a deep detractor", [])
    assert (await alerting.get(item["follow_up_id"]))["history"][-1]["changes"]["score"] == [5, 1]


async def test_nobody_is_asked_for_a_referral_whose_answer_was_amended_to_a_fall(
    alerting: RunningAlerting, acme: Case
) -> None:
    first, second = acme.ref("r1", 9), acme.ref("r2", 9, LATER)
    same = pair(second, first)
    await alerting.emit(acme.account(), acme.answered("r1", 9, change="new_promoter"))
    await alerting.emit(acme.answered("r2", 9, LATER, previous=first))
    await alerting.emit(acme.corrected("r2", same, same, "amended", follow_up_requested=True))
    assert (await alerting.only(acme, kind="new_promoter"))["state"] == "open"
    fallen = pair(acme.ref("r2", 7, LATER), first, "promoter_to_passive")
    await alerting.emit(acme.corrected("r2", same, fallen, "amended"))
    item = await alerting.only(acme, kind="new_promoter")
    assert (item["state"], item["outcome"], item["closed_by"]) == ("closed", "over", "facts")


async def test_who_asks_for_a_follow_up_afterwards_gets_it_besides_the_detractor_s(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.answered("r1", 2))
    two = pair(acme.ref("r1", 2))
    await alerting.emit(acme.corrected("r1", two, two, "amended", follow_up_requested=True))
    assert {item["kind"] for item in await alerting.items(acme)} == {"detractor", "follow_up_requested"}


async def test_who_asks_for_a_follow_up_afterwards_gets_one(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 9))
    nine = pair(acme.ref("r1", 9))
    await alerting.emit(acme.corrected("r1", nine, nine, "amended", follow_up_requested=True))
    assert (await alerting.only(acme))["kind"] == "follow_up_requested"


async def test_a_follow_up_stays_while_another_answer_behind_it_holds(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 5), acme.answered("r2", 3, LATER))
    await alerting.emit(
        acme.corrected("r2", pair(acme.ref("r2", 3), acme.ref("r1", 5)), pair(acme.ref("r1", 5)), "withdrawn")
    )
    item = await alerting.only(acme)
    assert (item["state"], item["occurrences"], item["severity"]) == ("open", 1, "high")
    await alerting.emit(acme.corrected("r1", pair(acme.ref("r1", 5)), AnswerPair(), "withdrawn"))
    assert (await alerting.only(acme))["outcome"] == "corrected"


async def test_an_amendment_that_makes_a_detractor_opens_a_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 9))
    assert await alerting.items(acme) == []
    old = pair(acme.ref("r1", 9), change="new_promoter")
    await alerting.emit(acme.corrected("r1", old, pair(acme.ref("r1", 4), change="new_detractor"), "amended"))
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["response_id"]) == ("detractor", "high", acme.id("r1"))


async def test_from_detractor_to_a_fall_to_passive_one_closes_and_the_other_opens(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.fell("r1", 9, 3))
    old = pair(acme.ref("r1", 3), acme.ref("r0", 9), "promoter_to_detractor")
    new = pair(acme.ref("r1", 8), acme.ref("r0", 9), "promoter_to_passive")
    await alerting.emit(acme.corrected("r1", old, new, "amended"))
    found = {(item["kind"], item["state"], item["outcome"]) for item in await alerting.items(acme)}
    assert found == {("detractor", "closed", "corrected"), ("promoter_to_passive", "open", None)}


async def test_what_somebody_closed_is_not_opened_again_by_an_amendment_of_the_same_answer(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.answered("r1", 5))
    item = await alerting.only(acme)
    await alerting.do(item["follow_up_id"], "close")
    await alerting.emit(acme.corrected("r1", pair(acme.ref("r1", 5)), pair(acme.ref("r1", 4)), "amended"))
    assert (await alerting.only(acme))["state"] == "closed"


async def test_an_answer_amended_there_and_back_opens_the_same_again(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 2))
    two, nine = pair(acme.ref("r1", 2)), pair(acme.ref("r1", 9))
    await alerting.emit(acme.corrected("r1", two, nine, "amended"))
    await alerting.emit(acme.corrected("r1", nine, two, "amended"))
    item = await alerting.only(acme, kind="detractor")
    assert (item["state"], item["outcome"], item["reason_holds"]) == ("open", None, True)


async def test_a_late_answer_between_two_ends_what_was_a_fall(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.fell("r2", 9, 8))
    old = pair(acme.ref("r2", 8), acme.ref("r0", 9), "promoter_to_passive")
    new = pair(acme.ref("r2", 8), acme.ref("r1", 7))
    await alerting.emit(acme.corrected("r1", old, new, "late"))
    item = await alerting.only(acme)
    assert (item["kind"], item["state"], item["closed_by"]) == ("promoter_to_passive", "closed", "facts")


async def test_an_old_answer_that_is_amended_opens_nothing(alerting: RunningAlerting, acme: Case) -> None:
    long_ago = MONDAY - timedelta(days=31)
    old, new = pair(acme.ref("r1", 9, long_ago)), pair(acme.ref("r1", 2, long_ago))
    await alerting.emit(acme.corrected("r1", old, new, "amended"))
    assert await alerting.items(acme) == []


async def test_an_answer_of_a_quiet_import_that_is_amended_opens_nothing(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.response("r1", 9, quiet=True))
    await alerting.emit(acme.corrected("r1", pair(acme.ref("r1", 9)), pair(acme.ref("r1", 2)), "amended"))
    assert await alerting.items(acme) == []


async def test_a_corrected_event_and_its_answer_in_one_batch_are_seen_in_order(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(
        acme.answered("r1", 2),
        acme.corrected("r1", pair(acme.ref("r1", 2)), pair(acme.ref("r1", 9)), "amended"),
        acme.answered("r2", 3, LATER),
    )
    item = await alerting.only(acme, kind="detractor", state="open")
    assert (item["response_id"], item["occurrences"]) == (acme.id("r2"), 1)


async def test_silence_opens_a_follow_up_that_the_answer_closes(alerting: RunningAlerting, acme: Case) -> None:
    """Given an open non-response task, when the answer comes, then it closes by itself as answered."""
    await alerting.emit(acme.account(tier="key"), acme.silent(14, stakeholder_type="decision_maker"))
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"]) == ("non_response", "medium")
    await alerting.emit(acme.answered("r1", 8))
    item = await alerting.only(acme)
    assert (item["state"], item["outcome"]) == ("closed", "answered")


async def test_an_open_detractor_task_inhibits_the_silence_of_the_same_person(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.answered("r1", 2, MONDAY - timedelta(days=25)), acme.silent())
    item = await alerting.only(acme)
    assert (item["kind"], item["inhibited"]) == ("detractor", ["non_response"])


async def test_a_fall_of_the_account_s_score_opens_a_follow_up_without_a_person(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.dropped(10.0, 41.5))
    item = await alerting.only(acme)
    assert (item["kind"], item["stakeholder_id"], item["response_id"]) == ("account_score_drop", None, None)
    assert item["reasons"] == ["the score of the account fell by 31.5 points"]


async def test_erasure_takes_the_person_out_and_leaves_that_there_was_a_follow_up(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(
        acme.account(), acme.person(), acme.response("r1", comment="Jane writes this"), acme.answered("r1", 2)
    )
    task = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(task, "comments", 201, comment="Jane was upset")
    await alerting.do(task, "promise", what="call Jane", by="2026-06-09T10:00:00Z")
    gone = acme.erased(alerting.environment)
    await alerting.emit(gone)
    detail = await alerting.get(task)
    assert (detail["state"], detail["outcome"]) == ("closed", "corrected")
    assert detail["stakeholder_id"].startswith("erased-")
    assert (detail["response"], detail["response_id"], detail["promise"]) == (None, None, None)
    assert "Jane" not in str(detail)
    assert "Jane" not in str(await alerting.get(task, "/why"))
    async with alerting.plumbing.database.read() as tx:
        for table in ("responses", "stakeholders", "tasks", "task_history", "task_occasions"):
            rows = await tx.all(f"select cast({table} as text) as row from {table}")  # noqa: S608 - names of ours
            assert not [row for row in rows if "Jane writes" in row["row"] or "Jane was" in row["row"]], table
    receipt = (await alerting.client.get(f"/v1/erasures/{gone.data.receipt_id}")).json()  # type: ignore[attr-defined]
    assert (receipt["responses"], receipt["follow_ups"]) == (1, 1)


async def test_what_was_recorded_before_an_erasure_stays_away_and_later_answers_count(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.erased(alerting.environment))
    await alerting.emit(acme.person(), acme.response("r1", comment="from before"), acme.answered("r1", 2))
    assert await alerting.items(acme) == []
    assert await alerting.number("select count(*) from responses where account_id = :a", a=acme.account_id) == 0
    assert await alerting.number("select count(*) from stakeholders where account_id = :a", a=acme.account_id) == 0
    after = MONDAY + timedelta(hours=2)
    await alerting.emit(acme.response("r2", recorded_at=after), acme.answered("r2", 2, after))
    assert (await alerting.only(acme))["stakeholder_id"] == "jane"
