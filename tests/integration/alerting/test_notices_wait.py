"""Notices wait for the mail server and the proxy, as webhooks do: nobody was asked to take them."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.alerting.gateways.mail import AWAY, Mail, Mailer, MailServer, Security
from services.cli.checks import State, notices
from services.cli.embedded.process import free_port
from tests.integration.alerting.cases import OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting
from tests.integration.alerting.test_notices import MINUTE, settled, telling
from tests.support.authorities import Authority
from tests.support.connect_proxy import proxying
from tests.support.environment import Environment
from tests.support.mail import MailServer as Post
from tests.support.mail import mail_server
from tests.support.receiver import receiving
from tests.support.relay import RelayOfTests, relay

TRIES = 9
"""More than the schedule allows."""


@pytest.fixture
async def relay_of_tests() -> AsyncIterator[RelayOfTests]:
    async with relay() as listening:
        yield listening


async def still_waiting(alerting: RunningAlerting, failure: str) -> None:
    """The only notice fails so, day after day, and waits; the doctor says so."""
    for _ in range(TRIES):
        alerting.clock.advance(timedelta(days=1))
        assert await settled(alerting, 1) == {"waiting": 1}
    async with alerting.plumbing.database.read() as tx:
        assert await tx.rows("select last_failure, attempts from notices") == [(failure, 0)]
    (told,) = await notices.waiting(alerting.environment.common)
    assert (told.state, told.found) == (State.WARNING, f"1 wait, since {notices.AWAY[failure][0]}")


async def test_a_mail_waits_for_the_mail_server_however_long_it_is_away(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    for name, value in Post(port).settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TELLBACK_ALERTING_NOTICE_POLL_S", "0.05")
    async with telling(environment, quiet_hours=False) as alerting:
        await alerting.emit(acme.account(), acme.answered("r1", 2))
        await still_waiting(alerting, AWAY)
        async with mail_server(port=port) as back:
            alerting.clock.advance(MINUTE)
            assert await settled(alerting, 1) == {"sent": 1}
            assert back.recipients == [OLIVIA]
        assert await notices.waiting(environment.common) == []


@pytest.mark.parametrize("channel", ["slack", "teams"])
async def test_a_room_waits_for_the_proxy_however_long_it_fails(
    environment: Environment, acme: Case, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_NOTICE_POLL_S", "0.05")
    async with receiving() as room, proxying({"rooms.example:8080": room.port}) as proxy:
        monkeypatch.setenv("TELLBACK_ALERTING_PROXY", proxy.url)
        proxy.status = 407
        url = "http://rooms.example:8080/hook"
        async with telling(environment, channel=channel, url=url, quiet_hours=False) as alerting:
            await alerting.emit(acme.account(), acme.answered("r1", 2))
            await still_waiting(alerting, "proxy")
            proxy.status = 0
            alerting.clock.advance(MINUTE)
            assert await settled(alerting, 1) == {"sent": 1}
        assert len(room.requests) == 1


async def handed_to(port: int, security: Security = "none") -> str | None:
    """What becomes of a mail that is handed over there."""
    mail = Mail("ada@supplier.example", "Subject", "Text.\n", "<one@tellback>", datetime(2026, 6, 8, tzinfo=UTC))
    return await Mailer(MailServer("127.0.0.1", port, security, "tellback@supplier.example")).send(mail)


async def test_a_server_that_is_not_there_or_closes_before_it_takes_a_mail_is_away(
    relay_of_tests: RelayOfTests,
) -> None:
    assert await handed_to(free_port()) == AWAY
    closing = "421 4.3.2 closing"
    for step, answer in (("mail", closing), ("rcpt", {"": closing}), ("data", closing)):
        relay_of_tests.mail, relay_of_tests.rcpt, relay_of_tests.data = "250 OK", {}, "250 OK"
        setattr(relay_of_tests, step, answer)
        assert await handed_to(relay_of_tests.port) == AWAY
    assert relay_of_tests.contents == []


async def test_a_server_that_may_have_taken_a_mail_is_not_away(relay_of_tests: RelayOfTests) -> None:
    relay_of_tests.hang_up_after_data = True
    assert await handed_to(relay_of_tests.port) == "disconnected"
    assert len(relay_of_tests.contents) == 1, "again and again without end it would be a flood"


async def test_a_server_whose_certificate_nobody_has_signed_is_not_away(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path).issue("127.0.0.1", address="127.0.0.1"))
    async with receiving(tls=context) as server:
        assert await handed_to(server.port, "tls") == "tls"
