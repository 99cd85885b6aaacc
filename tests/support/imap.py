"""A mailbox that speaks as much IMAP as reading it needs, over a real connection."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PASSWORD = "the-password"


@dataclass
class MailboxOfTests:
    """Mails by UID. `changes`: commands that would change something there."""

    port: int = 0
    validity: int = 1
    mails: dict[int, bytes] = field(default_factory=dict)
    fetched: list[int] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.decode().strip().partition(" ")
            writer.write(self._answer(command))
            refused = command.startswith("LOGIN") and PASSWORD not in command
            writer.write(f"{tag} {'NO wrong' if refused else 'OK done'}\r\n".encode())
            if command == "LOGOUT":
                break
        writer.close()

    def _answer(self, command: str) -> bytes:
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if command.startswith("EXAMINE"):
            return f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] valid\r\n".encode()
        search = re.fullmatch(r"UID SEARCH UID (\d+):\*", command)
        if search is not None:
            found = {uid for uid in self.mails if uid >= int(search[1])} | set(list(self.mails)[-1:])
            return f"* SEARCH {' '.join(map(str, sorted(found)))}\r\n".encode()
        fetch = re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.\d+>\)", command)
        if fetch is not None:
            uid = int(fetch[1])
            self.fetched.append(uid)
            content = self.mails[uid]
            return b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (uid, len(content), content)
        if not command.startswith(("LOGIN", "LOGOUT")):
            self.changes.append(command)
        return b""


@asynccontextmanager
async def mailbox() -> AsyncIterator[MailboxOfTests]:
    """A listening mailbox without mails."""
    box = MailboxOfTests()
    server = await asyncio.start_server(box.serve, "127.0.0.1")
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
