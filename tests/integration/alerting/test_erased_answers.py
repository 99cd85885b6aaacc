"""What an erasure took stays out, also what is still said about it in records that are read later or again."""

from datetime import datetime, timedelta
from typing import Any

from shared.db.erasures import Journal
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.events.responses import StakeholderErased
from shared.ids import uuid7
from shared.topics import INVITATION_BOUNCED
from tests.integration.alerting.cases import MONDAY, OLIVIA, Case, event
from tests.integration.alerting.running_alerting import RunningAlerting


async def rows(alerting: RunningAlerting, table: str) -> int:
    async with alerting.plumbing.database.read() as tx:
        return int(await tx.scalar(f"select count(*) from {table}"))  # noqa: S608


async def test_an_amendment_of_an_erased_answer_is_dropped_whenever_it_is_read(
    alerting: RunningAlerting, acme: Case
) -> None:
    first, amended = acme.response("r1", comment="Jane says"), acme.amended("r1", comment="Jane insists")
    await alerting.emit(first, amended, acme.erased(alerting.environment))
    await alerting.emit(first, amended)
    await alerting.emit(acme.amended("r1", minutes=2, comment="Jane again"))
    assert (await rows(alerting, "responses"), await rows(alerting, "response_changes")) == (0, 0)


async def test_an_answer_read_after_its_erasure_takes_its_amendments_along(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.amended("r1", comment="Jane insists"))
    assert await rows(alerting, "response_changes") == 1
    await alerting.emit(acme.erased(alerting.environment))
    await alerting.emit(acme.response("r1", comment="Jane says"), acme.withdrawn("r1"))
    assert (await rows(alerting, "responses"), await rows(alerting, "response_changes")) == (0, 0)


LATER = MONDAY + timedelta(hours=2)


def bounced(acme: Case, at: datetime) -> Event:
    """An invitation to Jane came back then, and that is recorded after the erasure."""
    data = InvitationFact(
        event_id=uuid7(),
        invitation_id=acme.id("i1"),
        account_id=acme.account_id,
        stakeholder_id="jane",
        kind="bounced",
        at=at,
        recorded_at=LATER,
    )
    return event(INVITATION_BOUNCED, data, LATER)


async def test_an_answer_given_before_the_erasure_and_recorded_after_it_is_not_kept(
    alerting: RunningAlerting, acme: Case
) -> None:
    """It waited where the collector could not be reached, whichever of the two is read first."""
    waited = acme.response("r1", comment="Jane says", recorded_at=LATER)
    told = acme.answered("r1", 2, answered_at=MONDAY, recorded_at=LATER)
    await alerting.emit(waited, acme.amended("r1", minutes=180, comment="Jane insists"))
    assert await rows(alerting, "responses") == 1
    await alerting.emit(acme.erased(alerting.environment))
    assert (await rows(alerting, "responses"), await rows(alerting, "response_changes")) == (0, 0)
    opened = await rows(alerting, "tasks")
    await alerting.emit(told, waited, acme.answered("r2", 2, answered_at=MONDAY, recorded_at=LATER))
    await alerting.emit(acme.response("r2", recorded_at=LATER))
    assert (await rows(alerting, "responses"), await rows(alerting, "tasks")) == (0, opened)


async def test_an_answer_given_after_the_erasure_is_kept(alerting: RunningAlerting, acme: Case) -> None:
    alerting.clock.advance(timedelta(hours=3))
    try:
        await alerting.emit(acme.erased(alerting.environment))
        await alerting.emit(acme.response("r1", answered_at=LATER, recorded_at=LATER))
        assert await rows(alerting, "responses") == 1
    finally:
        alerting.clock.advance(-timedelta(hours=3))


