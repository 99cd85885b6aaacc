"""Puts the shipped rules in place when the service starts, as soon as the database is there."""

from services.alerting.handlers.rules import install_default_rules
from shared.background import patiently
from shared.clock import Clock
from shared.db.engine import Database

LONGEST_PAUSE_SECONDS = 1.0
"""Until the rules are there nothing can be decided."""


async def put_rules_in_place(database: Database, clock: Clock) -> None:
    """Once; a database that is away is waited for."""
    await patiently(
        "rules", lambda: database.retrying(lambda tx: install_default_rules(tx, clock)), LONGEST_PAUSE_SECONDS
    )
