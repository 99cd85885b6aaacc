"""Who bounced is invited once more when the address was corrected, and never a third time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.outreach.store.sends import last_refused
from shared.clock import rfc3339
from tests.support.bounces import ANN, report
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, answered, person, person_removed

NEW, NEWER = "ann.lee@acme.example", "ann.lee@group.example"
MAIL = {"content-type": "message/rfc822"}


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Ann at Acme is asked by a programme of this week that reminds after a week."""
    await running.emptied()
    async with mailroom(running, bounce_domain="bounces.supplier.example") as found:
        await found.survey()
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"))
        await found.programme(reminders=[7])
        yield found


async def bounced(room: Mailroom, report_id: str = "<1@mx>", mail: int = -1) -> None:
    """A mail comes back, the one that went last if none is named."""
    content = report(room.relay.senders[mail], report_id=report_id)
    answer = await room.asking.client.post("/v1/bounces", content=content, headers=MAIL)
    assert answer.json()["effect"] == "bounced", answer.text


async def corrected(room: Mailroom, email: str = NEW) -> None:
    """Somebody corrects the address in the directory, a minute later."""
    now = room.asking.clock.advance(timedelta(minutes=1))
    await room.asking.take(person(name="Ann Lee", email=email, recorded_at=now, email_changed_at=now))


async def the_ask(room: Mailroom) -> tuple[str, str | None]:
    """State and outcome of the only ask."""
    [ask] = (await room.asking.get("/v1/asks"))["items"]
    return ask["state"], ask["outcome"]


