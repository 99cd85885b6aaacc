"""A process like one of `tellback serve`, with a route that never returns: `python -P -m ... PORT SECONDS`."""

import sys
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


@asynccontextmanager
async def nothing(_app: FastAPI) -> AsyncIterator[None]:
    """A lifespan without resources."""
    yield


if __name__ == "__main__":
    app = create_bare_app("standing-still", "Stands still", "For a test.", (router,), nothing)
    _server(app, ("127.0.0.1", int(sys.argv[1])), 0.0, (), Limits(), Watchdog(float(sys.argv[2]))).run()
