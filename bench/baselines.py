"""Baselines of the collector's benchmark, on the same server: no work at all, the bare group commit, and the
collector's own handler with nothing of its service in front."""

import gc
import json
import os
import sys
from typing import Any

import uvicorn

from services.cli.serve import GC_THRESHOLDS, keep_freed_memory
from services.collector.app import build
from shared.http.app import ServiceApp
from shared.http.connections import Limits
from shared.http.protocol import GuardedProtocol
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.settings import CommonSettings
from shared.topics import RESPONSES

HEADERS = [(b"content-type", b"application/json")]


class Baseline:
    """A raw ASGI application. With a publisher it decodes, publishes and waits for the acknowledgement."""

    def __init__(self, publishing: bool) -> None:
        self._publishing = publishing
        self._publisher: Publisher | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, or the lifespan."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = await self._publish(body) if self._publishing else 202
        await send({"type": "http.response.start", "status": status, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b'{"status":"accepted"}'})

    async def _publish(self, body: bytes) -> int:
        value = json.loads(body)
        items = value.get("responses", [value])
        records = [
            Record.raw(RESPONSES, item["account_id"], item["account_id"].encode(), json.dumps(item).encode(), [])
            for item in items
        ]
        assert self._publisher is not None
        return 202 if not any(await self._publisher.send_many(records)) else 503

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        if self._publishing:
            self._publisher = Publisher(CommonSettings.load().kafka, os.environ["TELLBACK_TOPIC_PREFIX"])
            await self._publisher.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._publisher:
            await self._publisher.stop()
        await send({"type": "lifespan.shutdown.complete"})


def bare_handler() -> tuple[Any, Any]:
    """The collector of which only the hot handlers answer, and the server's protocol that it runs on."""
    service = build()
    assert isinstance(service, ServiceApp)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handler = service if scope["type"] == "lifespan" else service.hot.get((scope["method"], scope["path"]), service)
        await handler(scope, receive, send)

    return app, GuardedProtocol.within(Limits())


if __name__ == "__main__":
    kind = sys.argv[1]
    gc.set_threshold(*GC_THRESHOLDS)  # as the service does it, else its baselines are slower for that alone
    keep_freed_memory()
    app, protocol = bare_handler() if kind == "handler" else (Baseline(publishing=kind == "group"), "httptools")
    uvicorn.run(
        app,
        port=int(sys.argv[2]),
        loop="uvloop",
        http=protocol,
        lifespan="on",
        access_log=False,
        log_level="warning",
    )
