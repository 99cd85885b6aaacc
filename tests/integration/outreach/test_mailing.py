"""Mails of programmes on bad days: refusals, greylisting, crashes, two senders, objections at the last moment."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.outreach.domain.planning import Terms
from tests.integration.outreach.test_programmes import BERLIN
from tests.support.environment import Environment
from tests.support.mailing import Mailroom, mailroom, sender_of_tests, with_relay
from tests.support.outreach import DAY, NOW, Asking, account, answered, asking, person

ANN = "ann@acme.example"
CIRCUMSTANCES = Terms("")
"""Everything is well."""


@pytest.fixture(scope="module")
async def running(module_database_only: Environment) -> AsyncIterator[Asking]:
    async with asking(module_database_only) as found:
        with_relay(found)
        yield found


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """A wave of this week to Ann at Acme, planned and not sent: it is due on Tuesday or Wednesday."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"))
        await found.programme(reminders=[7])
        await found.planner.round()
        yield found


async def due(room: Mailroom) -> None:
    """The moment at which Ann's mail is due; nothing is sent yet."""
    [ask] = await room.asking.rows("asks")
    room.asking.clock.advance(max(timedelta(0), ask["due_at"] - room.asking.clock.now()))


async def test_s2_a_refused_recipient_fails_and_is_held_back_from_then_on(room: Mailroom) -> None:
    room.relay.rcpt = {ANN: "550 5.1.1 no such user"}
    await room.until(NOW + 2 * DAY)
    assert await room.asks() == {"ann": ("failed", "recipient_refused")}
    [call] = await room.asking.rows("outgoing")
    assert call["body"]["kind"] == "bounced"
    assert await room.asking.reason("ann", survey_id="srv_mail", override_quarantine="x") == "bounced"
    await room.sums_hold()


async def test_s2_greylisting_comes_back_and_sends_one_mail(room: Mailroom) -> None:
    room.relay.rcpt = {"": "450 4.7.1 greylisted"}
    await due(room)
    await room.work()
    assert await room.asks() == {"ann": ("held", "relay_away")}
    room.relay.rcpt = {}
    await room.until(room.asking.clock.now() + timedelta(hours=1), timedelta(minutes=2))
    assert await room.asks() == {"ann": ("sent", None)}
    assert len(room.relay.contents) == 1


@pytest.mark.parametrize("step", ["mail", "data"])
async def test_s2_a_relay_that_refuses_us_stops_the_programme(room: Mailroom, step: str) -> None:
    setattr(room.relay, step, "550 5.7.26 unauthenticated")
    await room.until(NOW + 2 * DAY)
    [programme] = (await room.call("GET", ""))["items"]
    assert programme["state"] == "paused"
    assert "5.7.26" in programme["reason"]
    assert (await room.asks())["ann"][0] == "held"
    setattr(room.relay, step, "250 OK")
    await room.start(programme["programme_id"])
    await room.until(NOW + 3 * DAY)
    assert len(room.relay.contents) == 1


async def test_c23_an_answer_that_did_not_come_counts_as_sent_and_is_listed(room: Mailroom) -> None:
    room.relay.hang_up_after_data = True
    await room.until(NOW + 2 * DAY)
    [ask] = await room.asking.rows("asks")
    assert (ask["state"], ask["unconfirmed"]) == ("sent", True)
    assert len(room.relay.contents) == 1, "never again"
    found = (await room.asking.get("/v1/asks", unconfirmed="true"))["items"]
    assert [item["stakeholder_id"] for item in found] == ["ann"]
    assert (await room.asking.get("/v1/asks", unconfirmed="false"))["items"] == []
    await room.sums_hold()


async def test_c23_a_process_that_dies_after_data_began_has_sent(room: Mailroom) -> None:
    await due(room)
    mailing = room.sender._mailing
    [mail] = await mailing.due(10)
    readied = await mailing.look_at(mail, CIRCUMSTANCES)
    assert readied is not None
    assert await mailing.begin(readied, CIRCUMSTANCES)
    assert not await mailing.begin(readied, CIRCUMSTANCES), "two of them begin one mail once"
    again = sender_of_tests(room.asking, room.relay.port)
    async with room.asking.database.write() as tx:
        await tx.execute("truncate turns")
    await again.round()
    assert room.relay.contents == [], "it may be on its way"
    room.asking.clock.advance(timedelta(minutes=6))
    await again.round()
    [ask] = await room.asking.rows("asks")
    assert (ask["state"], ask["unconfirmed"]) == ("sent", True)
    assert room.relay.contents == []
    await again.close()


async def test_c23_a_process_that_dies_before_data_sends_again(room: Mailroom) -> None:
    await due(room)
    mailing = room.sender._mailing
    [mail] = await mailing.due(10)
    assert await mailing.look_at(mail, CIRCUMSTANCES) is not None
    await room.work()
    assert room.relay.recipients == [ANN]


async def test_one_sender_works_at_a_time(room: Mailroom) -> None:
    await room.sender.round()
    other = sender_of_tests(room.asking, room.relay.port)
    await due(room)
    assert not await other.round()
    assert room.relay.contents == []
    await room.work()
    assert len(room.relay.contents) == 1
    await other.close()


async def test_who_objects_or_answers_before_the_mail_begins_gets_none(room: Mailroom) -> None:
    await due(room)
    mailing = room.sender._mailing
    [mail] = await mailing.due(10)
    readied = await mailing.look_at(mail, CIRCUMSTANCES)
    assert readied is not None
    added = await room.asking.client.post("/v1/suppressions", json={"addresses": [ANN]})
    assert added.is_success
    assert not await mailing.begin(readied, CIRCUMSTANCES)
    assert await room.asks() == {"ann": ("skipped", "objected")}
    await room.work()
    assert room.relay.contents == []


async def test_who_has_answered_elsewhere_is_not_asked(room: Mailroom) -> None:
    await room.asking.take(answered(NOW))
    await room.until(NOW + 2 * DAY)
    assert await room.asks() == {"ann": ("skipped", "already_answered")}


async def test_c4_nothing_goes_while_what_others_recorded_is_not_read(room: Mailroom) -> None:
    room.behind = True
    await due(room)
    await room.work()
    assert await room.asks() == {"ann": ("held", "reading_behind")}
    room.behind = False
    await room.until(NOW + 3 * DAY)
    assert len(room.relay.contents) == 1


async def test_promise_2_downtime_over_the_days_of_asking_sends_nothing_outside_them(room: Mailroom) -> None:
    room.asking.clock.advance(3 * DAY)
    await room.work()
    assert room.relay.contents == []
    assert await room.asks() == {"ann": ("held", "outside_hours")}
    await room.until(NOW + 9 * DAY)
    [ask] = await room.asking.rows("asks")
    sent_at = ask["sent_at"].astimezone(BERLIN)
    assert (sent_at.weekday(), sent_at.hour) == (1, 9), "the next Tuesday"


async def test_b1_bounces_come_back_to_an_address_that_names_the_mail(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    assert room.relay.senders == ["lea@supplier.example"], "without a domain for bounces they come to the sender"


async def test_an_erasure_takes_what_was_planned_and_sent(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    assert len(await room.asking.rows("sends")) == 1
    room.asking.clock.advance(timedelta(minutes=1))
    await room.asking.take(room.asking.erasure_of())
    for table in ("asks", "sends", "happenings", "contacts"):
        assert await room.asking.rows(table) == []
