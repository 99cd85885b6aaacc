"""The sending domain by API, asked of a real DNS server; what the doctor says of it is the same."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from services.outreach.domain.dns_answers import Question
from services.outreach.gateways.dns import Dns
from services.outreach.settings import OutreachSettings
from tests.support.dns_server import Zone, dns_server
from tests.support.environment import Environment
from tests.support.outreach import Asking, asking

ZONE: Zone = {
    ("supplier.example", "MX"): ("20 second.supplier.example.", "10 First.Supplier.Example."),
    ("supplier.example", "TXT"): ('"v=spf1 a:mail.sup" "plier.example -all"', '"other"'),
    ("mail.supplier.example", "A"): ("192.0.1.25",),
    ("25.1.0.192.in-addr.arpa", "PTR"): ("Mail.Supplier.Example.",),
    ("silent.example", "MX"): ("0 .",),
    ("broken.example", "SERVFAIL"): (),
    ("xn--bcher-kva.example", "TXT"): ('"v=spf1 -all"',),
}


@pytest.fixture(scope="module")
async def running(module_database_only: Environment) -> AsyncIterator[Asking]:
    """Outreach with a relay, whose resolver asks the server of the test."""
    async with asking(module_database_only) as found, dns_server(ZONE) as resolver:
        transport = cast(httpx.ASGITransport, found.client._transport)
        state = cast(FastAPI, transport.app).state
        settings = OutreachSettings(smtp_host="mail.supplier.example", sender_domains=("supplier.example",))
        state.service = replace(state.service, settings=settings, dns=Dns(resolver))
        yield found


@pytest.mark.parametrize(
    ("question", "said"),
    [
        pytest.param(("supplier.example", "TXT"), {"v=spf1 a:mail.supplier.example -all", "other"}, id="texts"),
        pytest.param(("mail.supplier.example", "A"), {"192.0.1.25"}, id="an address"),
        pytest.param(("mail.supplier.example", "AAAA"), set(), id="no such record"),
        pytest.param(("25.1.0.192.in-addr.arpa", "PTR"), {"mail.supplier.example"}, id="a name"),
        pytest.param(("nobody.example", "TXT"), set(), id="no such name"),
        pytest.param(("silent.example", "MX"), {""}, id="a domain that takes no mail"),
        pytest.param(("bücher.example", "TXT"), {"v=spf1 -all"}, id="another alphabet"),
        pytest.param((f"{'x' * 64}.example", "TXT"), set(), id="no name of the DNS"),
        pytest.param(("_dmarc.bücher..example", "TXT"), set(), id="an empty label"),
    ],
)
async def test_the_dns_is_asked(question: Question, said: set[str]) -> None:
    async with dns_server(ZONE) as resolver:
        assert set(await Dns(resolver)(question) or ()) == said


async def test_the_host_that_takes_mail_first_comes_first() -> None:
    async with dns_server(ZONE) as resolver:
        hosts = await Dns(resolver)(("supplier.example", "MX"))
    assert hosts == ("first.supplier.example", "second.supplier.example")


async def test_a_server_that_fails_is_no_answer() -> None:
    async with dns_server(ZONE) as resolver:
        assert await Dns(resolver)(("broken.example", "TXT")) is None


async def test_the_api_says_what_is_there_and_what_is_missing(running: Asking) -> None:
    found = await running.get("/v1/sending-domain")
    checks = {check["name"]: check for check in found["checks"]}
    assert not found["ok"]
    assert checks["supplier.example: SPF"] == {
        "name": "supplier.example: SPF",
        "state": "ok",
        "found": "one record, 1 of 10 look-ups, names mail.supplier.example",
        "fix": "",
        "record": None,
    }
    assert checks["supplier.example: DMARC"]["record"] == {
        "name": "_dmarc.supplier.example",
        "type": "TXT",
        "value": "v=DMARC1; p=none",
    }
    assert "supplier.example" in found["note"]


async def test_only_those_who_manage_everything_may_look(running: Asking) -> None:
    for key in (
        await running.with_key("read", "act", "ingest"),
        await running.with_key("manage", owner_email="olivia@us.example"),
    ):
        assert (await key.client.get("/v1/sending-domain")).status_code == 403
