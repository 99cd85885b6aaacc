"""Calls to a service in the test's own process, or to a real server on a free port, with a valid key."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from shared.access.store import NewKey, create_key
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.http.connections import Limits
from shared.http.protocol import GuardedProtocol
from tests.support.environment import Environment
from tests.support.polling import eventually


@contextlib.asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, whose lifespan runs for the block; answers are not streamed."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tellback.test") as client:
            yield client


@contextlib.asynccontextmanager
async def serving(app: FastAPI, limits: Limits | None = None, **options: Any) -> AsyncIterator[str]:
    """The base URL of the app on a real server, for behaviour that needs a socket: streams, framing, disconnects."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        protocol = GuardedProtocol.within(limits or Limits())
        options = {"log_config": None, "lifespan": "on", "timeout_graceful_shutdown": 2, "http": protocol} | options
        config = uvicorn.Config(app, **options)
        server = uvicorn.Server(config)
        # The test's process keeps its own signal handlers.
        serve = asyncio.create_task(server._serve([listening]))
        try:
            await eventually(lambda: _started(server, serve))
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serve


async def _started(server: uvicorn.Server, serve: "asyncio.Task[None]") -> bool:
    if serve.done():
        serve.result()
        raise AssertionError("the server stopped while it was starting")
    return server.started


async def api_key(environment: Environment, scopes: Iterable[str], owner_email: str | None = None) -> str:
    """A new key of the environment, in its printed form."""
    database = Database(environment.database_url, "access", pool_size=1)
    try:
        async with database.write() as tx:
            wanted = NewKey("test", frozenset(scopes), owner_email)
            return (await create_key(tx, wanted, SystemClock().now())).token
    finally:
        await database.close()


def bearer(token: str) -> dict[str, str]:
    """The Authorization header of a key."""
    return {"Authorization": f"Bearer {token}"}
