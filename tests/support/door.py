"""An address in front of a server, which a test opens and closes: closed, nothing listens there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from services.cli.embedded.process import LOOPBACK
from tests.support.forwarding import pass_on


@contextlib.asynccontextmanager
async def open_door(port: int, behind: int) -> AsyncIterator[None]:
    """Connections to `port` reach `behind`, both on this machine, until the block ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, to_server = await asyncio.open_connection(LOOPBACK, behind)
            await asyncio.gather(pass_on(reader, to_server), pass_on(there, writer))
        writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, port):
        yield
