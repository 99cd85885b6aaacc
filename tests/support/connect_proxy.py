"""A small proxy as companies have them: tunnels by CONNECT, for those who know the password."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from services.cli.embedded.process import LOOPBACK
from tests.support.forwarding import pass_on


@dataclass
class ConnectProxy:
    """`names` maps `host:port`, as asked for, to the port of this machine where it leads; others are refused. Keeps
    what was asked for, and the head of each request."""

    names: Mapping[str, int]
    credentials: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    status: int = 0
    """Answer with this instead, where it is set."""
    answer: bytes | None = None
    """Say this instead of HTTP, and hang up; empty: nothing."""

    @property
    def url(self) -> str:
        """The address of the proxy, with user and password."""
        if self.credentials:
            return f"http://{self.credentials}@{LOOPBACK}:{self.port}"
        return f"http://{LOOPBACK}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One tunnel."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            target = head.split()[1].decode()
            self.asked.append(target)
            if self.answer is not None:
                writer.write(self.answer)
                await writer.drain()
                writer.close()
                return
            status = self._verdict(head, target)
            writer.write(f"HTTP/1.1 {status} Said\r\n".encode())
            if status != 200:
                writer.write(b"Content-Length: 0\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            writer.write(b"\r\n")
            behind, to_server = await asyncio.open_connection(LOOPBACK, self.names[target])
            await asyncio.gather(pass_on(reader, to_server), pass_on(behind, writer))
        writer.close()

    def _verdict(self, head: bytes, target: str) -> int:
        basic = base64.b64encode(self.credentials.encode())
        if self.status:
            return self.status
        if self.credentials and b"Proxy-Authorization: Basic " + basic + b"\r\n" not in head:
            return 407
        if not head.startswith(b"CONNECT ") or target not in self.names:
            return 403
        return 200


@contextlib.asynccontextmanager
async def proxying(names: Mapping[str, int], credentials: str = "") -> AsyncIterator[ConnectProxy]:
    """A running proxy for the block."""
    proxy = ConnectProxy(names, credentials)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
