"""A receiver as a process of its own: answers POSTs at once, `/slow` after 10 s, and says what came when.

`GET /arrivals?path=/x` answers the arrivals there since it was asked last: [[account, monotonic seconds], …].
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from services.cli.embedded.process import free_port
from tests.support.polling import eventually
from tests.support.processes import end, start

SLOW_SECONDS = 10.0
ASK_SECONDS = 0.2


class Receiving:
    """A raw ASGI application."""

    def __init__(self) -> None:
        self._arrived: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        at = time.monotonic()
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        answer = b"{}"
        if scope["path"] == "/arrivals":
            path = scope["query_string"].decode().removeprefix("path=")
            answer = json.dumps(self._arrived.pop(path, [])).encode()
        elif scope["method"] == "POST" and scope["path"] != "/bare":
            if scope["path"] == "/slow":
                await asyncio.sleep(SLOW_SECONDS)
            account = json.loads(body)["data"].get("account", {}).get("account_id", "")
            self._arrived[scope["path"]].append((account, at))
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class Watched:
    """A running receiver, as the bench asks it. Asking costs the machine that is measured, so one connection is kept
    and nobody asks more often than needed: the receiver itself notes when something came."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def arrivals(self, path: str) -> list[tuple[str, float]]:
        """What came there since the last call: (account, moment)."""
        await asyncio.sleep(ASK_SECONDS)
        found = (await self._client.get(f"{self.url}/arrivals?path={path}")).json()
        return [(account, at) for account, at in found]


@contextlib.asynccontextmanager
async def receiver_process(logs: Path) -> AsyncIterator[Watched]:
    """A running receiver."""
    port = free_port()
    child = start((sys.executable, "-P", str(Path(__file__)), str(port)), logs / "receiver.log")
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            await eventually(lambda: _answers(url, client), 30)
            yield Watched(url, client)
    finally:
        end(child)


async def _answers(url: str, client: httpx.AsyncClient) -> bool:
    try:
        await client.get(f"{url}/arrivals?path=/")
    except httpx.TransportError:
        return False
    return True


if __name__ == "__main__":
    uvicorn.run(
        Receiving(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