async def test_c11_a_corrected_address_gets_one_more_invitation_and_its_reminder(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    assert await the_ask(room) == ("sent", "bounced")
    await corrected(room)
    await room.until(NOW + 9 * DAY)
    assert room.relay.recipients == [ANN, NEW], "at once, in the hours of the next days"
    assert await the_ask(room) == ("sent", "open")
    [first, second] = [str(mail["Message-ID"]) for mail in room.relay.mails]
    assert (".invite.1@" in first, ".invite.2@" in second) == (True, True)
    [ask] = await room.asking.rows("asks")
    mails = await room.asking.rows("sends", "number")
    assert ask["closes_at"] == mails[1]["sent_at"] + 30 * DAY, "the link is open as long as for everybody"
    await room.sums_hold()
    await room.until(NOW + 24 * DAY)
    assert room.relay.recipients == [ANN, NEW, NEW]
    assert [row["kind"] for row in await room.asking.rows("sends", "data_started_at")] == [
        "invite",
        "invite",
        "reminder",
    ]


@pytest.mark.parametrize("refused_at_once", [False, True])
async def test_h2_a_reminder_after_a_second_invitation_refers_to_that_one(
    room: Mailroom, refused_at_once: bool
) -> None:
    if refused_at_once:
        room.relay.rcpt = {ANN: "550 5.1.1 no such user"}
    await room.until(NOW + 2 * DAY)
    if not refused_at_once:
        await bounced(room)
    await corrected(room)
    await room.until(NOW + 24 * DAY)
    second, reminder = room.relay.mails[-2:]
    assert ".invite.2@" in str(second["Message-ID"])
    assert ".reminder.1@" in str(reminder["Message-ID"])
    assert reminder["In-Reply-To"] == reminder["References"] == second["Message-ID"]
    assert reminder["To"] == second["To"] == f"Ann Lee <{NEW}>"
    assert reminder["Subject"] == "A reminder: how are we doing for Acme Ltd?", "as every reminder"


async def test_c11_who_was_reached_at_the_corrected_address_counts_no_more_as_refused(room: Mailroom) -> None:
    async def refused() -> tuple[int, int]:
        async with room.asking.database.read() as tx:
            [programme] = await room.asking.rows("programmes")
            return await last_refused(tx, programme["programme_id"], NOW, 100)

    await room.until(NOW + 2 * DAY)
    await bounced(room)
    assert await refused() == (1, 1)
    await corrected(room)
    await room.until(NOW + 9 * DAY)
    assert await refused() == (1, 0)
    await bounced(room, "<2@mx>")
    assert await refused() == (1, 1)


async def test_c11_there_is_no_third_invitation(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    await corrected(room)
    await room.until(NOW + 9 * DAY)
    await bounced(room, "<2@mx>")
    assert await the_ask(room) == ("sent", "bounced")
    await corrected(room, NEWER)
    await room.until(NOW + 25 * DAY)
    assert room.relay.recipients == [ANN, NEW]
    assert await the_ask(room) == ("sent", "bounced")
    await room.sums_hold()


async def told(room: Mailroom) -> list[tuple[str, Any]]:
    """What the collector is told of asks, and when that was."""
    calls = await room.asking.rows("outgoing", "entry")
    return [(call["body"]["kind"], call["body"]["at"]) for call in calls]


async def test_a_late_report_of_the_first_mail_does_not_undo_the_second_invitation(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    await corrected(room)
    await room.until(NOW + 4 * DAY)
    assert room.relay.recipients == [ANN, NEW]
    before = await told(room)
    await bounced(room, "<late@mx>", mail=0)
    assert await the_ask(room) == ("sent", "open"), "the second mail has arrived for all that is known"
    assert await told(room) == before
    assert await room.asking.reason("ann", survey_id="srv_mail", override_quarantine="x", handed_over=False) is None
    await room.until(NOW + 12 * DAY)
    assert room.relay.recipients == [ANN, NEW, NEW], "the reminder goes"
    await room.sums_hold()


async def test_a_complaint_about_the_first_mail_stops_the_address_that_it_went_to(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    await corrected(room)
    await room.until(NOW + 4 * DAY)
    body = {"at": room.asking.clock.now().isoformat(), "kind": "complaint", "token": room.relay.senders[0]}
    answer = await room.asking.client.post("/v1/bounces", json=body)
    assert answer.json()["effect"] == "objected"
    hashes = {bytes(row["address_hash"]) for row in await room.asking.rows("suppressions")}
    assert hashes == {room.asking.tokens.address_hash(ANN).digest}


async def test_a_second_bounce_is_told_to_the_collector_and_its_reminder_s_is_not(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    await corrected(room)
    await room.until(NOW + 12 * DAY)
    assert room.relay.recipients == [ANN, NEW, NEW]
    await bounced(room, "<2@mx>", mail=1)
    await bounced(room, "<3@mx>", mail=2)
    first, second = [rfc3339(mail["data_started_at"]) for mail in await room.asking.rows("sends", "kind, number")][:2]
    bounces = [at for kind, at in await told(room) if kind == "bounced"]
    assert bounces == [first, second]
    assert await the_ask(room) == ("sent", "bounced")


async def test_c11_an_address_that_was_refused_at_once_is_invited_again(room: Mailroom) -> None:
    room.relay.rcpt = {ANN: "550 5.1.1 no such user"}
    await room.until(NOW + 2 * DAY)
    assert await the_ask(room) == ("failed", None)
    await corrected(room)
    await room.until(NOW + 9 * DAY)
    assert room.relay.recipients == [NEW]
    assert await the_ask(room) == ("sent", "open")
    kinds = [call["body"]["kind"] for call in await room.asking.rows("outgoing", "entry")]
    assert kinds == ["bounced", "sent"]
    await room.sums_hold()


@pytest.mark.parametrize("what", ["nothing", "answered", "removed", "withdrawn", "paused"])
async def test_c11_nobody_is_invited_again_whom_no_mail_may_reach(room: Mailroom, what: str) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    if what != "nothing":
        await corrected(room)
    now = room.asking.clock.now()
    [ask] = await room.asking.rows("asks")
    if what == "answered":
        await room.asking.take(answered(now, invitation_id=str(ask["ask_id"])))
    elif what == "removed":
        await room.asking.take(person_removed(recorded_at=now))
    elif what == "withdrawn":
        assert (await room.asking.client.post(f"/v1/asks/{ask['ask_id']}/withdraw")).status_code == 200
    elif what == "paused":
        await room.call("POST", f"/{ask['programme_id']}/pause")
    await room.until(NOW + 9 * DAY)
    whose = [str(mail["To"]) for mail in room.relay.mails]
    assert [to for to in whose if "Ann" in to] == [f"Ann Lee <{ANN}>"]
    await room.sums_hold()


async def test_c11_an_address_that_somebody_else_has_is_mailed_once(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    now = room.asking.clock.now()
    await room.asking.take(person("bob", email=NEW, type="decision_maker", recorded_at=now))
    await corrected(room)
    await room.until(NOW + 20 * DAY, timedelta(hours=2))
    assert room.relay.recipients == [ANN, NEW], "one of both, a fortnight apart"
    await room.sums_hold()


async def test_c11_a_second_invitation_waits_for_the_relay_and_goes_once(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    await corrected(room)
    room.relay.rcpt = {"": "450 4.7.1 greylisted"}
    await room.until(NOW + 8 * DAY)
    assert room.relay.recipients == [ANN]
    assert await the_ask(room) == ("sent", "bounced")
    room.relay.rcpt = {}
    room.relay.hang_up_after_data = True
    await room.until(NOW + 9 * DAY)
    room.relay.hang_up_after_data = False
    await room.until(NOW + 10 * DAY)
    assert room.relay.recipients == [ANN, NEW]
    [ask] = (await room.asking.get("/v1/asks", unconfirmed="true"))["items"]
    assert ask["outcome"] == "open"


async def test_c24_after_a_restore_nobody_is_invited_again_who_may_have_been(room: Mailroom) -> None:
    await room.until(NOW + 2 * DAY)
    await bounced(room)
    async with room.asking.database.write() as tx:
        await tx.execute("update sending set origin = 'another cluster'")
    await room.work()
    await corrected(room)
    assert (await room.asking.client.post("/v1/sending/resume")).status_code == 200
    await room.until(NOW + 10 * DAY)
    assert room.relay.recipients == [ANN]
