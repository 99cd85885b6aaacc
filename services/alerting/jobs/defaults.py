"""Puts the shipped rules in place when the service starts, as soon as the database is there."""

import asyncio

from services.alerting.handlers.rules import install_default_rules
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Unavailable
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
RETRY_SECONDS = 1.0


async def put_rules_in_place(database: Database, clock: Clock) -> None:
    """Once; a database that is away is waited for."""
    while True:
        try:
            await database.retrying(lambda tx: install_default_rules(tx, clock))
            return
        except Unavailable as error:
            log.warning("rules_wait", code=error.code)
            await asyncio.sleep(RETRY_SECONDS)
