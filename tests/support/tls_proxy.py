"""TLS in front of the embedded PostgreSQL, which has none: a server that answers PostgreSQL's request for encryption
and passes on what is said inside."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.embedded.process import LOOPBACK
from tests.support.forwarding import pass_on

REQUEST_BYTES = 8


@contextlib.asynccontextmanager
async def tls_in_front(url: str, certificate: Path, key: Path, clients: Path | None = None) -> AsyncIterator[str]:
    """The URL of the server behind TLS, without parameters. With `clients`, an authority, they must show a certificate
    of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.load_verify_locations(cafile=clients)
        context.verify_mode = ssl.CERT_REQUIRED
    parts = urlsplit(url)
    assert parts.port is not None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await reader.readexactly(REQUEST_BYTES)  # SSLRequest
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            behind, to_server = await asyncio.open_connection(LOOPBACK, parts.port)
            await asyncio.gather(pass_on(reader, to_server), pass_on(behind, writer))
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@{LOOPBACK}:{port}").geturl()
