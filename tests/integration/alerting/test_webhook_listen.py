"""`tellback webhook-listen` as a program: it registers itself, verifies, shows failures being tried again."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from services.alerting.courier.domain.signing import new_secret
from services.alerting.courier.gateways.signer import signed_headers
from tests.support.environment import Environment
from tests.support.http import api_key
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback
from tests.support.webhooks import message, served_hooks

DATA = {
    "account": {"account_id": "acme", "name": "Acme Ltd"},
    "stakeholder": {"stakeholder_id": "ada@acme.example", "name": "Ada"},
    "response": {"score": 7, "category": "passive", "comment": "slower [bold]than[/] before"},
    "task": {"kind": "promoter_to_passive", "title": "Ada became passive", "severity": "high", "state": "open"},
}


@contextmanager
def listening(tmp_path: Path, *arguments: str, **variables: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """The command as a child, and what it prints."""
    out = tmp_path / "listen.log"
    child = start(tellback("webhook-listen", "--port", "0", *arguments), out, variables)
    try:
        yield child, out
    finally:
        end(child)


async def address_in(out: Path) -> str:
    await eventually(lambda: "listening at http" in out.read_text(), 30)
    address: str = re.findall(r"listening at (http://[0-9.:]+/)", out.read_text())[0]
    return address


async def test_it_registers_verifies_prints_and_unregisters(environment: Environment, tmp_path: Path) -> None:
    async with served_hooks(environment) as api:
        key = await api_key(environment, ("read", "manage"))
        variables = {"TELLBACK_ALERTING_URL": str(api.client.base_url), "TELLBACK_API_KEY": key}
        with listening(tmp_path, "--register", "--fail", "1", **variables) as (child, out):
            address = await address_in(out)
            page = await api.call("GET", "/webhook-endpoints")
            assert [item["url"] for item in page["items"]] == [address]
            await api.send(message(data=DATA))
            await eventually(lambda: "answered 200" in out.read_text())
            child.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(child.wait, 20) == 0
            text = out.read_text()
        assert (await api.call("GET", "/webhook-endpoints"))["items"] == []
    assert re.search(r"follow_up\.opened {2}verified {2}attempt 1 {2}answered 500", text)
    assert re.search(r"follow_up\.opened {2}verified {2}attempt 2 {2}answered 200", text)
    assert "Acme Ltd · Ada" in text
    assert "slower [bold]than[/] before" in text
    assert "follow-up: Ada became passive · high · open" in text
    assert '"account_id": "acme"' in text


async def test_a_refusal_says_what_to_do(environment: Environment, tmp_path: Path) -> None:
    async with served_hooks(environment, ALLOW_NETWORKS="") as api:
        key = await api_key(environment, ("read", "manage"))
        variables = {"TELLBACK_ALERTING_URL": str(api.client.base_url), "TELLBACK_API_KEY": key}
        with listening(tmp_path, "--register", **variables) as (child, out):
            assert await asyncio.to_thread(child.wait, 30) == 1
            assert "tellback up --demo" in out.read_text()


async def test_a_wrong_secret_does_not_verify(tmp_path: Path) -> None:
    secret, other = new_secret(), new_secret()
    with listening(tmp_path, "--secret", secret, "--json", "--count", "1") as (child, out):
        address = await address_in(out)
        body = b'{"type": "follow_up.opened", "data": {}}'
        async with httpx.AsyncClient() as client:
            forged = await client.post(
                address, content=body, headers=signed_headers("msg_1", datetime.now(UTC), body, [other])
            )
            good = await client.post(
                address, content=body, headers=signed_headers("msg_2", datetime.now(UTC), body, [other, secret])
            )
        assert (forged.status_code, good.status_code) == (401, 200)
        assert await asyncio.to_thread(child.wait, 20) == 1
        heard = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    assert [(message["webhook_id"], message["verified"]) for message in heard] == [("msg_1", False), ("msg_2", True)]
    assert "secret" not in json.dumps(heard)


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with listening(tmp_path) as (_, out):
        port = (await address_in(out)).rstrip("/").rpartition(":")[2]
        with listening(tmp_path / "second", "--port", port) as (child, said):
            assert await asyncio.to_thread(child.wait, 30) == 4
            assert "--port" in said.read_text()
