"""`tellback mail-listen`: a real relay that shows mails and keeps the last ones."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.cli.console import Busy
from services.cli.folder import DataFolder
from services.cli.mail_listen import KeptMails, Listener, listening
from services.cli.mail_print import ShownMail, json_line, print_for_people, shown_mail
from services.outreach.domain.relay import RelaySettings
from services.outreach.gateways.letters import letter_of
from services.outreach.gateways.relay import Relay
from shared.mail import message_of
from tests.support.letters import ASK, STOP, invitation
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

NOW = datetime(2026, 6, 9, 8, tzinfo=UTC)
SENDER, ANN = "b+x@bounces.supplier.example", "ann@acme.example"
CONTENT = message_of(letter_of(invitation()))


@asynccontextmanager
async def relay_of(port: int) -> AsyncIterator[Relay]:
    """Outreach's own way to a relay, as the settings that the command tells make it."""
    relay = Relay(RelaySettings("127.0.0.1", port, "none"))
    try:
        yield relay
    finally:
        await relay.quit()


async def hand_over(port: int, content: bytes = CONTENT, recipient: str = ANN) -> None:
    async with relay_of(port) as relay:
        assert await relay.offer(SENDER, recipient) is None
        assert await relay.give(content) is None


def written(text: str = "Hello", **headers: str) -> bytes:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


async def test_a_mail_of_outreach_is_shown_with_its_links_and_kept(tmp_path: Path) -> None:
    seen: list[ShownMail] = []
    listener = Listener(KeptMails(tmp_path / "mails"), seen.append, count=2)
    async with listening(listener, 0) as port:
        await hand_over(port)
        assert not listener.enough.is_set()
        await hand_over(port, recipient="jörg@acme.example")
    assert listener.enough.is_set()
    [mail, other] = seen
    assert (mail.envelope_sender, mail.recipients) == (SENDER, (ANN,))
    assert other.recipients == ("jörg@acme.example",)
    assert (mail.sender, mail.to) == ("Lea Maier <lea@supplier.example>", "Ann Ong <ann@acme.example>")
    assert mail.subject == letter_of(invitation()).subject
    assert mail.text == letter_of(invitation()).text.strip()
    assert mail.links[0] == ASK
    assert {STOP, *(f"{ASK}?s={score}" for score in range(11))} <= set(mail.links)
    assert len(mail.links) == len(set(mail.links))
    assert mail.file.read_bytes().splitlines() == CONTENT.splitlines()
    assert stat.S_IMODE(mail.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(mail.file.parent.stat().st_mode) == 0o700


async def test_what_cannot_be_kept_is_not_taken(tmp_path: Path) -> None:
    seen: list[ShownMail] = []
    (tmp_path / "mails").write_text("a file where the folder should be")
    async with (
        listening(Listener(KeptMails(tmp_path / "mails"), seen.append), 0) as port,
        relay_of(port) as relay,
    ):
        assert await relay.offer(SENDER, ANN) is None
        trouble = await relay.give(CONTENT)
    assert trouble is not None
    assert (trouble.kind, seen) == ("later", [])


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    listener = Listener(KeptMails(tmp_path), print)
    async with listening(listener, 0) as port:
        with pytest.raises(Busy, match=str(port)):
            async with listening(listener, port):
                pass


def test_the_last_mails_are_kept(tmp_path: Path) -> None:
    kept = KeptMails(tmp_path / "mails", most=3)
    files = [kept.keep(b"%d" % number, NOW + timedelta(microseconds=number)) for number in range(5)]
    assert sorted(kept.folder.iterdir()) == files[2:]
    assert files[4].read_bytes() == b"4"


def shown(content: bytes) -> ShownMail:
    return shown_mail(content, NOW, SENDER, [ANN], Path("/mails/1.eml"))


def test_json_is_one_line_and_whole() -> None:
    line = json_line(shown(CONTENT))
    assert "\n" not in line
    read = json.loads(line)
    assert (read["at"], read["from"]) == ("2026-06-09T08:00:00Z", "Lea Maier <lea@supplier.example>")
    assert read["recipients"] == [ANN]
    assert read["links"][0] == ASK


def test_people_see_the_text_and_each_link_once(capsys: pytest.CaptureFixture[str]) -> None:
    print_for_people(shown(CONTENT), brief=False, width=200)
    text = capsys.readouterr().out
    assert "from Lea Maier <lea@supplier.example> to Ann Ong <ann@acme.example>" in text
    assert text.count(f"{STOP}\n") == 1
    assert text.count(f"{ASK}?s=9\n") == 1
    print_for_people(shown(CONTENT), brief=True, width=200)
    brief = capsys.readouterr().out
    assert "Supplier Ltd" not in brief
    assert f"{ASK}\n" in brief


def test_a_mail_moves_no_cursor_and_means_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_for_people(shown(written("\x1b[2Jgone [bold]not[/]", Subject="\u202eturned")), brief=False, width=200)
    text = capsys.readouterr().out
    assert "�[2Jgone [bold]not[/]" in text
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no header at all",
        b"Content-Type: text/plain; charset=nonsense\n\nwords",
        b"Content-Type: multipart/mixed; boundary=x\n\n--x--",
        b'Content-Type: multipart/alternative; boundary=""\n\n--x--',
        b"Content-Type: ;;;\nContent-Transfer-Encoding: nonsense\n\nwords",
        b"Subject: =?utf-8?b?###?=\nFrom: <\n\n\xff\xfe",
    ],
)
def test_a_mail_that_cannot_be_read_is_shown_all_the_same(content: bytes) -> None:
    assert shown(content).recipients == (ANN,)


def test_a_mail_that_is_only_html_shows_that() -> None:
    mail = shown(b'Content-Type: text/html\n\n<a href="https://a.example/?x=1&amp;y=2">go</a>')
    assert mail.links == ("https://a.example/?x=1&y=2",)
    assert "go</a>" in mail.text


async def test_as_a_program_it_tells_the_settings_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    out, data = tmp_path / "listen.log", tmp_path / "data"
    child = start(tellback("mail-listen", "--port", "0", "--json", "--data", str(data)), out, dict(os.environ))
    try:
        await eventually(lambda: "TELLBACK_OUTREACH_SMTP_PORT=" in out.read_text(), 30)
        port = int(out.read_text().partition("TELLBACK_OUTREACH_SMTP_PORT=")[2].split()[0])
        await hand_over(port)
        await eventually(lambda: ASK in out.read_text())
        child.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(child.wait, 20) == 0
    finally:
        end(child)
    [file] = (data / "mails").iterdir()
    assert json.loads(out.read_text().splitlines()[-1])["file"] == str(file)
    DataFolder(data).check_version()  # `up` takes the folder
    assert replace(shown(file.read_bytes()), file=file).text == letter_of(invitation()).text.strip()
