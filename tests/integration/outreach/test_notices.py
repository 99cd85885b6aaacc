"""Mails that ask nothing: each once, whatever the relay does, and none keeps another one back."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.outreach.gateways.notes import Note
from services.outreach.gateways.relay import Trouble
from services.outreach.handlers.notices import MOST_ATTEMPTS
from services.outreach.handlers.retention import forget
from services.outreach.store import notices
from services.outreach.store.notices import NewNotice, Notice
from shared.mail import Mailbox
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import NOW, Asking, account, person

LEA = "lea@supplier.example"
WEEK = timedelta(days=7)


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Ann at Acme, which is Lea's, is asked this week; the mail to Lea about it is written and not sent."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd", owner=LEA), person(name="Ann Lee"))
        await found.programme(reminders=[])
        await found.planner.round()
        await found.lists.plan()
        yield found


async def one(room: Mailroom) -> dict[str, Any]:
    [row] = await room.asking.rows("notices")
    return dict(row)


async def due(room: Mailroom) -> Notice:
    [found] = await room.sender._noticing.due(10)
    return found


async def test_the_same_key_is_written_once(room: Mailroom) -> None:
    before = await one(room)
    await room.lists.plan()
    twice = NewNotice(before["key"], "owner_list", NOW, LEA)
    async with room.asking.database.write() as tx:
        await notices.add(tx, [twice, twice], NOW)
    assert await one(room) == before


async def test_a_mail_is_begun_once(room: Mailroom) -> None:
    noticing, notice = room.sender._noticing, await due(room)
    note = await noticing.look_at(notice)
    assert isinstance(note, Note)
    assert await noticing.begin(notice, note)
    assert not await noticing.begin(notice, note)
    assert await noticing.due(10) == [], "nobody else takes it up"


async def test_a_recipient_that_is_another_one_by_now_gets_none(room: Mailroom) -> None:
    noticing, notice = room.sender._noticing, await due(room)
    note = await noticing.look_at(notice)
    assert note is not None
    other = Note(note.sender, Mailbox("max@supplier.example"), note.words, note.message_id, note.at)
    assert not await noticing.begin(notice, other)
    assert (await one(room))["data_started_at"] is None


async def test_a_process_that_died_while_it_sent_has_sent(room: Mailroom) -> None:
    noticing, notice = room.sender._noticing, await due(room)
    note = await noticing.look_at(notice)
    assert note is not None
    assert await noticing.begin(notice, note)
    room.asking.clock.advance(timedelta(minutes=6))
    await room.sender.round()
    found = await one(room)
    assert (found["state"], found["unconfirmed"], found["ended_at"]) == ("sent", True, NOW)
    assert LEA not in room.relay.recipients


async def test_nobody_waits_any_more_so_nothing_is_said(room: Mailroom) -> None:
    async with room.asking.database.write() as tx:
        await tx.execute("update asks set state = 'skipped', reason = 'excluded'")
    assert await room.sender._noticing.look_at(await due(room)) is None
    assert ((await one(room))["state"], (await one(room))["reason"]) == ("skipped", "nobody_waits")


async def test_the_list_of_a_programme_that_rests_waits_and_of_one_that_ended_does_not_go(room: Mailroom) -> None:
    [programme] = (await room.call("GET", ""))["items"]
    path = f"/{programme['programme_id']}"
    notice = await due(room)
    await room.call("POST", f"{path}/pause")
    assert await room.sender._noticing.look_at(notice) is None
    waiting = await one(room)
    assert (waiting["state"], waiting["due_at"]) == ("waiting", NOW + timedelta(hours=6))
    await room.call("POST", f"{path}/end")
    room.asking.clock.advance(timedelta(hours=7))
    await room.sender.round()
    assert ((await one(room))["state"], (await one(room))["reason"]) == ("skipped", "programme_ended")


async def test_an_owner_of_another_domain_hears_from_who_stands_in(room: Mailroom) -> None:
    async with room.asking.database.write() as tx:
        await tx.execute("update accounts set owner_email = 'max@partner.example'")
        await tx.execute("update notices set recipient = 'max@partner.example'")
    note = await room.sender._noticing.look_at(await due(room))
    assert note is not None
    assert (note.to.email, note.sender) == ("max@partner.example", Mailbox(LEA, "Tellback"))


async def test_without_anybody_who_may_write_it_says_why_it_did_not_go(room: Mailroom) -> None:
    async with room.asking.database.write() as tx:
        await tx.execute("update accounts set owner_email = 'max@partner.example'")
        await tx.execute("update notices set recipient = 'max@partner.example'")
        await tx.execute("update programmes set document = jsonb_set(document, '{sender}', '{\"kind\": \"owner\"}')")
    assert await room.sender._noticing.look_at(await due(room)) is None
    assert (await one(room))["reason"] == "no_sender"


@pytest.mark.parametrize(
    ("attempt", "pause"),
    [(1, timedelta(minutes=1)), (2, timedelta(minutes=5)), (3, timedelta(minutes=15)), (7, timedelta(hours=1))],
)
async def test_s2_a_relay_that_takes_nothing_is_asked_again_less_and_less_often(
    room: Mailroom, attempt: int, pause: timedelta
) -> None:
    notice = await due(room)
    for _ in range(attempt):
        await room.sender._noticing.troubled(notice, Trouble("later", "450 later"))
    found = await one(room)
    assert (found["attempts"], found["state"], found["due_at"]) == (attempt, "waiting", NOW + pause)


async def test_a_relay_that_never_takes_it_is_left_alone_at_last(room: Mailroom) -> None:
    notice = await due(room)
    for _ in range(MOST_ATTEMPTS):
        await room.sender._noticing.troubled(notice, Trouble("policy", "550 5.7.1 no"))
    assert ((await one(room))["state"], (await one(room))["reason"]) == ("failed", "message_refused")


@pytest.mark.parametrize("begun", [False, True])
async def test_a_relay_that_is_away_uses_up_no_tries(room: Mailroom, begun: bool) -> None:
    noticing, notice = room.sender._noticing, await due(room)
    note = await noticing.look_at(notice)
    assert note is not None
    for _ in range(MOST_ATTEMPTS + 1):
        if begun:
            room.asking.clock.advance(timedelta(minutes=1))
            assert await noticing.begin(notice, note)
        await noticing.troubled(notice, Trouble("away", "421 closing"))
    found = await one(room)
    assert (found["state"], found["attempts"], found["data_started_at"]) == ("waiting", 0, None)
    assert found["due_at"] == room.asking.clock.now() + timedelta(minutes=1)


async def test_a_mail_that_cannot_be_made_stops_no_other(room: Mailroom) -> None:
    async with room.asking.database.write() as tx:
        broken = NewNotice("broken", "loop_back", NOW - WEEK, account_id="acme")
        await notices.add(tx, [broken, NewNotice("empty", "owner_list", NOW - WEEK)], NOW)
    await room.work()
    found = {row["key"].split()[0]: (row["state"], row["reason"]) for row in await room.asking.rows("notices")}
    assert found == {
        "broken": ("skipped", "incomplete"),
        "empty": ("skipped", "incomplete"),
        "owner_list": ("sent", None),
    }
    assert LEA in room.relay.recipients


async def test_while_others_records_are_not_read_nothing_goes(room: Mailroom) -> None:
    room.behind = True
    await room.work()
    assert LEA not in room.relay.recipients
    room.behind = False
    await room.work()
    assert LEA in room.relay.recipients


async def test_no_more_go_to_one_domain_in_a_minute_than_is_allowed(room: Mailroom) -> None:
    room.sender._carrier._rates._per_minute = 1
    async with room.asking.database.write() as tx:
        [row] = await tx.all("select programme_id, wave, recipient from notices")
        further = NewNotice("further", "owner_list", NOW, LEA, programme_id=row["programme_id"], wave=row["wave"])
        await notices.add(tx, [further], NOW)
    await room.work()
    states = sorted(row["state"] for row in await room.asking.rows("notices"))
    assert states == ["sent", "waiting"]
    assert room.relay.recipients.count(LEA) == 1
    again: list[datetime] = [row["due_at"] for row in await room.asking.rows("notices") if row["state"] == "waiting"]
    assert again == [NOW + timedelta(minutes=1)]


async def test_old_ones_are_forgotten_with_what_they_told(room: Mailroom) -> None:
    await room.work()
    async with room.asking.database.write() as tx:
        await forget(tx, 36, NOW + timedelta(days=30 * 35))
    assert len(await room.asking.rows("notices")) == 1
    async with room.asking.database.write() as tx:
        await forget(tx, 36, NOW + timedelta(days=32 * 37))
    assert await room.asking.rows("notices") == []
