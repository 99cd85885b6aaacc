"""What outreach learns of people and asks from the log, in whatever order and however often it comes."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from shared.events.files import Origin
from shared.verdicts import Outcome
from tests.support.outreach import (
    DAY,
    NOW,
    Asking,
    account,
    account_removed,
    amended,
    answer_to,
    answered,
    invited,
    person,
    person_removed,
    undone,
    withdrawn,
)


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann and Bob at Acme."""
    await desk.take(account(), person(), person("bob"))


async def test_the_last_answer_is_the_same_in_every_order_and_however_often_it_comes(desk: Asking) -> None:
    events = [
        answered(NOW - 20 * DAY, "r-1"),
        answered(NOW - 10 * DAY, "r-2"),
        amended("r-2", {"test": True}, NOW - 9 * DAY),
        withdrawn("r-3", NOW - 8 * DAY),
        answered(NOW - 9 * DAY, "r-3"),
    ]
    for order in list(permutations(events))[::7]:
        async with desk.database.write() as tx:
            await tx.execute("delete from answers")
        await desk.take(*order)
        await desk.take(*order[::-1])
        row = await desk.link(handed_over=False)
        assert row["problem"]["again_at"] == "2026-08-08T10:00:00Z", "80 days after the answer r-1, which alone counts"


async def test_an_amendment_takes_the_mark_of_a_test_away_again(desk: Asking) -> None:
    await desk.take(answered(NOW, test=True))
    assert await desk.reason(handed_over=False) is None
    await desk.take(amended("r-1", {"test": False}, NOW + DAY), amended("r-1", {"test": True}, NOW))
    assert await desk.reason(handed_over=False) == "already_answered"


async def test_answers_of_an_undone_import_count_until_another_record_of_them_comes(desk: Asking) -> None:
    imports = [uuid4(), uuid4()]
    files = [Origin(import_id, 1, "upsert", NOW).header() for import_id in imports]
    await desk.take(answered(NOW - DAY, file=files[0]))
    assert await desk.reason(handed_over=False) == "already_answered"
    await desk.take(undone(imports[0], NOW))
    assert await desk.reason(handed_over=False) is None
    await desk.take(answered(NOW - DAY, file=files[0]))
    assert await desk.reason(handed_over=False) is None
    await desk.take(answered(NOW - DAY, file=files[1], recorded_at=NOW))
    assert await desk.reason(handed_over=False) == "already_answered"


async def test_a_record_is_new_once_and_a_repeat_afterwards(desk: Asking) -> None:
    event = answered(NOW)
    outcomes = [verdict.outcome for verdict in await desk.take(event, event)]
    assert outcomes == [Outcome.NEW, Outcome.REPEAT]
    assert [verdict.outcome for verdict in await desk.take(event)] == [Outcome.REPEAT]


async def test_an_answer_marks_the_ask_whoever_posted_it(desk: Asking) -> None:
    sent, waiting = await both(desk)
    at = NOW + timedelta(hours=2)
    await desk.take(answer_to(sent, at + DAY), answered(at, "other-id", invitation_id=sent))
    await desk.take(answer_to(waiting, at, stakeholder_id="bob"))
    for ask_id in (sent, waiting):
        ask = await desk.get(f"/v1/asks/{ask_id}")
        assert (ask["state"], ask["outcome"], ask["answered_at"]) == ("sent", "answered", "2026-06-09T12:00:00Z")
    assert (await desk.get(f"/v1/asks/{waiting}"))["sent_at"] == "2026-06-09T12:00:00Z"


async def test_a_test_answer_and_one_at_another_account_mark_nothing(desk: Asking) -> None:
    ask_id = (await desk.link())["invitation_id"]
    await desk.take(answer_to(ask_id, NOW, test=True), answer_to(ask_id, NOW, "beta"))
    await desk.take(invited("bounced", NOW, ask_id, "beta"))
    assert (await desk.get(f"/v1/asks/{ask_id}"))["outcome"] == "open"


