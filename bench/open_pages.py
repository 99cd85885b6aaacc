"""How much memory of the dashboard an open page takes: pages that stay open, each with its live connection.

`make bench ARGS="open-pages"`. The demo is played on real services; then so many portfolios and accounts are opened in
turn by a client that connects as NiceGUI's script does, without a browser, which would take far more memory than what
is measured. How many of them are still connected at the end is told as well.
"""

import argparse
import ast
import asyncio
import re
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect

from services.dashboard.web.forms import SESSION
from shared.kafka.connection import KafkaConnection
from tests.support.dashboard import dashboard_of, ran
from tests.support.environment import fresh_environment
from tests.support.installation import installed
from tests.support.processes import embedded_kafka, embedded_postgres

PATHS = ("/", "/accounts/ironbridge")
QUIET_SECONDS = 10.0
"""How long the pages are left alone before the memory is read."""
SAID = re.compile(r"query: (\{.*?\})")
MEGABYTE = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Play, open, print."""
    parser = argparse.ArgumentParser(prog="bench open-pages", description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked.pages))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, pages: int) -> None:
    async with fresh_environment(kafka, postgres) as environment:
        with tempfile.TemporaryDirectory() as logs:
            folder = Path(logs)
            async with installed(environment, folder) as installation, dashboard_of(installation, folder) as dashboard:
                await ran(("demo",), folder / "demo.log", dashboard.variables)
                await measure(dashboard.url, dashboard.password, pages)


async def measure(url: str, password: str, pages: int) -> None:
    """Open the pages as the first admin, one after the other; print what memory they take."""
    process = _serving(url)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client, AsyncExitStack() as opened:
        cookie = await _sign_in(client, password)
        reading = []
        for path in PATHS * 3:  # what the first visits load once for all
            first = await opened.enter_async_context(await _open(client, cookie, path))
            reading.append(asyncio.create_task(_drain(first)))
        await asyncio.sleep(QUIET_SECONDS)
        before = process.memory_info().rss
        sockets = []
        for number in range(pages):
            page = await _open(client, cookie, PATHS[number % len(PATHS)])
            sockets.append(await opened.enter_async_context(page))
            reading.append(asyncio.create_task(_drain(sockets[-1])))
        await asyncio.sleep(QUIET_SECONDS)
        after = process.memory_info().rss
        held = sum(socket.close_code is None for socket in sockets)
    each = (after - before) / pages / MEGABYTE
    print(f"{held} of {pages} pages stay connected: {before / MEGABYTE:.0f} MB before, {after / MEGABYTE:.0f} MB after")
    print(f"{each:.2f} MB a page")


def _serving(url: str) -> psutil.Process:
    """The process that listens at the address."""
    port = int(url.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr[1:] == (port,):
            return psutil.Process(connection.pid)
    raise RuntimeError(f"nothing listens at {url}")


async def _sign_in(client: httpx.AsyncClient, password: str) -> str:
    """The cookie of the session."""
    form = await client.get("/login")
    token = re.search(r'name="token" value="([^"]+)"', form.text)
    assert token
    body = {"email": "admin", "password": password, "token": token[1], "next": "/"}
    await client.post("/login", data=body)
    return client.cookies[SESSION]


async def _open(client: httpx.AsyncClient, cookie: str, path: str) -> connect:
    """A page, and its live connection to be entered."""
    page = await client.get(path)
    assert page.is_success, page.text[:500]
    found = SAID.search(page.text)
    assert found
    named = {name: str(value) for name, value in ast.literal_eval(found[1]).items()}
    joining = {"tab_id": "bench", "document_id": named["client_id"], "implicit_handshake": "true"}
    query = httpx.QueryParams({"EIO": "4", "transport": "websocket", **named, **joining})
    address = f"{str(client.base_url).replace('http', 'ws')}/_nicegui_ws/socket.io/?{query}"
    return connect(address, additional_headers={"cookie": f"{SESSION}={cookie}"}, max_size=None)


async def _drain(socket: ClientConnection) -> None:
    """Join, then answer pings and read what comes, as a browser does."""
    await socket.send("40")
    async for message in socket:
        if message == "2":
            await socket.send("3")
