"""What reads of the scorer are measured against: the same HTTP stack, key and database with nothing to work out.

`python -P -m bench.raw_reads PORT`, with the environment of a service.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query

from services.scorer import SCHEMA
from shared.access.keystore import KeyStore
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.http.app import create_app
from shared.http.auth import Reader
from shared.http.deps import TheDatabase
from shared.http.health import health_of
from shared.http.routing import Router
from shared.settings import CommonSettings

ROW = "select * from account_counts_now where score_window = '90d' and account_id = :account_id"
router = Router()


@router.get("/raw/one")
async def one(caller: Reader, database: TheDatabase) -> dict[str, Any]:
    """`select 1`."""
    async with database.read_once() as tx:
        return {"one": await tx.scalar("select 1")}


@router.get("/raw/row")
async def row(caller: Reader, database: TheDatabase, account: Annotated[str, Query()]) -> dict[str, Any]:
    """A row that somebody else has counted."""
    async with database.read_once() as tx:
        return dict(await tx.one(ROW, account_id=account) or {})


async def _ready() -> None:
    """It is ready as soon as it serves."""


def main() -> None:
    """Serve until SIGTERM."""
    common, clock = CommonSettings.load(), SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Database.of(common, SCHEMA) as database:
            app.state.plumbing = SimpleNamespace(database=database, keys=KeyStore(database, clock))
            health_of(app).add("raw", _ready)
            yield

    app = create_app(SCHEMA, "Raw reads", "Nothing to work out.", [router], lifespan, clock=clock)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False)


if __name__ == "__main__":
    main()