async def test_facts_mark_an_ask_by_their_first_moment(desk: Asking) -> None:
    ask_id = (await desk.link())["invitation_id"]
    for kind in ("opened", "started", "bounced", "unsubscribed"):
        await desk.take(invited(kind, NOW + DAY, ask_id))
        await desk.take(invited(kind, NOW + 2 * DAY, ask_id))
    await desk.take(invited("reminded", NOW + DAY, ask_id), invited("reminded", NOW + 7 * DAY, ask_id))
    ask = await desk.get(f"/v1/asks/{ask_id}")
    for kind in ("opened", "started", "bounced", "unsubscribed"):
        assert ask[f"{kind}_at"] == "2026-06-10T10:00:00Z"
    assert ask["reminded_at"] == "2026-06-16T10:00:00Z"


async def test_own_asks_count_for_their_kind_and_foreign_ones_for_both(desk: Asking) -> None:
    await desk.survey("srv_csat", nps_kind="transactional")
    ask_id = (await desk.link())["invitation_id"]
    await desk.take(invited("sent", NOW, ask_id))
    desk.clock.advance(15 * DAY)
    assert await desk.reason(survey_id="srv_csat", handed_over=False) is None
    await desk.take(invited("sent", NOW, stakeholder_id="bob"))
    assert await desk.reason("bob", survey_id="srv_csat", handed_over=False) == "quarantine"
    assert await desk.reason("bob", handed_over=False) == "quarantine"


@pytest.mark.parametrize("by", ["person", "account", "closed"])
async def test_c13_who_leaves_is_not_asked_and_sent_links_stay(desk: Asking, by: str) -> None:
    sent, waiting = await both(desk)
    events = {
        "person": [person_removed(), person_removed("bob")],
        "account": [account_removed()],
        "closed": [account(closed_on=NOW.date(), recorded_at=NOW + DAY)],
    }
    await desk.take(*events[by])
    ask = await desk.get(f"/v1/asks/{waiting}")
    assert (ask["state"], ask["reason"]) == ("withdrawn", "removed")
    assert [change["state"] for change in ask["changes"]] == ["waiting", "withdrawn"]
    assert (await desk.get(f"/v1/asks/{sent}"))["outcome"] == "open"
    assert await desk.reason(handed_over=False) == "not_in_directory"


async def test_c13_what_waits_for_a_merged_person_is_withdrawn(desk: Asking) -> None:
    _, waiting = await both(desk)
    await desk.take(person_removed("bob", merged_into="ann"), person(aliases=("bob",), recorded_at=NOW + DAY))
    ask = await desk.get(f"/v1/asks/{waiting}")
    assert (ask["state"], ask["reason"], ask["stakeholder_id"]) == ("withdrawn", "merged", "ann")


async def test_an_older_record_of_the_directory_calls_nothing_off(desk: Asking) -> None:
    _, waiting = await both(desk)
    await desk.take(person_removed("bob", recorded_at=NOW - DAY))
    assert (await desk.get(f"/v1/asks/{waiting}"))["state"] == "waiting"


async def test_an_objection_at_any_mailer_stays_when_the_address_is_another_person(desk: Asking) -> None:
    await desk.take(invited("unsubscribed", NOW))
    await desk.take(account("beta"), person("ann2", "beta", email="Ann@ACME.example"))
    assert await desk.reason("ann2", account_id="beta") == "objected"


async def test_an_objection_that_was_taken_back_does_not_return_with_a_repeat(desk: Asking) -> None:
    objection = invited("unsubscribed", NOW - DAY)
    await desk.take(objection)
    assert await desk.reason() == "objected"
    [listed] = (await desk.get("/v1/suppressions"))["items"]
    assert (await desk.client.delete(f"/v1/suppressions/{listed['suppression_id']}")).status_code == 204
    await desk.take(objection)
    assert await desk.reason() is None
    await desk.take(invited("unsubscribed", NOW + DAY))
    assert await desk.reason("ann", handed_over=False) == "objected"


async def both(desk: Asking) -> tuple[str, str]:
    """The ids of an ask that was sent to Ann, and of one that waits for Bob's mailer."""
    sent = await desk.link("ann")
    waiting = await desk.link("bob", handed_over=False)
    return sent["invitation_id"], waiting["invitation_id"]
