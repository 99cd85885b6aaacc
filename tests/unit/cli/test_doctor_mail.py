"""`tellback doctor --mail`: says what the DNS lacks, and prints what is to be published."""

import json

import pytest
from typer.testing import CliRunner

from services.cli.checks import State, mail
from services.cli.doctor import _tell_what_to_do
from services.cli.main import app
from services.outreach.domain.dns_answers import Question
from services.outreach.settings import OutreachSettings


async def nothing(question: Question) -> tuple[str, ...] | None:
    """A DNS without records."""
    return ()


def test_without_a_relay_it_says_so() -> None:
    done = CliRunner().invoke(app, ["doctor", "--mail"])
    assert done.exit_code == 0
    assert "no relay is set: nothing is ever sent; links work" in done.output
    assert "no check failed, 1 of 1 could not be made" in done.output


def test_machines_get_what_the_api_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_OUTREACH_SMTP_HOST", "192.0.1.25")
    done = CliRunner().invoke(app, ["doctor", "--mail", "--json"])
    said = json.loads(done.output)
    assert (done.exit_code, said["ok"], said["note"]) == (1, False, None)
    assert [check["name"] for check in said["checks"] if check["state"] == "failed"] == ["sender domains"]


def test_what_is_to_be_published_stands_on_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    settings = OutreachSettings(smtp_host="smtp.sendgrid.net", sender_domains=("supplier.example",))
    report = mail.examined(settings, nothing)
    assert {check.name for check in mail.checks(report) if check.state is State.FAILED} == {
        "supplier.example: SPF",
        "supplier.example: DMARC",
    }
    _tell_what_to_do(report)
    lines = capsys.readouterr().out.splitlines()
    assert "supplier.example TXT v=spf1 include:sendgrid.net ~all" in lines
    assert "_dmarc.supplier.example TXT v=DMARC1; p=none" in lines
    assert "- From: addresses at supplier.example" in lines