async def test_an_invitation_of_before_the_erasure_and_recorded_after_it_is_not_kept(
    alerting: RunningAlerting, acme: Case
) -> None:
    before = bounced(acme, MONDAY)
    await alerting.emit(before)
    assert await rows(alerting, "invitations") == 1
    await alerting.emit(acme.erased(alerting.environment))
    assert await rows(alerting, "invitations") == 0
    await alerting.emit(before)
    assert await rows(alerting, "invitations") == 0
    await alerting.emit(bounced(acme, LATER))
    assert await rows(alerting, "invitations") == 1


async def test_an_amendment_whose_answer_never_comes_goes_after_thirty_days(
    alerting: RunningAlerting, acme: Case
) -> None:
    """It says no name, so that nobody knows whether an erasure means it. A withdrawal holds no words, and stays."""
    await alerting.emit(acme.response("r1"), acme.amended("r1", comment="fine"))
    await alerting.emit(acme.amended("r2", comment="Jane insists"), acme.withdrawn("r3"))
    assert await alerting.run_timer("purge-early") == 0
    alerting.clock.advance(timedelta(days=31))
    try:
        assert await alerting.run_timer("purge-early") == 1
        assert await rows(alerting, "response_changes") == 2
    finally:
        alerting.clock.advance(-timedelta(days=31))


async def test_a_removal_from_the_directory_that_is_read_after_the_erasure_leaves_no_row(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.erased(alerting.environment))
    await alerting.emit(acme.left())
    assert await alerting.number("select count(*) from stakeholders where account_id = :a", a=acme.account_id) == 0


async def test_what_names_the_person_in_follow_ups_of_others_is_taken_out(
    alerting: RunningAlerting, acme: Case
) -> None:
    """The id, the address and the full name, as whole words and in any case."""
    await alerting.subscribe("follow_up.opened", "follow_up.updated", "follow_up.closed")
    await alerting.emit(acme.account(), acme.person())
    body = {
        "account_id": acme.account_id,
        "title": "Ask JANE DOE and Janette Doe",
        "reason": "jane@acme.example wrote",
    }
    opened = await alerting.client.post("/v1/follow-ups", json=body)
    task = opened.json()["follow_up_id"]
    await alerting.do(task, "comments", 201, comment="called\nJane Doe, she knows")
    await alerting.do(
        task, "promise", what="Jane Doe gets a date", by=(alerting.clock.now() + timedelta(days=1)).isoformat()
    )
    closing: dict[str, Any] = {
        "outcome": "resolved",
        "root_cause": "Jane Doe",
        "what_was_done": "wrote to jane",
        "told_customer": True,
    }
    await alerting.do(task, "close", **closing)
    await alerting.emit(acme.erased(alerting.environment))
    detail = await alerting.get(task)
    assert (detail["title"], detail["root_cause"]) == ("Ask [erased] and Janette Doe", "[erased]")
    assert (detail["what_was_done"], detail["promise"]["what"]) == ("wrote to [erased]", "[erased] gets a date")
    assert detail["reasons"] == ["[erased] wrote"]
    messages = await alerting.messages(acme)
    assert "Ask [erased] and Janette Doe" in {message["data"]["task"]["title"] for message in messages}
    for text in (str(detail), str(await alerting.get(task, "/why")), str(messages)):
        assert [name for name in ("Jane Doe,", "JANE DOE", "jane@acme", "jane'") if name in text] == []
    async with alerting.plumbing.database.read() as tx:
        comments = await tx.column("select comment from task_history where follow_up_id = :id", id=task)
    assert "called\n[erased], she knows" in comments


