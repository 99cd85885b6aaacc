"""Test mails to oneself: by a real relay, to own addresses only, and counted nowhere."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.outreach.handlers.mail_tests import ACCOUNT, MOST_AN_HOUR
from services.outreach.settings import OutreachSettings
from tests.support.environment import Environment
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import NOW, Asking, account, asking, person

LEA, GUEST = "lea@supplier.example", "lea.private@mail.example"


@pytest.fixture(scope="module")
async def running(module_database_only: Environment) -> AsyncIterator[Asking]:
    async with asking(module_database_only) as found:
        yield found


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """A published survey, and a relay that the service hands its test mails to."""
    await running.emptied()
    async with mailroom(running) as found:
        with_settings(running, smtp_port=found.relay.port)
        await found.survey()
        yield found


def with_settings(found: Asking, **fields: Any) -> None:
    settings = OutreachSettings(
        smtp_host="127.0.0.1", smtp_security="none", sender_domains=("supplier.example",), test_addresses=(GUEST,)
    )
    transport = found.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    state = cast(FastAPI, transport.app).state
    state.service = replace(state.service, settings=settings.model_copy(update=fields))


async def post(room: Mailroom, survey_id: str = "srv_mail", **body: Any) -> httpx.Response:
    return await room.asking.client.post(f"/v1/surveys/{survey_id}/test-sends", json={"email": LEA} | body)


async def sent(room: Mailroom, **body: Any) -> dict[str, Any]:
    answer = await post(room, **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def refusal(room: Mailroom, **body: Any) -> tuple[int, str]:
    answer = await post(room, **body)
    return answer.status_code, answer.json()["code"]


async def test_the_mail_says_that_it_is_a_test_and_its_link_works(room: Mailroom) -> None:
    made = await sent(room, email="Lea@Supplier.example", name="Lea Maier", language="de")
    [mail] = room.relay.mails
    assert mail["Subject"].startswith("[Test] ")
    assert (mail["From"], mail["To"]) == (f"Lea Maier <{LEA}>",) * 2
    assert (room.relay.senders, room.relay.recipients) == ([LEA], [LEA])
    text = mail.get_body(("plain",))
    assert text is not None
    assert made["url"] in text.get_content()
    assert (made["language"], made["survey_version"], made["confirmed"]) == ("de", 1, True)
    page = await room.asking.client.get(urlsplit(made["url"]).path)
    assert (page.status_code, 'lang="de"' in page.text) == (200, True)


async def test_the_answer_is_recorded_as_a_test_and_nothing_else_is_told(room: Mailroom) -> None:
    made = await sent(room)
    await room.asking.client.post(urlsplit(made["url"]).path, data={"score": "9", "step": "score"})
    [call] = await room.asking.rows("outgoing")
    assert (call["path"], call["body"]["test"], call["body"]["account_id"]) == ("/v1/responses", True, ACCOUNT)


async def test_it_counts_nowhere_and_whoever_tests_may_be_asked(room: Mailroom) -> None:
    await room.asking.take(account(), person(email=LEA))
    await sent(room)
    [counts] = (await room.asking.get("/v1/asks/summary"))["groups"]
    assert (counts["planned"], counts["sent"]) == (0, 0)
    for table in ("outgoing", "contacts", "suppressions"):
        assert await room.asking.rows(table) == []
    assert await room.asking.reason(survey_id="srv_mail") is None
    await room.programme()
    await room.work()
    assert room.relay.recipients == [LEA], "a programme takes up no test"


async def test_only_own_addresses_and_listed_ones_get_it(room: Mailroom) -> None:
    answer = await post(room, email="ann@acme.example")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]
    assert await refusal(room, email=GUEST) == (422, "not_a_sender")
    assert await refusal(room, sender_email="ann@acme.example") == (422, "not_a_sender")
    await sent(room, email=GUEST, sender_email=LEA, sender_name="Lea Maier")
    [mail] = room.relay.mails
    assert (mail["From"], mail["To"]) == (f"Lea Maier <{LEA}>", GUEST)
    assert len(await room.asking.rows("asks")) == 1


async def test_what_forbids_it_is_said(room: Mailroom) -> None:
    assert await refusal(room, survey_id="srv_none") == (404, "survey_not_found")
    await room.asking.survey("srv_draft", published=False)
    assert await refusal(room, survey_id="srv_draft") == (409, "survey_not_published")
    assert (await room.asking.client.post("/v1/suppressions", json={"addresses": [LEA]})).is_success
    assert await refusal(room) == (409, "objected")
    with_settings(room.asking, smtp_host=None)
    assert await refusal(room) == (409, "no_relay")
    assert room.relay.contents == []


async def test_it_takes_the_scope_act(room: Mailroom) -> None:
    for scope, status in (("read", 403), ("ingest", 403), ("manage", 403), ("act", 201)):
        limited = await room.asking.with_key(scope)
        answer = await limited.client.post("/v1/surveys/srv_mail/test-sends", json={"email": LEA})
        assert answer.status_code == status, scope
    assert len(room.relay.contents) == 1


@pytest.mark.parametrize(
    ("step", "reply", "refused"),
    [
        ("mail", "550 5.7.26 unauthenticated", (409, "mail_refused")),
        ("rcpt", "550 5.1.1 no such user", (409, "mail_refused")),
        ("rcpt", "450 4.7.1 greylisted", (503, "relay_away")),
        ("data", "554 5.6.0 spam", (409, "mail_refused")),
    ],
)
async def test_what_the_relay_refuses_is_told_at_once(
    room: Mailroom, step: str, reply: str, refused: tuple[int, str]
) -> None:
    answers: Any = reply
    if step == "rcpt":
        answers = {"": reply}
    setattr(room.relay, step, answers)
    answer = await post(room)
    assert (answer.status_code, answer.json()["code"]) == refused
    assert reply[4:] in answer.json()["detail"]
    states = [(row["state"], row["reason"], row["unconfirmed"]) for row in await room.asking.rows("asks")]
    assert states == [("failed", "message_refused", False)] * (step == "data")


async def test_an_answer_that_did_not_come_is_told(room: Mailroom) -> None:
    room.relay.hang_up_after_data = True
    made = await sent(room)
    assert made["confirmed"] is False
    [ask] = await room.asking.rows("asks")
    assert (ask["ask_id"], ask["state"], ask["unconfirmed"]) == (UUID(made["invitation_id"]), "sent", True)
    await room.sender.round()
    assert len(room.relay.contents) == 1


async def test_a_relay_that_is_away_sends_nothing(room: Mailroom) -> None:
    with_settings(room.asking, smtp_port=1)
    answer = await post(room)
    assert (answer.status_code, answer.json()["code"]) == (503, "relay_away")
    assert int(answer.headers["retry-after"]) > 0
    assert await room.asking.rows("asks") == []


async def test_at_most_sixty_go_in_an_hour(room: Mailroom) -> None:
    async with room.asking.database.write() as tx:
        await tx.execute(
            "insert into asks (ask_id, survey_id, survey_version, account_id, stakeholder_id, origin, state, channel,"
            " handed_over, created_at, created_by, due_at) select gen_random_uuid(), 'srv_mail', 1, 'a', 'b', 'test',"
            " 'sent', 'email', true, :now, 'test', :now from generate_series(1, :most)",
            now=NOW,
            most=MOST_AN_HOUR,
        )
        await tx.execute(
            "insert into sends (ask_id, kind, number, claimed_until, data_started_at)"
            " select ask_id, 'test', 1, :now, :now from asks",
            now=NOW,
        )
    assert await refusal(room) == (429, "too_many_tests")
    room.asking.clock.advance(NOW.replace(hour=11, minute=1) - NOW)
    await sent(room)
