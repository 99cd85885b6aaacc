"""Mails of programmes on bad days: refusals, greylisting, crashes, two senders, objections at the last moment."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.outreach.domain.mail_names import MailName
from services.outreach.domain.planning import Terms
from services.outreach.domain.relay import DkimKey
from services.outreach.gateways.letters import Invitation, letter_of
from services.outreach.gateways.relay import Trouble
from shared.mail import Letter
from tests.integration.outreach.test_programmes import BERLIN
from tests.support.mailing import Mailroom, mailroom, sender_of_tests
from tests.support.outreach import DAY, NOW, Asking, account, answered, person

ANN = "ann@acme.example"
CIRCUMSTANCES = Terms("")
"""Everything is well."""


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


@pytest.mark.parametrize("domain", [None, "bounces.supplier.example"])
async def test_b1_bounces_come_back_to_an_address_that_names_the_mail(room: Mailroom, domain: str | None) -> None:
    contents = room.sender._mailing.contents
    settings = contents.settings.model_copy(update={"bounce_domain": domain})
    mailing = replace(room.sender._mailing, contents=replace(contents, settings=settings))
    room.sender._mailing = mailing
    await room.until(NOW + 2 * DAY)
    [sender] = room.relay.senders
    if domain is None:
        assert sender == "lea@supplier.example"
        return
    [ask_id] = (await room.ask_ids()).values()
    local, _, found = sender.partition("@")
    assert found == domain
    assert room.asking.tokens.bounced(local.upper()) == MailName(ask_id, "invite", 1)


async def test_a_change_while_a_mail_is_on_its_way_mails_nobody_twice(room: Mailroom) -> None:
    await due(room)
    mailing = room.sender._mailing
    [mail] = await mailing.due(10)
    readied = await mailing.look_at(mail, CIRCUMSTANCES)
    assert readied is not None
    assert await mailing.begin(readied, CIRCUMSTANCES)
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", open_days=20)
    await mailing.taken(mail, room.asking.clock.now(), confirmed=True)
    await room.start(programme["programme_id"])
    await room.until(room.asking.clock.now() + DAY)
    assert room.relay.contents == [], "the one that was given counts"
    assert await room.asks() == {"ann": ("sent", None)}


async def test_a_withdrawn_ask_is_not_reminded(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    [ask_id] = (await room.ask_ids()).values()
    assert (await room.asking.client.post(f"/v1/asks/{ask_id}/withdraw")).is_success
    await room.until(NOW + 12 * DAY)
    assert len(room.relay.contents) == 1


async def test_reminders_that_come_late_keep_their_distance(room: Mailroom) -> None:
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", reminders=[7, 14])
    await room.start(programme["programme_id"])
    await room.until(NOW + 2 * DAY)
    await room.call("POST", f"/{programme['programme_id']}/pause")
    room.asking.clock.advance(18 * DAY)
    await room.start(programme["programme_id"])
    await room.until(NOW + 23 * DAY)
    assert len(room.relay.contents) == 2, "one reminder"
    await room.until(NOW + 30 * DAY)
    assert len(room.relay.contents) == 3


async def test_a_key_that_does_not_sign_is_nobodys_fault(room: Mailroom) -> None:
    room.sender._carrier.dkim = DkimKey("supplier.example", "t1", b"no key")
    await room.until(NOW + 2 * DAY)
    [programme] = (await room.call("GET", ""))["items"]
    assert programme["state"] == "paused"
    assert "DKIM" in programme["reason"]
    assert (await room.asks())["ann"][0] == "held"
    assert await room.asking.rows("outgoing") == [], "nobody has bounced"


async def test_an_erasure_while_a_mail_is_on_its_way_stays_one(room: Mailroom) -> None:
    await due(room)
    mailing = room.sender._mailing
    [mail] = await mailing.due(10)
    readied = await mailing.look_at(mail, CIRCUMSTANCES)
    assert readied is not None
    assert await mailing.begin(readied, CIRCUMSTANCES)
    room.asking.clock.advance(timedelta(seconds=1))
    await room.asking.take(room.asking.erasure_of())
    room.asking.clock.advance(timedelta(seconds=1))
    await mailing.taken(mail, room.asking.clock.now(), confirmed=True)
    await mailing.troubled(mail, Trouble("recipient", "550 5.1.1 no such user"))
    for table in ("asks", "sends", "contacts", "outgoing"):
        assert await room.asking.rows(table) == []


async def test_one_mail_that_breaks_stops_no_other(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    await room.asking.take(person("bob", name="Bob"))
    programme_id = await room.programme(who={"type": "user"}, name="Second")
    assert programme_id
    await room.planner.round()

    def broken(invitation: Invitation) -> Letter:
        if invitation.to.email == ANN:
            raise KeyError("a text that is not there")
        return letter_of(invitation)

    monkeypatch.setattr("services.outreach.jobs.mailing.letter_of", broken)
    await room.until(NOW + 2 * DAY)
    assert room.relay.recipients == ["bob@acme.example"]


async def test_caps_hold_until_the_next_day(room: Mailroom) -> None:
    [programme] = (await room.call("GET", ""))["items"]
    await room.asking.take(*(person(f"p{number}") for number in range(6)))
    await room.call("PATCH", f"/{programme['programme_id']}", caps={"programme": 2, "account": 100})
    await room.start(programme["programme_id"])
    await room.until(NOW + 4 * DAY)
    days: dict[int, int] = {}
    for ask in await room.asking.rows("asks"):
        if ask["sent_at"] is not None:
            day = ask["sent_at"].astimezone(BERLIN).toordinal()
            days[day] = days.get(day, 0) + 1
    assert days
    assert max(days.values()) == 2
    held = [ask for ask in await room.asking.rows("asks") if ask["state"] == "held"]
    assert {ask["reason"] for ask in held} <= {"cap", "outside_hours"}
    await room.sums_hold()


async def test_caps_count_reminders_and_let_them_wait(room: Mailroom) -> None:
    [programme] = (await room.call("GET", ""))["items"]
    await room.asking.take(*(person(f"p{number}") for number in range(3)))
    await room.call("PATCH", f"/{programme['programme_id']}", caps={"programme": 100, "account": 100})
    await room.start(programme["programme_id"])
    await room.until(NOW + 2 * DAY, timedelta(hours=2))
    assert len(room.relay.contents) == 4
    await room.call("PATCH", f"/{programme['programme_id']}", caps={"programme": 1, "account": 100})
    await room.start(programme["programme_id"])
    await room.until(NOW + 9 * DAY, timedelta(hours=2))
    mails = [mail for mail in await room.asking.rows("sends") if mail["kind"] == "reminder"]
    days = {mail["sent_at"].astimezone(BERLIN).date() for mail in mails}
    assert (len(mails), len(days)) == (3, 3), "one a day, from Tuesday to Thursday"


async def test_s3_a_programme_pauses_when_too_many_are_refused(room: Mailroom) -> None:
    await room.asking.take(*(person(f"p{number}") for number in range(30)))
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", caps={"programme": 500, "account": 500})
    await room.start(programme["programme_id"])
    room.relay.rcpt = {"": "550 5.1.1 no such user"}
    await room.until(NOW + 4 * DAY)
    found = await room.call("GET", f"/{programme['programme_id']}")
    assert found["state"] == "paused"
    assert "were refused" in found["reason"]
    states = [state for state, _ in (await room.asks()).values()]
    assert states.count("failed") == 20


async def test_s3_what_was_refused_before_a_restart_counts_no_more(room: Mailroom) -> None:
    await room.asking.take(*(person(f"p{number}") for number in range(30)))
    [programme] = (await room.call("GET", ""))["items"]
    await room.call("PATCH", f"/{programme['programme_id']}", caps={"programme": 500, "account": 500})
    await room.start(programme["programme_id"])
    room.relay.rcpt = {"": "550 5.1.1 no such user"}
    await room.until(NOW + 4 * DAY)
    room.asking.clock.advance(timedelta(hours=1))
    await room.start(programme["programme_id"])
    await room.until(NOW + 9 * DAY)
    assert (await room.call("GET", f"/{programme['programme_id']}"))["state"] == "running", "eleven are too few to say"
    states = [state for state, _ in (await room.asks()).values()]
    assert states.count("failed") == 31


async def test_a_relay_that_denies_relaying_is_nobodys_fault(room: Mailroom) -> None:
    room.relay.rcpt = {"": "554 5.7.1 <ann@acme.example>: Relay access denied"}
    await room.until(NOW + 2 * DAY)
    [programme] = (await room.call("GET", ""))["items"]
    assert programme["state"] == "paused"
    assert ANN not in programme["reason"]
    assert (await room.asks())["ann"][0] == "held"


async def test_an_erasure_takes_what_was_planned_and_sent(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    assert len(await room.asking.rows("sends")) == 1
    room.asking.clock.advance(timedelta(minutes=1))
    await room.asking.take(room.asking.erasure_of())
    for table in ("asks", "sends", "happenings", "contacts"):
        assert await room.asking.rows(table) == []
