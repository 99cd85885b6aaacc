"""Bytes from one connection to another."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from services.cli.embedded.process import LOOPBACK

CHUNK = 65_536


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def forwarding(host: str, *to_ports: int) -> AsyncIterator[int]:
    """A port of this address that leads to others of the loopback address: each connection to the next of them that
    answers, as a balancer does."""
    turns = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for step in range(len(to_ports)):
            with contextlib.suppress(OSError):
                there = to_ports[(first + step) % len(to_ports)]
                behind, to_server = await asyncio.open_connection(LOOPBACK, there)
                break
        else:
            writer.close()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(pass_on(reader, to_server), pass_on(behind, writer))

    server = await asyncio.start_server(serve, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
