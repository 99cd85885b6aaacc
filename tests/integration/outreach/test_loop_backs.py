"""Those who answered are told what was changed: once, as no ask, past no objection; the next invitation repeats it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.mailing import Mailroom, mailroom, sender_of_tests
from tests.support.outreach import DAY, NOW, Asking, account, answered, person

CHANGED = "You said that deliveries were late.\nA second driver now has the night route."
LINE = "A second driver now has the night route."
LEA, MAX = "lea@supplier.example", "max@supplier.example"


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """At Acme, Lea's, Ann and Bob answered a month ago, Cem never; Zoe answered at Bolt, which is Max's."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(
            account(name="Acme Ltd", owner=LEA),
            person(name="Ann Lee"),
            person("bob"),
            person("cem"),
            account("bolt", owner=MAX),
            person("zoe", "bolt"),
            answered(NOW - 30 * DAY, "r-1", nps_kind="transactional"),
            answered(NOW - 30 * DAY, "r-2", stakeholder_id="bob"),
            answered(NOW - 30 * DAY, "r-3", "bolt", stakeholder_id="zoe"),
        )
        yield found


async def told(desk: Asking, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = await desk.client.post("/v1/loop-backs", json={"changed": CHANGED, "account_id": "acme"} | body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_f2_those_who_answered_are_told_once_and_nobody_is_asked(room: Mailroom) -> None:
    made = await told(room.asking)
    assert (made["people"], made["waiting"], made["line"]) == (2, 2, LINE)
    await room.until(NOW + 3 * DAY)
    assert sorted(room.relay.recipients) == ["ann@acme.example", "bob@acme.example"]
    [mail] = [mail for mail in room.relay.mails if "ann@" in str(mail["To"])]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "A second driver now has the night route." in text
    assert "Supplier Ltd" in text
    assert "List-Unsubscribe" in mail
    assert str(mail["From"]) == LEA
    assert await room.asking.rows("asks") == []
    assert await room.asking.rows("outgoing") == [], "the collector hears of no invitation"
    assert await room.asking.reason("cem", survey_id="srv_mail") is None
    assert await room.asking.reason("ann", survey_id="srv_mail", override_quarantine="she asked for it") is None
    found = (await room.asking.get("/v1/loop-backs"))["items"]
    assert [(item["loop_back_id"], item["sent"]) for item in found] == [(made["loop_back_id"], 2)]


async def test_c12_no_quarantine_and_no_floor_begin_with_it(room: Mailroom) -> None:
    await told(room.asking)
    await room.until(NOW + 1 * DAY)
    assert len(room.relay.contents) == 2
    assert await room.asking.reason("ann", survey_id="srv_mail") is None, "she was asked about an occasion only"


async def test_c30_an_objection_or_a_gone_address_keeps_it_back_with_the_reason(room: Mailroom) -> None:
    await room.asking.client.post("/v1/suppressions", json={"addresses": ["ann@acme.example"]})
    room.relay.rcpt = {"bob@acme.example": "550 5.1.1 no such user"}
    made = await told(room.asking)
    await room.until(NOW + 1 * DAY)
    found = await room.asking.get(f"/v1/loop-backs/{made['loop_back_id']}")
    assert (found["people"], found["sent"], found["skipped"], found["failed"]) == (2, 0, 1, 1)
    assert {reason["reason"] for reason in found["reasons"]} == {"objected", "recipient_refused"}
    assert await room.asking.reason("bob", survey_id="srv_mail", override_quarantine="x") == "bounced"


async def test_c30_what_a_mail_calls_all_mails_is_surveys_reminders_and_news(room: Mailroom) -> None:
    await room.programme(who={"account_id": "acme"}, reminders=[7])
    await room.until(NOW + 3 * DAY)
    [mail] = [mail for mail in room.relay.mails if "ann@" in str(mail["To"])]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    [path] = re.findall(r"^Stop all survey mails: https://[^/]+(/u/\S+)", text, re.MULTILINE)
    page = await room.asking.client.get(path)
    assert "<h1>Stop all survey mails</h1>" in page.text
    assert "no more surveys, reminders, reviews and news" in page.text
    room.relay.contents.clear()
    assert (await room.asking.client.post(path, data={"action": "stop"})).is_success
    await told(room.asking)
    await room.until(NOW + 11 * DAY)
    texts = [str(mail.get_body(("plain",)).get_content()) for mail in room.relay.mails]  # type: ignore[union-attr]
    assert any(LINE in text for text in texts), "Bob is told"
    reached = {str(mail["To"]) for mail in room.relay.mails}
    assert reached == {"bob@acme.example", "cem@acme.example"}, "Cem is reminded, Ann hears nothing"


async def test_who_objects_before_the_mail_begins_gets_none(room: Mailroom) -> None:
    await told(room.asking)
    noticing = room.sender._noticing
    [first, _] = await noticing.due(10)
    note = await noticing.look_at(first)
    assert note is not None
    await room.asking.client.post("/v1/suppressions", json={"addresses": [note.to.email]})
    assert not await noticing.begin(first, note)


async def test_it_goes_in_hours_of_the_recipient_only(room: Mailroom) -> None:
    room.asking.clock.advance(3 * DAY + timedelta(hours=6))
    await told(room.asking)
    await room.until(NOW + 6 * DAY + timedelta(hours=20), timedelta(hours=2))
    assert room.relay.contents == [], "Friday, the weekend, Monday"
    await room.until(NOW + 8 * DAY)
    assert len(room.relay.contents) == 2


async def test_m13_the_next_invitation_repeats_its_last_line_and_the_one_after_does_not(room: Mailroom) -> None:
    await told(room.asking)
    await room.until(NOW + 1 * DAY)
    room.asking.clock.advance(90 * DAY)
    for expected in (True, False):
        room.relay.contents.clear()
        await room.programme(reminders=[])
        await room.until(room.asking.clock.now() + 7 * DAY, timedelta(hours=1))
        texts = {str(mail["To"]): mail.get_body(("plain",)) for mail in room.relay.mails}
        assert {"ann@acme.example", "cem@acme.example"} <= {to.rpartition("<")[2].strip(">") for to in texts}
        for to, part in texts.items():
            said = LINE in str(part.get_content())  # type: ignore[union-attr]
            assert said == (expected and "cem@" not in to and "zoe@" not in to)
        room.asking.clock.advance(190 * DAY)


async def test_it_counts_for_the_most_mails_of_a_day(room: Mailroom) -> None:
    await told(room.asking)
    room.sender = sender_of_tests(room.asking, room.relay.port, daily_cap=1)
    await room.until(NOW + timedelta(hours=8), timedelta(hours=2))
    assert len(room.relay.contents) == 1
    await room.until(NOW + DAY, timedelta(hours=2))
    assert len(room.relay.contents) == 2
    await room.sender.close()


async def test_a_line_in_another_language_stays_out_of_the_invitation(room: Mailroom) -> None:
    await told(room.asking, language="de")
    await room.until(NOW + 1 * DAY)
    [first, *_] = room.relay.mails
    assert str(first["Subject"]) == "Was wir nach Ihren Antworten geändert haben"
    room.relay.contents.clear()
    room.asking.clock.advance(90 * DAY)
    await room.programme(reminders=[])
    await room.until(room.asking.clock.now() + 7 * DAY, timedelta(hours=1))
    assert room.relay.contents
    for mail in room.relay.mails:
        assert LINE not in str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]


async def test_it_is_taken_back_before_it_has_gone(room: Mailroom) -> None:
    made = await told(room.asking)
    path = f"/v1/loop-backs/{made['loop_back_id']}/withdraw"
    found = (await room.asking.client.post(path)).json()
    assert (found["skipped"], found["waiting"], found["reasons"][0]["reason"]) == (2, 0, "withdrawn")
    assert found["withdrawn_at"] is not None
    assert (await room.asking.client.post(path)).status_code == 200, "again changes nothing"
    await room.until(NOW + 3 * DAY)
    assert room.relay.contents == []
    gone = await told(room.asking)
    await room.until(NOW + 8 * DAY)
    late = await room.asking.client.post(f"/v1/loop-backs/{gone['loop_back_id']}/withdraw")
    assert (late.status_code, late.json()["code"]) == (409, "already_sent")


async def test_a_theme_is_told_to_those_who_named_it_and_one_address_once(room: Mailroom) -> None:
    await room.asking.take(
        person("bobby", email="bob@acme.example"), answered(NOW - 2 * DAY, "r-4", stakeholder_id="bobby")
    )
    named = [{"account_id": "acme", "stakeholder_id": who} for who in ("bob", "bobby", "cem")]
    named.append({"account_id": "bolt", "stakeholder_id": "zoe"})
    made = await told(room.asking, account_id=None, theme="delivery", people=named)
    assert (made["people"], made["theme"]) == (2, "delivery")
    await told(room.asking, 422, account_id=None, theme="delivery")
    await told(room.asking, 422, theme="delivery", people=named)


async def test_nothing_is_told_where_nobody_answered_or_only_long_ago(room: Mailroom) -> None:
    assert (await told(room.asking, 409, answered_days=10))["code"] == "nobody_answered"


async def test_c37_a_key_of_an_owner_tells_its_own_accounts_only(room: Mailroom) -> None:
    lea = await room.asking.with_key("read", "act", owner_email=LEA)
    assert (await told(lea, 404, account_id="bolt"))["code"] == "account_not_found"
    named = [{"account_id": "acme", "stakeholder_id": "bob"}]
    await told(lea, 403, account_id=None, theme="delivery", people=named)
    theirs = await told(room.asking, account_id="bolt")
    own = await told(lea)
    assert [item["loop_back_id"] for item in (await lea.get("/v1/loop-backs"))["items"]] == [own["loop_back_id"]]
    refused = await lea.client.post(f"/v1/loop-backs/{theirs['loop_back_id']}/withdraw")
    assert refused.status_code == 404
    await told(await room.asking.with_key("ingest"), 403)


async def test_an_erasure_takes_the_mail_along(room: Mailroom) -> None:
    await told(room.asking)
    await room.asking.take(room.asking.erasure_of("ann"))
    assert [row["stakeholder_id"] for row in await room.asking.rows("notices")] == ["bob"]