async def test_a_person_is_erased_again_though_a_follow_up_of_the_first_time_was_opened_again(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.person(), acme.response("r1"), acme.answered("r1", 2))
    first = (await alerting.only(acme))["follow_up_id"]
    await alerting.emit(acme.erased(alerting.environment))
    await alerting.do(first, "reopen")
    later = MONDAY + timedelta(hours=2)
    await alerting.emit(
        acme.response("r2", answered_at=later, recorded_at=later),
        acme.answered("r2", 1, at=later + timedelta(minutes=1)),
    )
    [second] = {task["follow_up_id"] for task in await alerting.items(acme)} - {first}
    gone = acme.erased(alerting.environment, hours=3)
    await alerting.emit(gone)
    found = {task["follow_up_id"]: task for task in await alerting.items(acme)}
    assert [found[task]["state"] for task in (first, second)] == ["open", "closed"]
    assert {task["stakeholder_id"] for task in found.values()} == {gone.data.subject}  # type: ignore[attr-defined]


async def test_the_log_of_messages_names_the_person_by_the_hash(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.subscribe("follow_up.opened", "survey_response.created")
    await alerting.emit(acme.account(), acme.person(), acme.response("r1"), acme.answered("r1", 2))
    gone = acme.erased(alerting.environment)
    await alerting.emit(gone)
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all(
            "select stakeholder_id, body from webhook_messages where account_id = :account_id",
            account_id=acme.account_id,
        )
    assert rows
    assert {row["stakeholder_id"] for row in rows} == {gone.data.subject}  # type: ignore[attr-defined]
    assert [row["body"] for row in rows if b"ane" in (row["body"] or b"")] == []


async def test_who_waits_to_be_erased_is_in_no_follow_up_and_nothing_leaves_about_their_account(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.person(), acme.response("r1"), acme.answered("r1", 2))
    task = (await alerting.only(acme))["follow_up_id"]
    gone = acme.erased(alerting.environment)
    assert isinstance(gone.data, StakeholderErased)
    async with alerting.plumbing.database.write() as tx:
        await Journal.hide(tx, gone.data)
    assert await alerting.items(acme) == []
    for path in (f"/v1/follow-ups/{task}", f"/v1/follow-ups/{task}/why"):
        assert (await alerting.client.get(path)).status_code == 404
    path = f"/v1/erasures/{gone.data.receipt_id}"
    assert (await alerting.client.get(path)).json()["status"] == "waiting"
    await alerting.emit(gone)
    assert (await alerting.client.get(path)).json()["status"] == "applied"
    assert (await alerting.only(acme))["stakeholder_id"] == gone.data.subject


async def test_a_receipt_is_for_who_sees_the_account(alerting: RunningAlerting, acme: Case) -> None:
    gone = acme.erased(alerting.environment)
    await alerting.emit(acme.account(), gone)
    path = f"/v1/erasures/{gone.data.receipt_id}"  # type: ignore[attr-defined]
    for owner, status in ((OLIVIA, 200), ("somebody.else@supplier.example", 404)):
        key = await alerting.key("erase", owner_email=owner)
        assert (await alerting.client.get(path, headers=key)).status_code == status


async def test_a_follow_up_that_was_opened_late_on_what_was_erased_goes_as_well(
    alerting: RunningAlerting, acme: Case
) -> None:
    """The answer was read long after the erasure was asked for, and before its record."""
    alerting.clock.advance(timedelta(hours=5))
    try:
        await alerting.emit(acme.account(), acme.person(), acme.response("r1", 2, comment="Jane says"))
        task = (await alerting.only(acme))["follow_up_id"]
        await alerting.emit(acme.erased(alerting.environment))
    finally:
        alerting.clock.advance(-timedelta(hours=5))
    detail = await alerting.get(task)
    assert (detail["state"], detail["outcome"], detail["response_id"]) == ("closed", "corrected", None)
    assert "Jane" not in str(detail)


async def test_a_follow_up_about_what_was_said_since_an_erasure_stays(alerting: RunningAlerting, acme: Case) -> None:
    since = MONDAY + timedelta(hours=2)
    await alerting.emit(acme.account(), acme.response("r1", 2, answered_at=since, recorded_at=since))
    await alerting.emit(acme.erased(alerting.environment))
    item = await alerting.only(acme)
    assert (item["state"], item["stakeholder_id"]) == ("open", "jane")
