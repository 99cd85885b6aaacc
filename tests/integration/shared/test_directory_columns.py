"""Columns of the directory that a service asks for: its copy has them beside those of all."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.db.directory import DirectoryReplica
from shared.db.directory_columns import FOR_ASKING
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.events.directory import AccountUpserted, DoNotAsk, StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.topics import ACCOUNT_UPSERTED, STAKEHOLDER_REMOVED, STAKEHOLDER_UPSERTED
from shared.verdicts import CHANGE, REPEAT, Received
from tests.support.environment import Environment

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOON.replace(hour=13)
ACME = AccountUpserted(
    account_id="acme",
    closed_on=date(2027, 1, 31),
    time_zone="Europe/Paris",
    language="fr",
    customer_since=date(2019, 4, 1),
    do_not_ask=DoNotAsk(until=date(2026, 9, 30), reason="Claim in court"),
    event_id=uuid7(),
    recorded_at=NOON,
)
ANN = StakeholderUpserted(
    account_id="acme",
    stakeholder_id="ann",
    job_function="Operations",
    location="Lyon",
    language="en",
    time_zone="Europe/London",
    mail_permission="granted",
    email_changed_at=NOON,
    event_id=uuid7(),
    recorded_at=NOON,
)


class Undone(Exception):
    """Ends the transaction of a test."""


@pytest.fixture
async def tx(database_only: Environment) -> AsyncIterator[WriteTx]:
    """A transaction in which the tables have the columns; it is not committed."""
    database = Database(database_only.database_url, "scorer")
    with suppress(Undone):
        async with database.write() as tx:
            for statement in FOR_ASKING.ddl_v1():
                await tx.execute(statement)
            yield tx
            raise Undone
    await database.close()


def received(name: str, data: Any) -> Received:
    return Received(Event(data.event_id, name, "/tellback/test", data.recorded_at, "acme", data), "directory", 0, 0)


async def columns(tx: WriteTx, table: str, names: Any) -> dict[str, Any]:
    row = await tx.one(f"select {', '.join(names)} from {table}")  # noqa: S608 (names of this module)
    assert row is not None
    return dict(row)


async def test_an_account_has_the_columns_of_the_later_record(tx: WriteTx) -> None:
    replica = DirectoryReplica(FOR_ASKING)
    assert await replica.apply(tx, [received(ACCOUNT_UPSERTED, ACME)]) == [CHANGE]
    assert await columns(tx, "accounts", FOR_ASKING.accounts) == {
        "closed_on": date(2027, 1, 31),
        "time_zone": "Europe/Paris",
        "language": "fr",
        "customer_since": date(2019, 4, 1),
        "do_not_ask_until": date(2026, 9, 30),
        "do_not_ask_reason": "Claim in court",
    }
    ended = AccountUpserted(account_id="acme", event_id=uuid7(), recorded_at=LATER)
    again = [received(ACCOUNT_UPSERTED, ended), received(ACCOUNT_UPSERTED, ACME)]
    assert await replica.apply(tx, again) == [CHANGE, REPEAT]
    assert await columns(tx, "accounts", FOR_ASKING.accounts) == dict.fromkeys(FOR_ASKING.accounts)


async def test_a_person_has_the_columns_until_they_are_removed(tx: WriteTx) -> None:
    replica = DirectoryReplica(FOR_ASKING)
    assert await replica.apply(tx, [received(STAKEHOLDER_UPSERTED, ANN)]) == [CHANGE]
    kept = await columns(tx, "stakeholders", FOR_ASKING.people)
    assert kept == {name: getattr(ANN, name) for name in FOR_ASKING.people}
    removed = StakeholderRemoved(account_id="acme", stakeholder_id="ann", event_id=uuid7(), recorded_at=LATER)
    assert await replica.apply(tx, [received(STAKEHOLDER_REMOVED, removed)]) == [CHANGE]
    assert await columns(tx, "stakeholders", FOR_ASKING.people) == dict.fromkeys(FOR_ASKING.people)
