"""`tellback mail-listen`: a real mail relay on this machine that shows every mail and sends none on.

It is there to try programmes and test mails without a relay of the company: whatever the recipient, the mail ends here.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import Busy, DataOption, JsonOption, say, width
from services.cli.folder import DataFolder
from services.cli.paths import write_private_bytes

if TYPE_CHECKING:
    from services.cli.mail_print import ShownMail

HOST = "127.0.0.1"
DEFAULT_PORT = 8025
KEPT = 100
LARGEST = 10 * 1024 * 1024


def mail_listen(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = DEFAULT_PORT,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after N mails.")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="A few lines a mail, without its text.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Take every mail as a relay does, and show it with its links; nothing leaves this machine. Until Ctrl-C.

    The last 100 mails are kept in the data folder, under mails/.
    """
    folder = DataFolder(data)
    folder.make()
    mailbox = KeptMails(folder.mails)
    asyncio.run(_listen(Listener(mailbox, _printer(as_json=json, brief=brief), count), port))


@dataclass(frozen=True, slots=True)
class KeptMails:
    """The last mails, each as a file that a mail program opens; the oldest goes for a further one."""

    folder: Path
    most: int = KEPT

    def keep(self, content: bytes, at: datetime) -> Path:
        """Keep a mail; returns its file."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / f"{at:%Y%m%dT%H%M%S.%f}.eml"
        write_private_bytes(file, content)
        for old in sorted(self.folder.glob("*.eml"))[: -self.most]:
            old.unlink(missing_ok=True)
        return file


@dataclass
class Listener:
    """The handler of aiosmtpd; it calls `show` with each mail, and ends after `count`."""

    kept: KeptMails
    show: "Callable[[ShownMail], None]"
    count: int | None = None
    taken: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        from services.cli.mail_print import shown_mail

        content, at = bytes(envelope.content), datetime.now(UTC)
        try:
            file = self.kept.keep(content, at)
        except OSError as error:
            return f"452 4.3.1 the mail cannot be kept: {error.strerror}"
        self.show(shown_mail(content, at, str(envelope.mail_from or ""), envelope.rcpt_tos, file))
        self.taken += 1
        if self.count is not None and self.taken >= self.count:
            self.enough.set()
        return f"250 2.0.0 kept as {file.name}"


@contextlib.asynccontextmanager
async def listening(listener: Listener, port: int) -> AsyncIterator[int]:
    """The server as long as the block lasts; gives its port. Raises `Busy` where that is taken."""
    from aiosmtpd.smtp import SMTP

    def connected() -> SMTP:
        return SMTP(listener, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="localhost", ident="Tellback")

    try:
        server = await asyncio.get_running_loop().create_server(connected, HOST, port)
    except OSError:
        raise Busy("port_taken", f"port {port} is taken: choose another with --port") from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _listen(listener: Listener, port: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, listener.enough.set)
    async with listening(listener, port) as taken:
        typer.echo(_how(taken), err=True)
        await listener.enough.wait()


def _how(port: int) -> str:
    """What makes outreach hand its mails over here."""
    return (
        f"listening at {HOST}:{port}; for mails of outreach set TELLBACK_OUTREACH_SMTP_HOST={HOST}"
        f" TELLBACK_OUTREACH_SMTP_PORT={port} TELLBACK_OUTREACH_SMTP_SECURITY=none"
    )


def _printer(*, as_json: bool, brief: bool) -> "Callable[[ShownMail], None]":
    from services.cli.mail_print import json_line, print_for_people

    if as_json:
        return lambda mail: say(json_line(mail))
    return lambda mail: print_for_people(mail, brief=brief, width=width())
