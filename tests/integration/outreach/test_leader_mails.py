"""Mails to those who lead: what last week brought, each Monday, and that a programme has paused itself."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.outreach.domain.weekly import Week
from services.outreach.handlers.weekly_mails import WeeklyMails
from tests.support.mailing import PAGES, Mailroom, mailroom, pause_notices, weekly_mails
from tests.support.outreach import DAY, NOW, Asking, account, person

BERLIN = ZoneInfo("Europe/Berlin")
IDA, TOM = "ida@supplier.example", "tom@supplier.example"
LEADERS = {"leaders": (IDA, TOM)}
WEEK = Week(
    nps=32,
    before=28,
    respondents=61,
    fell=Counter({"acme": 2}),
    rose=Counter({"bolt": 1}),
    at_risk=("acme",),
    silent=tuple(f"quiet{number}" for number in range(10)),
    overdue=Counter({"Lea Maier": 3}),
    praised=Counter({"bolt": 1}),
    names={"acme": "Acme Ltd", "bolt": "Bolt <Group> & Co"},
)
MONDAY = datetime(2026, 6, 15, 0, 30, tzinfo=BERLIN)


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    await running.emptied()
    async with mailroom(running, **LEADERS) as found:
        await found.survey()
        yield found


def mondays(room: Mailroom, asked: list[datetime]) -> WeeklyMails:
    """What writes the weekly mails; `asked` notes when the other services are asked."""

    async def week(now: datetime) -> Week:
        asked.append(now)
        return WEEK

    return weekly_mails(room.asking, room.sender._noticing.contents, week)


async def pass_by(room: Mailroom, weekly: WeeklyMails, until: datetime) -> None:
    """Let time pass, writing and sending on the way."""
    while room.asking.clock.now() < until:
        await weekly.plan()
        await room.sender.round()
        room.asking.clock.advance(timedelta(minutes=30))


def parts(mail: Any) -> tuple[str, str]:
    """The plain text of a mail, and its HTML."""
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


async def test_f4_leaders_get_one_mail_on_monday_morning_about_last_week(room: Mailroom) -> None:
    asked: list[datetime] = []
    weekly = mondays(room, asked)
    room.asking.clock.advance(MONDAY - room.asking.clock.now())
    await pass_by(room, weekly, MONDAY + 4 * DAY)
    assert sorted(room.relay.recipients) == [IDA, TOM]
    assert [moment.astimezone(BERLIN).strftime("%a %H") for moment in asked] == ["Mon 09"], (
        "the others are asked once for all mails"
    )
    await pass_by(room, weekly, MONDAY + 8 * DAY)
    assert Counter(room.relay.recipients) == {IDA: 2, TOM: 2}
    mail = room.relay.mails[0]
    text, html = parts(mail)
    assert str(mail["Subject"]) == "Customers last week: 3 moved, 1 at risk, 3 overdue"
    assert "The NPS of the last 90 days is 32, from 61 people, 4 more than in the 90 days before, which may be" in text
    for said in ("Acme Ltd (2)", "Bolt <Group> & Co", "Lea Maier: 3 follow-ups", "and 2 more", f"{PAGES}/accounts?"):
        assert said in text
    assert "Bolt &lt;Group&gt; &amp; Co" in html
    assert len(mail.as_bytes()) < 30_000
    assert str(mail["From"]) == f"Tellback <{mail['To']}>"
    assert "List-Unsubscribe" in mail
    assert "Stop all mails of Tellback: " in text
    assert {row["content"] for row in await room.asking.rows("notices")} == {None}, "what was said is forgotten"


async def test_whoever_stops_it_gets_none_and_one_that_is_late_does_not_go(room: Mailroom) -> None:
    weekly = mondays(room, [])
    await room.asking.client.post("/v1/suppressions", json={"addresses": [IDA]})
    room.asking.clock.advance(MONDAY - room.asking.clock.now())
    room.relay.rcpt = {"": "450 4.7.1 greylisted"}
    await pass_by(room, weekly, MONDAY + 1 * DAY)
    room.asking.clock.advance(2 * DAY)
    room.relay.rcpt = {}
    await pass_by(room, weekly, MONDAY + 4 * DAY)
    assert room.relay.contents == []
    ended = {row["recipient"]: (row["state"], row["reason"]) for row in await room.asking.rows("notices")}
    assert ended == {IDA: ("skipped", "objected"), TOM: ("skipped", "too_late")}


async def test_without_a_key_or_from_tuesday_night_on_nobody_is_asked(room: Mailroom) -> None:
    asked: list[datetime] = []
    room.asking.clock.advance(MONDAY + 3 * DAY - room.asking.clock.now())
    await mondays(room, asked).plan()
    room.asking.clock.advance(5 * DAY - timedelta(hours=1))
    await weekly_mails(room.asking, room.sender._noticing.contents).plan()
    assert asked == []
    assert await room.asking.rows("notices") == []


async def test_s3_leaders_are_told_once_that_a_programme_has_paused_itself(room: Mailroom) -> None:
    await room.asking.take(account(), person())
    programme_id = await room.programme()
    told = pause_notices(room.asking, room.sender._noticing.contents)
    room.relay.mail = "550 5.7.26 unauthenticated"
    await room.until(NOW + 2 * DAY)
    assert (await room.call("GET", f"/{programme_id}"))["state"] == "paused"
    room.relay.mail = "250 OK"
    for _ in range(3):
        await told.plan()
        await room.sender.round()
    assert sorted(room.relay.recipients) == [IDA, TOM]
    text, _ = parts(room.relay.mails[0])
    assert "the relay refuses our mails: 550 5.7.26" in " ".join(text.split())
    assert f"{PAGES}/surveys/programmes/{programme_id}" in text
    await room.start(programme_id)
    await room.call("POST", f"/{programme_id}/pause")
    await told.plan()
    assert len(await room.asking.rows("notices")) == 2, "who pauses it by hand knows it"


async def test_who_becomes_a_leader_is_not_told_of_what_has_rested_for_weeks(room: Mailroom) -> None:
    await room.asking.take(account(), person())
    await room.programme()
    told = pause_notices(room.asking, room.sender._noticing.contents)
    room.relay.mail = "550 5.7.26 unauthenticated"
    await room.until(NOW + 2 * DAY)
    room.asking.clock.advance(8 * DAY)
    await told.plan()
    assert await room.asking.rows("notices") == []
