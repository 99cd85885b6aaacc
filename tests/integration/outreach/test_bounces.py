"""Mails that come back: what becomes of the ask, the person and the programme; complaints; and what names nobody."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.outreach.domain.documents import survey_document
from services.outreach.domain.mail_names import MailName
from services.outreach.domain.mailbox import MailboxSettings
from services.outreach.domain.templates import template_survey
from services.outreach.jobs.mailbox import MailboxReader
from tests.support.bounces import ANN, auto_reply, report
from tests.support.environment import Environment
from tests.support.imap import PASSWORD, mailbox
from tests.support.mailing import LEGAL, Mailroom, mailroom, with_relay
from tests.support.outreach import DAY, NOW, Asking, account, answered, asking, person

SECRET = "the-secret-of-postmark"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
PROVIDERS = {"postmark_secret": SECRET, "sendgrid_key": PUBLIC}
MAIL = {"content-type": "message/rfc822"}


@pytest.fixture(scope="module")
async def running(module_database_only: Environment) -> AsyncIterator[Asking]:
    async with asking(module_database_only) as found:
        with_relay(found, **PROVIDERS)
        yield found


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Ann at Acme was asked by a programme; the clock stands two days after its beginning."""
    await running.emptied()
    async with mailroom(running, bounce_domain="bounces.supplier.example", **PROVIDERS) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"))
        await found.programme(reminders=[7])
        await found.until(NOW + 2 * DAY)
        yield found


