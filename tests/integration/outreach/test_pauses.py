"""C24: from a database that was put back from a copy no mail goes until somebody resumes, and none goes twice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from services.cli.resume_sending import _resume
from services.outreach.handlers.pauses import RESTORED
from services.outreach.store.pauses import forget_origin
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, invited, person

LEA = "lea@supplier.example"


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Ann at Acme is asked this week, by a programme that reminds after a week; mails have gone from here before."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd", owner=LEA), person(name="Ann Lee"))
        await found.programme(reminders=[7], owners_look=False)
        await found.work()
        yield found


async def put_back(room: Mailroom) -> None:
    """The database is another one than before."""
    async with room.asking.database.write() as tx:
        await tx.execute("update sending set origin = 'another cluster'")


async def restore(room: Mailroom) -> None:
    """What `tellback restore` does to the database, whatever that is."""
    async with room.asking.database.write() as tx:
        await forget_origin(tx)


async def due(room: Mailroom) -> None:
    """It is time for Ann's mail, which has not gone."""
    [ask] = await room.asking.rows("asks")
    room.asking.clock.advance(max(timedelta(0), ask["due_at"] - room.asking.clock.now()) + timedelta(minutes=1))


async def resumed(room: Mailroom, status: int = 200) -> dict[str, object]:
    answer = await room.asking.client.post("/v1/sending/resume")
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_the_first_start_pauses_nothing(room: Mailroom) -> None:
    found = await room.asking.get("/v1/sending")
    assert (found["paused"], found["reason"], found["unconfirmed"]) == (False, None, 0)
    await room.until(NOW + 2 * DAY)
    assert len(room.relay.contents) == 1


async def test_a_role_that_may_not_read_where_the_data_lie_names_the_same_database(room: Mailroom) -> None:
    """The service connects as its own role, an operator's command as the owner of the server."""
    async with room.asking.database.write() as tx:
        await tx.execute("update sending set origin = regexp_replace(origin, '[^/]*$', '')")
    await room.until(NOW + 2 * DAY)
    assert len(room.relay.contents) == 1
    assert await _resume(room.asking.environment.common) in (0, 1)
    assert (await room.asking.get("/v1/sending"))["paused"] is False
    assert [row["state"] for row in await room.asking.rows("asks")] == ["sent"], "nothing was taken as sent"


@pytest.mark.parametrize("happen", [put_back, restore])
async def test_what_was_due_counts_as_sent_unconfirmed_and_never_goes(
    room: Mailroom, happen: Callable[[Mailroom], Awaitable[None]]
) -> None:
    await happen(room)
    await due(room)
    await room.work()
    assert room.relay.contents == []
    [ask] = await room.asking.rows("asks")
    assert (ask["state"], ask["unconfirmed"], ask["sent_at"]) == ("sent", True, ask["due_at"])
    assert ask["closes_at"] == ask["due_at"] + 30 * DAY
    found = await room.asking.get("/v1/sending")
    assert (found["paused"], found["reason"], found["unconfirmed"]) == (True, RESTORED, 1)
    assert "no mail is sent" in (room.sender.remark or "")
    listed = (await room.asking.get("/v1/asks", unconfirmed="true"))["items"]
    assert [item["stakeholder_id"] for item in listed] == ["ann"]
    assert await room.asking.reason("ann", survey_id="srv_mail") == "floor", "she may have been asked"
    assert (await resumed(room))["paused"] is False
    await room.until(NOW + 13 * DAY, timedelta(hours=2))
    assert room.relay.contents == []
    await room.sums_hold()


async def test_what_falls_due_while_it_rests_goes_after_it_was_resumed(room: Mailroom) -> None:
    await put_back(room)
    await room.work()
    await due(room)
    await room.work()
    assert await room.asks() == {"ann": ("held", "paused")}
    found = await resumed(room)
    assert (found["unconfirmed"], found["resumed_by"] is not None) == (0, True)
    assert (await resumed(room))["paused"] is False, "again changes nothing"
    await room.until(room.asking.clock.now() + DAY)
    assert await room.asks() == {"ann": ("sent", None)}
    assert len(room.relay.contents) == 1
    assert room.sender.remark is None


async def test_a_reminder_that_may_have_gone_does_not_go_again(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    [ask] = await room.asking.rows("asks")
    room.asking.clock.advance(ask["reminder_due_at"] - room.asking.clock.now() + timedelta(minutes=5))
    await put_back(room)
    await room.work()
    await resumed(room)
    await room.until(NOW + 25 * DAY, timedelta(hours=2))
    assert len(room.relay.contents) == 1
    [ask] = await room.asking.rows("asks")
    assert (ask["reminders"], ask["unconfirmed"]) == (1, True)


async def test_an_ask_that_the_copy_lacks_is_known_from_the_log(room: Mailroom) -> None:
    """The wave was planned and sent after the copy: the rows are gone, the collector's facts are not."""
    async with room.asking.database.write() as tx:
        await tx.execute("truncate asks cascade")
        await tx.execute("update programmes set planned_until = null")
    await put_back(room)
    await room.work()
    room.asking.clock.advance(DAY)
    sent = invited("sent", NOW + timedelta(hours=20), nps_kind="relationship")
    await room.asking.take(sent)
    await resumed(room)
    await room.until(NOW + 13 * DAY, timedelta(hours=2))
    assert room.relay.contents == []
    assert (await room.asks())["ann"][1] in ("quarantine", "too_late")


async def test_mails_to_owners_and_loop_backs_rest_as_well(room: Mailroom) -> None:
    when = {"type": "once", "on": (NOW + 14 * DAY).date().isoformat()}
    await room.programme(name="Next", when=when)
    room.asking.clock.advance(6 * DAY)
    await room.planner.round()
    await room.lists.plan()
    assert [row["state"] for row in await room.asking.rows("notices")] == ["waiting"]
    await put_back(room)
    await room.work()
    assert room.relay.contents == []
    assert [(row["state"], row["unconfirmed"]) for row in await room.asking.rows("notices")] == [("sent", True)]


async def test_somebody_pauses_and_resumes_by_hand(room: Mailroom) -> None:
    answer = await room.asking.client.post("/v1/sending/pause", json={"reason": "Stocktaking"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["reason"] == "Stocktaking"
    again = await room.asking.client.post("/v1/sending/pause", json={"reason": "Another"})
    assert again.json()["reason"] == "Stocktaking", "who paused it first has said why"
    await room.until(NOW + 1 * DAY)
    assert room.relay.contents == []
    reader = await room.asking.with_key("read", "act")
    assert (await reader.client.post("/v1/sending/resume")).status_code == 403
    limited = await room.asking.with_key("manage", owner_email=LEA)
    assert (await limited.client.post("/v1/sending/pause", json={"reason": "x"})).status_code == 403
    await resumed(room)
    await room.until(NOW + 2 * DAY)
    assert len(room.relay.contents) == 1


async def test_the_command_resumes_also_before_anybody_has_looked(room: Mailroom) -> None:
    await put_back(room)
    await due(room)
    assert await _resume(room.asking.environment.common) in (0, 1)
    found = await room.asking.get("/v1/sending")
    assert (found["paused"], found["resumed_by"]) == (False, "cli")
    async with room.asking.database.read() as tx:
        assert await tx.scalar("select origin <> 'another cluster' from sending")
