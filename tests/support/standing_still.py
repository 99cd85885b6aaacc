"""A process like one of `tellback serve`, with routes that never return: `python -P -m ... PORT SECONDS LAST`."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.cli.serve import _server
from shared.http.app import create_bare_app
from shared.http.connections import Limits
from shared.http.routing import Router
from shared.watchdog import Watchdog

router = Router()


@router.get("/never")
async def never() -> None:
    """Block the event loop for ever."""
    while True:
        pass


@router.get("/stuck")
async def stuck() -> None:
    """Wait for a thread that never ends."""
    sys.stderr.write("stuck\n")
    sys.stderr.flush()
    await asyncio.to_thread(threading.Event().wait)


@asynccontextmanager
async def nothing(_app: FastAPI) -> AsyncIterator[None]:
    """A lifespan without resources."""
    yield


if __name__ == "__main__":
    app = create_bare_app("standing-still", "Stands still", "For a test.", (router,), nothing)
    watchdog = Watchdog(float(sys.argv[2]), float(sys.argv[3]))
    _server(app, ("127.0.0.1", int(sys.argv[1])), 0.0, (), Limits(), watchdog).run()