async def came_back(room: Mailroom, content: bytes) -> Any:
    """The row of a report that was sent as a mail."""
    answer = await room.asking.client.post("/v1/bounces", content=content, headers=MAIL)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(room: Mailroom, status: int = 200, **fields: Any) -> Any:
    """The row of a report that was told as JSON."""
    body = {"at": room.asking.clock.now().isoformat(), "kind": "hard"} | fields
    answer = await room.asking.client.post("/v1/bounces", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def the_ask(room: Mailroom) -> Any:
    [ask] = (await room.asking.get("/v1/asks", state="sent"))["items"]
    return ask


async def reason(room: Mailroom, stakeholder_id: str = "ann") -> str | None:
    """Why the person gets no link, whenever they were asked."""
    return await room.asking.reason(stakeholder_id, survey_id="srv_mail", override_quarantine="x", handed_over=False)


def token_of(room: Mailroom, ask_id: str | UUID) -> str:
    return room.asking.tokens.bounce_local_part(MailName(UUID(str(ask_id)), "invite", 1))


async def test_b1_b5_a_mail_that_came_back_holds_the_person_until_the_address_is_corrected(room: Mailroom) -> None:
    [sender] = room.relay.senders
    ask = await the_ask(room)
    assert sender == f"{token_of(room, ask['ask_id'])}@bounces.supplier.example"
    row = await came_back(room, report(sender))
    assert (row["kind"], row["effect"], row["status"], row["ask_id"]) == ("hard", "bounced", "5.1.1", ask["ask_id"])
    assert (row["account_id"], row["stakeholder_id"], row["recipient_domain"]) == ("acme", "ann", None)
    assert (row["account_name"], row["name"], row["email"]) == ("Acme Ltd", "Ann Lee", ANN)
    assert row["corrected_at"] is None
    ask = await the_ask(room)
    assert (ask["outcome"], ask["bounced_at"]) == ("bounced", ask["sent_at"])
    kinds = [call["body"]["kind"] for call in await room.asking.rows("outgoing", "entry")]
    assert kinds == ["sent", "bounced"]
    assert await reason(room) == "bounced"
    await room.until(NOW + 12 * DAY)
    assert len(room.relay.contents) == 1, "nobody is reminded at an address that takes no mail"
    await room.sums_hold()
    later = room.asking.clock.now()
    await room.asking.take(person(email="ann.lee@acme.example", recorded_at=later, email_changed_at=later))
    assert await reason(room) is None
    [row] = (await room.asking.get("/v1/bounces"))["items"]
    assert (row["email"], row["corrected_at"]) == ("ann.lee@acme.example", later.isoformat().replace("+00:00", "Z"))


async def test_the_same_report_again_changes_nothing(room: Mailroom) -> None:
    [sender] = room.relay.senders
    first = await came_back(room, report(sender))
    assert await came_back(room, b"Received: from elsewhere\r\n" + report(sender)) == first
    assert len((await room.asking.get("/v1/bounces"))["items"]) == 1
    assert len(await room.asking.rows("outgoing")) == 2


@pytest.mark.parametrize("what", ["nothing", "corrected", "answered"])
async def test_who_was_corrected_or_answered_after_the_mail_went_is_not_held(room: Mailroom, what: str) -> None:
    since = room.asking.clock.now()
    happened = {
        "nothing": person(recorded_at=since),
        "corrected": person(email="ann.lee@acme.example", recorded_at=since, email_changed_at=since),
        "answered": answered(since),
    }
    await room.asking.take(happened[what])
    room.asking.clock.advance(timedelta(minutes=1))
    assert (await came_back(room, report(room.relay.senders[0])))["effect"] == "bounced"
    expected = {"nothing": "bounced"}.get(what)
    assert await reason(room) == expected


async def test_a_mail_of_more_than_ten_days_ago_says_nothing(room: Mailroom) -> None:
    room.asking.clock.advance(11 * DAY)
    assert (await came_back(room, report(room.relay.senders[0])))["effect"] == "too_old"
    assert (await the_ask(room))["bounced_at"] is None
    assert await reason(room) is None


async def test_c25_without_an_envelope_sender_a_message_id_names_the_mail_with_its_recipient(room: Mailroom) -> None:
    message_id = str(room.relay.mails[0]["Message-ID"])
    for content in (
        report("lea@supplier.example", message_id=message_id, recipient="bob@other.example", report_id="<1@mx>"),
        report("lea@supplier.example", message_id=f"<{uuid4()}.invite.1@ask.supplier.example>", report_id="<2@mx>"),
        report(f"b+{'a' * 45}@bounces.supplier.example", report_id="<3@mx>"),
    ):
        row = await came_back(room, content)
        assert (row["kind"], row["effect"], row["ask_id"]) == ("hard", "unmatched", None)
    listed = (await room.asking.get("/v1/bounces", effect="unmatched"))["items"]
    assert [item["recipient_domain"] for item in listed] == ["acme.example", "acme.example", "other.example"]
    assert "bob@" not in str(await room.asking.rows("bounces")), "addresses of others are not kept"
    assert await reason(room) is None
    row = await came_back(room, report("lea@supplier.example", message_id=message_id, report_id="<4@mx>"))
    assert row["effect"] == "bounced"
    assert await reason(room) == "bounced"


async def test_b3_b4_a_delay_is_counted_and_an_automatic_reply_has_no_effect(room: Mailroom) -> None:
    [sender] = room.relay.senders
    assert (await came_back(room, auto_reply(sender)))["effect"] == "none"
    row = await came_back(room, report(sender, action="delayed", status="4.4.1"))
    assert (row["kind"], row["effect"]) == ("soft", "counted")
    row = await told(room, kind="soft", token=sender)
    assert row["effect"] == "counted", "one programme counts once"
    assert await reason(room) is None
    assert (await the_ask(room))["outcome"] == "open"


async def test_b5_the_second_of_another_programme_lets_the_person_rest_for_30_days(room: Mailroom) -> None:
    [sender] = room.relay.senders
    await told(room, kind="soft", token=sender)
    document = survey_document(template_survey("relationship"))
    legal = {"us": "Supplier", "legal": LEGAL, "nps_kind": "transactional", "touchpoint": "support"}
    await room.asking.survey("srv_other", **document | legal)
    room.asking.clock.advance(NOW + 21 * DAY - room.asking.clock.now())
    await room.programme(survey_id="srv_other", reminders=[])
    await room.until(NOW + 24 * DAY)
    mails = [room.asking.tokens.bounced(sender.partition("@")[0]) for sender in room.relay.senders]
    assert len({mail.ask_id for mail in mails if mail is not None}) == 2, "a reminder has a sender of its own"
    assert (await told(room, kind="soft", token=room.relay.senders[-1]))["effect"] == "held"
    link = await room.asking.link("ann", survey_id="srv_mail", override_quarantine="x", handed_over=False)
    assert link["problem"]["reason"] == "bounced"
    again_at = max(row["sent_at"] for row in await room.asking.rows("asks") if row["sent_at"]) + 30 * DAY
    assert datetime.fromisoformat(link["problem"]["again_at"]) == again_at, "30 days after the mail, not the report"
    room.asking.clock.advance(30 * DAY)
    assert await reason(room) is None


async def test_b4_a_complaint_objects_to_all_mail(room: Mailroom) -> None:
    message_id = str(room.relay.mails[0]["Message-ID"])
    row = await told(room, kind="complaint", message_id=message_id, recipient="Ann@ACME.example")
    assert (row["source"], row["effect"]) == ("api", "objected")
    [objection] = (await room.asking.get("/v1/suppressions", email=ANN))["items"]
    assert objection["source"] == "complaint"
    assert (await the_ask(room))["unsubscribed_at"] is not None
    assert [call["body"]["kind"] for call in await room.asking.rows("outgoing", "entry")] == ["sent", "unsubscribed"]
    assert await reason(room) == "objected"


async def test_more_than_five_within_an_hour_pause_the_programme(room: Mailroom) -> None:
    [first] = (await room.call("GET", ""))["items"]
    await room.call("POST", f"/{first['programme_id']}/end")
    people = [f"p{number}" for number in range(6)]
    await room.asking.take(*(person(stakeholder_id) for stakeholder_id in people))
    programme_id = await room.programme(name="Six", when={"type": "once", "on": "2026-06-16"})
    await room.until(NOW + 10 * DAY)
    asks = await room.ask_ids()
    for stakeholder_id in people[:5]:
        await told(room, token=token_of(room, asks[stakeholder_id]))
    assert (await room.call("GET", f"/{programme_id}"))["state"] == "running"
    room.asking.clock.advance(timedelta(minutes=59))
    await told(room, token=token_of(room, asks[people[5]]))
    programme = await room.call("GET", f"/{programme_id}")
    assert programme["state"] == "paused"
    assert "6 mails came back within an hour" in programme["reason"]
    [summed] = (await room.asking.get("/v1/asks/summary"))["groups"]
    assert summed["outcomes"]["bounced"] == 6
    await room.sums_hold()


async def test_c26_postmark_tells_by_its_secret(room: Mailroom) -> None:
    [mail] = room.relay.mails
    token = str(mail["X-PM-Metadata-tellback"])
    body = {"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "Email": ANN, "Metadata": {"tellback": token}}
    body |= {"MessageID": str(uuid4()), "BouncedAt": "2026-06-11T10:00:00.9070259Z", "Inactive": True}
    call = room.asking.client.post
    assert (await call("/v1/bounces/postmark", json=body)).status_code == 401, "no API key does"
    assert (await call("/v1/bounces/postmark", json=body, auth=("postmark", "wrong"))).status_code == 401
    for _ in range(2):
        assert (await call("/v1/bounces/postmark", json=body, auth=("postmark", SECRET))).status_code == 204
    [row] = (await room.asking.get("/v1/bounces"))["items"]
    assert (row["source"], row["effect"]) == ("postmark", "bounced")
    assert (await call("/v1/bounces/postmark", json={"ID": "x"}, auth=("postmark", SECRET))).status_code == 422


async def test_c26_sendgrid_tells_by_its_signature(room: Mailroom) -> None:
    [mail] = room.relay.mails
    named = json.loads(str(mail["X-SMTPAPI"]))["unique_args"]
    about = {"email": ANN, "timestamp": 1781172000, "smtp-id": str(mail["Message-ID"])}
    events = [
        about | {"event": "delivered", "sg_event_id": "1"},
        about | {"event": "bounce", "type": "blocked", "status": "5.7.1", "sg_event_id": "2"},
        {"email": ANN, "event": "spamreport", "sg_event_id": "3", "timestamp": 1781172000} | named,
    ]
    content, timestamp = json.dumps(events).encode(), "1781172000"
    signature = base64.b64encode(PRIVATE.sign(timestamp.encode() + content, ec.ECDSA(SHA256()))).decode()
    headers = {"content-type": "application/json", "x-twilio-email-event-webhook-timestamp": timestamp}
    signed = headers | {"x-twilio-email-event-webhook-signature": signature}
    call = room.asking.client.post
    assert (await call("/v1/bounces/sendgrid", content=content, headers=headers)).status_code == 401
    assert (await call("/v1/bounces/sendgrid", content=content + b" ", headers=signed)).status_code == 401
    for _ in range(2):
        assert (await call("/v1/bounces/sendgrid", content=content, headers=signed)).status_code == 204
    rows = (await room.asking.get("/v1/bounces"))["items"]
    assert {(row["kind"], row["effect"]) for row in rows} == {("complaint", "objected"), ("soft", "counted")}
    assert len(rows) == 2


async def test_what_is_told_must_name_a_mail(room: Mailroom) -> None:
    message_id = str(room.relay.mails[0]["Message-ID"])
    for fields in ({}, {"message_id": message_id}, {"recipient": ANN}, {"token": "b+x", "kind": "odd"}):
        await told(room, 422, **fields)
    answer = await room.asking.client.post("/v1/bounces", content=b"x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert await room.asking.rows("bounces") == []


async def test_c37_only_managers_of_all_accounts_tell_and_see(room: Mailroom) -> None:
    for key in (
        await room.asking.with_key("ingest", "read", "act"),
        await room.asking.with_key("manage", owner_email="olivia@us.example"),
    ):
        answer = await key.client.post("/v1/bounces", content=report(room.relay.senders[0]), headers=MAIL)
        assert answer.status_code == 403
        assert (await key.client.get("/v1/bounces")).status_code == 403
    assert await room.asking.rows("bounces") == []


async def test_pages_of_the_list_follow_each_other(room: Mailroom) -> None:
    for number in range(5):
        await came_back(room, report("x@supplier.example", report_id=f"<{number}@mx>"))
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await room.asking.get("/v1/bounces", **query)
        found += [item["bounce_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(found) == len(set(found)) == 5


async def test_an_erasure_takes_what_came_back_and_a_later_report_names_nobody(room: Mailroom) -> None:
    [sender] = room.relay.senders
    await came_back(room, report(sender, report_id="<1@mx>"))
    room.asking.clock.advance(timedelta(minutes=1))
    await room.asking.take(room.asking.erasure_of())
    assert await room.asking.rows("bounces") == []
    assert (await came_back(room, report(sender, report_id="<2@mx>")))["effect"] == "unmatched"
    assert await room.asking.rows("contacts") == []


async def test_b2_the_mailbox_is_read_once_also_after_it_was_numbered_anew(room: Mailroom) -> None:
    [sender] = room.relay.senders
    async with mailbox() as box:
        settings = MailboxSettings("127.0.0.1", box.port, "none", "bounces", PASSWORD)
        reader = MailboxReader(room.asking.database, room.asking.clock, room.asking.tokens, settings)
        box.mails = {1: auto_reply(sender), 2: report(sender)}
        for _ in range(2):
            assert not await reader.read()
        assert box.fetched == [1, 2]
        box.validity = 2
        await reader.read()
        rows = (await room.asking.get("/v1/bounces"))["items"]
        assert sorted((row["source"], row["effect"]) for row in rows) == [("mail", "bounced"), ("mail", "none")]
    assert await reason(room) == "bounced"
