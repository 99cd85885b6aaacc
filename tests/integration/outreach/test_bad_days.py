"""Days on which everything goes wrong around the sender: the relay closes, stays away or lies, the clock jumps, an
objection cannot be read, a report is forged. Nobody is mailed twice, and nobody against their will."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from services.outreach.domain.relay import RelaySettings
from services.outreach.gateways.relay import Relay
from shared.db.set_aside import must_apply_at
from shared.topics import INVITATION_UNSUBSCRIBED, INVITATIONS
from tests.integration.outreach.test_programmes import BERLIN
from tests.support.bounces import auto_reply, report
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, invited, person
from tests.support.relay import relay

BOUNCES = "bounces.supplier.example"
HOUR = timedelta(hours=1)


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """A wave of this week to Ann at Acme, planned and not sent."""
    await running.emptied()
    async with mailroom(running, bounce_domain=BOUNCES) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"))
        await found.programme(reminders=[])
        await found.planner.round()
        yield found


async def due(room: Mailroom) -> None:
    """The moment at which all mails are due; nothing is sent yet."""
    last = max(ask["due_at"] for ask in await room.asking.rows("asks"))
    room.asking.clock.advance(max(timedelta(0), last - room.asking.clock.now()))


def away_for_nobody(room: Mailroom) -> None:
    """The pause after a relay was away is over: it is one of the real clock."""
    room.sender._carrier._away_until = 0.0


async def test_s2_421_closes_the_relay_for_a_while_and_is_nobodys_fault(room: Mailroom) -> None:
    room.relay.mail = "421 4.7.0 too many connections"
    await due(room)
    await room.work()
    assert await room.asks() == {"ann": ("held", "relay_away")}
    assert room.sender.remark is not None
    connections = room.relay.connections
    await room.work()
    assert room.relay.connections == connections, "it is left alone"
    [programme] = (await room.call("GET", ""))["items"]
    assert programme["state"] == "running"
    room.relay.mail = "250 OK"
    away_for_nobody(room)
    await room.until(room.asking.clock.now() + HOUR)
    assert await room.asks() == {"ann": ("sent", None)}
    assert len(room.relay.contents) == 1
    assert room.sender.remark is None


@pytest.mark.parametrize("step", ["mail", "data"])
async def test_s2_a_relay_that_is_away_uses_up_no_tries(room: Mailroom, step: str) -> None:
    setattr(room.relay, step, "421 4.3.2 closing")
    await due(room)
    for _ in range(6):
        away_for_nobody(room)
        await room.until(room.asking.clock.now() + timedelta(minutes=2))
        assert await room.asks() == {"ann": ("held", "relay_away")}
    [mail] = await room.asking.rows("sends")
    assert (mail["attempts"], mail["data_started_at"]) == (0, None)
    setattr(room.relay, step, "250 OK")
    away_for_nobody(room)
    await room.until(room.asking.clock.now() + timedelta(minutes=6), timedelta(minutes=1))
    assert await room.asks() == {"ann": ("sent", None)}, "minutes after the relay is back, not an hour"


async def test_promise_2_a_relay_that_is_away_over_the_weekend_sends_nothing_on_monday(room: Mailroom) -> None:
    await due(room)
    room.sender._carrier.relay = Relay(RelaySettings("127.0.0.1", 1, "none"))
    monday = room.asking.clock.now() + 6 * DAY
    while room.asking.clock.now() < monday:
        away_for_nobody(room)
        await room.until(room.asking.clock.now() + 12 * HOUR, 6 * HOUR)
    async with relay(room.relay):
        room.sender._carrier.relay = Relay(RelaySettings("127.0.0.1", room.relay.port, "none"))
        away_for_nobody(room)
        await room.until(monday + 3 * DAY)
    [ask] = await room.asking.rows("asks")
    sent_at = ask["sent_at"].astimezone(BERLIN)
    assert (sent_at.weekday(), 9 <= sent_at.hour < 16) == (1, True), "the next Tuesday, in hours"
    assert len(room.relay.contents) == 1
    await room.sums_hold()


async def test_promise_2_a_clock_that_is_set_back_mails_nobody_twice(room: Mailroom) -> None:
    await due(room)
    await room.work()
    assert len(room.relay.contents) == 1
    room.asking.clock.advance(-5 * DAY)
    await room.until(NOW + 9 * DAY, 4 * HOUR)
    assert len(room.relay.contents) == 1
    assert await room.asks() == {"ann": ("sent", None)}


async def test_c4_nobody_at_an_account_is_mailed_while_an_objection_there_cannot_be_applied(room: Mailroom) -> None:
    await room.asking.take(account("bolt"), person("zoe", "bolt"))
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", reminders=[7])
    await room.start(programme["programme_id"])
    await room.planner.round()
    await set_aside(room, "acme")
    await due(room)
    await room.work()
    assert await room.asks() == {"ann": ("held", "reading_behind"), "zoe": ("sent", None)}
    assert room.relay.recipients == ["zoe@bolt.example"]
    await room.asking.take(invited("unsubscribed", room.asking.clock.now()))
    async with room.asking.database.write() as tx:
        await tx.execute("delete from parked")
        assert not await must_apply_at(tx, "acme")
    await room.until(NOW + 4 * DAY)
    assert (await room.asks())["ann"] == ("skipped", "objected")
    assert len(room.relay.contents) == 1


@pytest.mark.parametrize("local", ["b+" + "a" * 42, "b+", "lea", "b+" + "a" * 300])
async def test_b3_a_forged_report_stops_nobody(room: Mailroom, local: str) -> None:
    await due(room)
    await room.work()
    content = report(f"{local}@{BOUNCES}", message_id=f"<{uuid4()}.invite.1@ask.supplier.example>")
    mail = {"content-type": "message/rfc822"}
    answer = await room.asking.client.post("/v1/bounces", content=content, headers=mail)
    assert answer.json()["effect"] == "unmatched"
    assert (await room.asking.rows("asks"))[0]["bounced_at"] is None


async def test_b4_somebody_who_is_out_of_office_is_reminded_as_everybody(room: Mailroom) -> None:
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", reminders=[7])
    await room.start(programme["programme_id"])
    await room.until(NOW + 2 * DAY)
    [sender] = room.relay.senders
    mail = {"content-type": "message/rfc822"}
    answer = await room.asking.client.post("/v1/bounces", content=auto_reply(sender), headers=mail)
    assert answer.is_success, answer.text
    await room.until(NOW + 12 * DAY)
    assert len(room.relay.contents) == 2


async def test_c11_an_address_of_two_people_gets_one_mail(room: Mailroom) -> None:
    await room.asking.take(person("anna", email="ANN@acme.example", type="decision_maker"))
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", open_days=20)
    await room.start(programme["programme_id"])
    await room.until(NOW + 14 * DAY, HOUR)
    assert len(room.relay.contents) == 1
    states = sorted(state for state, _ in (await room.asks()).values())
    assert states == ["sent", "skipped"]
    await room.sums_hold()


async def test_h6_a_hostile_name_is_one_mail_to_one_person(room: Mailroom) -> None:
    name = 'Eve"\r\nBcc: all@acme.example\r\n\r\n<script>{us}</script> \u202e=?utf-8?q?=0d=0a?='
    at = room.asking.clock.now()
    await room.asking.take(person(name=name, recorded_at=at), account(name=name, recorded_at=at))
    await due(room)
    await room.work()
    [mail] = room.relay.mails
    assert room.relay.recipients == ["ann@acme.example"]
    assert [box.addr_spec for box in mail["To"].addresses] == ["ann@acme.example"]
    assert mail["Bcc"] is None
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


async def set_aside(room: Mailroom, account_id: str) -> None:
    """An objection on which the handler failed, as the consumer puts it aside."""
    async with room.asking.database.write() as tx:
        await tx.execute(
            "insert into parked (id, kind, reason, topic, partition, record_offset, headers, account_id, state,"
            " next_try_at, must_apply) values (:id, 'dead_letter', 'handler_error', :topic, 0, 7, '[]', :account_id,"
            " 'retrying', now() + interval '5 minutes', :event)",
            id=uuid4(),
            topic=INVITATIONS.name,
            account_id=account_id,
            event=INVITATION_UNSUBSCRIBED,
        )
