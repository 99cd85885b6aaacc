"""Notices to people, through a real mail server and real rooms: late enough to be whole, once, and never at night."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events.directory import Contact
from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment
from tests.support.mail import MailServer, mail_server, text_of
from tests.support.polling import eventually
from tests.support.receiver import Answer, receiving

MINUTE = timedelta(seconds=61)


@pytest.fixture
async def post(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    """A mail server that alerting is set to use."""
    async with mail_server() as server:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TELLBACK_ALERTING_NOTICE_POLL_S", "0.05")
        monkeypatch.setenv("TELLBACK_ALERTING_ALLOW_NETWORKS", "127.0.0.1/32")
        yield server


@contextlib.asynccontextmanager
async def telling(environment: Environment, at: datetime = MONDAY, **wanted: Any) -> AsyncIterator[RunningAlerting]:
    """Alerting that tells somebody; mail to whom it concerns unless told otherwise."""
    async with running_alerting(environment, at) as alerting:
        answer = await alerting.client.post("/v1/notifications", json={"channel": "mail"} | wanted)
        assert answer.status_code == 201, answer.text
        yield alerting


async def settled(alerting: RunningAlerting, count: int) -> dict[str, int]:
    """What became of the notices, once none waits to be sent any more and there are so many."""

    async def done() -> bool:
        now = alerting.clock.now()
        open_ones = "select count(*) from notices where status = 'sending' or (status = 'waiting' and due_at <= :now)"
        assert await alerting.number("select count(*) from notices") == count
        return await alerting.number(open_ones, now=now) == 0

    await eventually(done, timeout=30)
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all("select status, count(*)::int as n from notices group by status")
    return {row["status"]: row["n"] for row in rows}


async def test_the_owner_gets_one_mail_with_the_comment_that_came_later(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment) as alerting:
        sponsor = Contact(name="Sam Sponsor", email="sam@supplier.example")
        await alerting.emit(acme.account(sponsor=sponsor), acme.person(), acme.response("r1"), acme.answered("r1", 2))
        assert await settled(alerting, 2) == {"waiting": 2}
        await alerting.emit(acme.amended("r1", comment="Nobody calls back."))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"sent": 2}
        assert sorted(post.recipients) == [OLIVIA, "sam@supplier.example"], "the owner, and whom the rule informs"
        mail = post.mails[0]
        assert mail["Subject"] == "Critical: Detractor (2): Jane Doe, Acme"
        assert mail["From"] == "tellback@supplier.example"
        assert mail["Auto-Submitted"] == "auto-generated"
        text = text_of(mail)
        assert "“Nobody calls back.”" in text
        assert "First touch due Mon 08 Jun 2026 14:00 UTC" in text
        assert "The same day, together with a leader." in text
        task = (await alerting.only(acme))["follow_up_id"]
        assert f"http://127.0.0.1:8000/follow-ups/{task}" in text, "the page, not the API"
        notices = (await alerting.get(task, "/why"))["notices"]
        assert {(notice["channel"], notice["status"], notice["topic"]) for notice in notices} == {
            ("mail", "sent", "follow_ups")
        }


async def test_the_burst_of_an_account_is_one_mail_and_webhooks_do_not_wait(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment) as alerting:
        await alerting.subscribe("follow_up.opened")
        other = Case(f"{acme.account_id}-other")
        people = ["ann", "bob", "eva"]
        burst = [acme.answered(f"r{name}", 3, stakeholder_id=name) for name in people]
        await alerting.emit(acme.account(), other.account(name="Other"), *burst[:2])
        alerting.clock.advance(timedelta(seconds=50))
        await alerting.emit(burst[2], other.answered("r1", 5))
        assert len(await alerting.messages(acme)) == 3, "the webhooks are out already"
        alerting.clock.advance(timedelta(seconds=11))
        assert (await settled(alerting, 4))["sent"] == 3
        (mail,) = post.mails
        assert mail["Subject"] == "3 follow-ups at Acme"
        assert all(f"Detractor (3): {name}, Acme" in text_of(mail) for name in people)
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 4) == {"sent": 4}
        assert [mail["Subject"] for mail in post.mails[1:]] == ["High: Detractor (5): jane, Other"]


async def test_what_was_dealt_with_inside_the_wait_is_told_to_nobody(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    """Given a task opened and resolved inside the grouping wait, then no notice; and silence closes by itself when the
    answer comes."""
    async with telling(environment) as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 2), acme.silent(stakeholder_id="bob"))
        task = await alerting.only(acme, stakeholder_id="jane")
        await alerting.do(task["follow_up_id"], "close", outcome="resolved")
        await alerting.emit(acme.answered("r2", 8, stakeholder_id="bob"))
        assert (await alerting.only(acme, stakeholder_id="bob"))["outcome"] == "answered"
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"dropped": 2}
        assert post.mails == []


async def test_nobody_is_told_at_night_unless_they_want_to(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    friday = datetime(2026, 6, 5, 20, tzinfo=UTC)
    async with telling(environment, friday) as alerting:
        awake = {"channel": "mail", "address": "Night@Supplier.example", "quiet_hours": False}
        await alerting.client.post("/v1/notifications", json=awake)
        await alerting.emit(acme.account(), acme.answered("r1", 2, friday))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"sent": 1, "waiting": 1}
        assert post.recipients == ["night@supplier.example"]
        alerting.clock.advance(datetime(2026, 6, 8, 8, 59, tzinfo=UTC) - alerting.clock.now())
        assert await settled(alerting, 2) == {"sent": 1, "waiting": 1}
        alerting.clock.advance(timedelta(minutes=1))
        assert await settled(alerting, 2) == {"sent": 2}
        assert post.recipients[1:] == [OLIVIA]


async def test_an_escalation_goes_to_whom_its_level_names_unless_somebody_took_it_on(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment, topics=["escalations"]) as alerting:
        taken = Case(f"{acme.account_id}-taken")
        sponsor = Contact(name="Sam", email="sam@supplier.example")
        for case in (acme, taken):
            await alerting.emit(case.account(sponsor=sponsor), case.answered("r1", 2))
        alerting.clock.advance(timedelta(hours=4))
        await alerting.run_timer("escalations")
        await alerting.do((await alerting.only(taken))["follow_up_id"], "acknowledge")
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"sent": 1, "dropped": 1}
        assert post.recipients == ["sam@supplier.example"]
        assert post.mails[0]["Subject"] == "Escalated: Detractor (2): jane, Acme"
        assert "nobody has taken it on" in text_of(post.mails[0])


async def test_milder_than_wanted_is_not_told(environment: Environment, acme: Case, post: MailServer) -> None:
    async with telling(environment, min_severity="critical") as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 5), acme.answered("r2", 1, stakeholder_id="bob"))
        assert await alerting.number("select count(*) from notices") == 1


@pytest.mark.parametrize("channel", ["slack", "teams"])
async def test_a_room_is_told_in_its_own_format_and_without_markup_from_customers(
    environment: Environment, acme: Case, post: MailServer, channel: str
) -> None:
    async with receiving() as room, telling(environment, channel=channel, url=room.url) as alerting:
        comment = "<!channel> [click](https://evil.example)"
        await alerting.emit(acme.account(), acme.person(), acme.response("r1", comment=comment), acme.answered("r1", 2))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 1) == {"sent": 1}
        (request,) = room.requests
        body = json.loads(request.body)
        assert "webhook-signature" not in request.headers
        if channel == "slack":
            assert body["text"] == "Critical: Detractor (2): Jane Doe, Acme"
            quotes = [block["text"] for block in body["blocks"] if block["type"] == "section" and "text" in block]
            assert quotes == [{"type": "plain_text", "text": f"“{comment}”", "emoji": False}]
        else:
            card = body["attachments"][0]["content"]
            runs = [run for block in card["body"] for run in block["inlines"]]
            assert {"type": "TextRun", "text": f"“{comment}”", "italic": True} in runs


async def test_praise_goes_to_its_channel(environment: Environment, acme: Case, post: MailServer) -> None:
    async with telling(environment, topics=["praise"], address="team@supplier.example") as alerting:
        await alerting.emit(
            acme.account(),
            acme.person(),
            acme.response("r1", 10, comment="Best support we ever had."),
            acme.response("r2", 10, stakeholder_id="bob"),
            acme.response("r3", 8, comment="Fine.", stakeholder_id="eva"),
            acme.response("r4", 10, comment="From a file.", quiet=True, stakeholder_id="ada"),
            acme.response("r5", 10, comment="Only a test.", test=True, stakeholder_id="kim"),
        )
        await alerting.emit(
            acme.amended("r2", comment="Thank you, Olivia!"), acme.amended("r1", comment="Best support.")
        )
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"sent": 2}
        (mail,) = post.mails
        assert mail["Subject"] == "Praise from Acme"
        assert "“Best support.”" in text_of(mail)
        assert "“Thank you, Olivia!”" in text_of(mail)


async def test_praise_that_is_withdrawn_or_no_promoter_s_by_then_is_not_passed_on(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment, topics=["praise"], address="team@supplier.example") as alerting:
        said = [acme.response(f"r{number}", 10, comment="Best support.") for number in range(2)]
        await alerting.emit(acme.account(), acme.person(), *said)
        await alerting.emit(acme.withdrawn("r0"), acme.amended("r1", score=6))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"dropped": 2}


async def test_a_mail_that_is_refused_goes_again_under_the_same_id(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    post.refuse = 1
    async with telling(environment) as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 1) == {"waiting": 1}
        assert await alerting.number("select count(*) from notices where last_failure = 'smtp_451'") == 1
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 1) == {"sent": 1}
        first = post.mails[0]["Message-ID"]
        async with alerting.plumbing.database.write() as tx:
            # As kill -9 between the server's 250 and our mark leaves it.
            await tx.execute(
                "update notices set status = 'sending', sent_at = null, lease_until = :until",
                until=alerting.clock.now() + timedelta(minutes=2),
            )
        alerting.clock.advance(timedelta(minutes=3))
        assert await settled(alerting, 1) == {"sent": 1}
        assert [mail["Message-ID"] for mail in post.mails] == [first, first]


async def test_a_mail_that_never_gets_through_is_given_up(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    post.refuse = 99
    async with telling(environment, quiet_hours=False) as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        for _ in range(8):
            alerting.clock.advance(timedelta(days=1))
            await settled(alerting, 1)
        assert await settled(alerting, 1) == {"failed": 1}
        assert await alerting.number("select max(attempts) from notices") == 7


async def test_whom_to_tell_is_listed_without_secrets_and_deleted(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with receiving() as room, telling(environment) as alerting:
        url = f"http://{room.host}:{room.port}/services/T0/B0/secret"
        made = await alerting.client.post("/v1/notifications", json={"channel": "slack", "url": url})
        assert made.json()["url"] == f"http://{room.host}:{room.port}/…"
        listed = (await alerting.client.get("/v1/notifications")).json()["items"]
        assert [notification["channel"] for notification in listed] == ["mail", "slack"]
        assert "secret" not in json.dumps(listed)
        path = f"/v1/notifications/{made.json()['id']}"
        assert (await alerting.client.get(path)).json() == listed[1]
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        assert (await alerting.client.delete(path)).status_code == 204
        assert (await alerting.client.get(path)).status_code == 404
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 2) == {"sent": 1, "dropped": 1}
        assert room.requests == []


async def test_a_key_of_one_owner_tells_and_sees_that_owners_accounts_only(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with running_alerting(environment) as alerting:
        hers = await alerting.key("read", "manage", owner_email=OLIVIA)
        others = await alerting.key("read", "manage", owner_email="else@supplier.example")
        for headers in (hers, others):
            body = {"channel": "mail", "address": "list@supplier.example"}
            assert (await alerting.client.post("/v1/notifications", json=body, headers=headers)).status_code == 201
        (listed,) = (await alerting.client.get("/v1/notifications", headers=hers)).json()["items"]
        assert (await alerting.client.get(f"/v1/notifications/{listed['id']}", headers=others)).status_code == 404
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        assert await alerting.number("select count(*) from notices") == 1


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "pigeon"},
        {"channel": "slack"},
        {"channel": "mail", "url": "https://hooks.example/x"},
        {"channel": "teams", "url": "http://169.254.169.254/latest"},
        {"channel": "slack", "url": "file:///etc/passwd"},
        {"channel": "mail", "address": "two words@supplier.example"},
        {"channel": "mail", "topics": []},
        {"channel": "mail", "topics": ["gossip"]},
        {"channel": "mail", "min_severity": "awful"},
    ],
)
async def test_what_cannot_be_told_is_refused(alerting: RunningAlerting, body: dict[str, Any]) -> None:
    answer = await alerting.client.post("/v1/notifications", json=body)
    assert answer.status_code == 422, answer.text


async def test_mail_without_a_mail_server_is_refused_when_it_is_asked_for(alerting: RunningAlerting) -> None:
    answer = await alerting.client.post("/v1/notifications", json={"channel": "mail"})
    assert (answer.status_code, answer.json()["code"]) == (409, "mail_not_configured")
    reader = await alerting.key("read")
    body = {"channel": "mail"}
    assert (await alerting.client.post("/v1/notifications", json=body, headers=reader)).status_code == 403


async def test_people_are_told_once_of_an_endpoint_that_was_disabled(
    environment: Environment, acme: Case, post: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_LEADER_EMAIL", "lea@supplier.example")
    monkeypatch.setenv("TELLBACK_ALERTING_ESCALATION_SECONDS", "0.05")
    async with receiving(default=Answer(410)) as receiver, telling(environment) as alerting:
        made = await alerting.client.post("/v1/webhook-endpoints", json={"url": receiver.url, "description": "our CRM"})
        await alerting.emit(acme.account(), acme.answered("r1", 8, change="new_passive", follow_up_requested=True))
        waiting = "select count(*) from notices where topic = 'webhooks'"

        async def written() -> bool:
            return await alerting.number(waiting) == 1

        await eventually(written)
        alerting.clock.advance(MINUTE)
        await eventually(lambda: "lea@supplier.example" in post.recipients)
        (mail,) = [mail for mail in post.mails if mail["To"] == "lea@supplier.example"]
        assert mail["Subject"] == "Webhook endpoint disabled: 127.0.0.1"
        text = text_of(mail)
        assert f"127.0.0.1, our CRM ({made.json()['id']})" in text
        assert "it answered 410, gone" in text
        assert "/hook" not in text, "an address may hold a secret"
        assert await alerting.run_timer("disabled-endpoints") == 0


async def test_an_endpoint_that_was_enabled_again_meanwhile_is_told_to_nobody(
    environment: Environment, acme: Case, post: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_LEADER_EMAIL", "lea@supplier.example")
    async with receiving(default=Answer(410)) as receiver, telling(environment, topics=["webhooks"]) as alerting:
        made = (await alerting.client.post("/v1/webhook-endpoints", json={"url": receiver.url})).json()
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        disabled = "select count(*) from webhook_endpoints where status = 'disabled'"

        async def is_disabled() -> bool:
            return await alerting.number(disabled) == 1

        await eventually(is_disabled)
        assert await alerting.run_timer("disabled-endpoints") == 1
        await alerting.client.patch(f"/v1/webhook-endpoints/{made['id']}", json={"enabled": True})
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 1) == {"dropped": 1}
        assert post.mails == []
