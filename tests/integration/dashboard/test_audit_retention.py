"""The audit is kept for ever, or for as many days as it is told."""

from datetime import timedelta

import pytest

from services.dashboard.jobs.audit_retention import AuditRetention
from services.dashboard.store import audit
from services.dashboard.web.resources import Resources
from shared.db.pieces import PIECE
from tests.support.clock import FrozenClock


@pytest.fixture
async def old(resources: Resources, clock: FrozenClock) -> None:
    """More lines than a piece from 31 days ago and before, and one of 29 days ago."""
    async with resources.desk.database.write() as tx:
        await tx.execute(
            "insert into audit (at, actor, action, subject) select cast(:newest as timestamptz)"
            " - make_interval(secs => number), 'ada', 'signed_in', 'ada' from generate_series(0, :last) as number",
            newest=clock.now() - timedelta(days=31),
            last=PIECE,
        )
        await audit.note(tx, audit.Entry(clock.now() - timedelta(days=29), "bob", "signed_in", "bob"))


async def kept(resources: Resources) -> list[str]:
    async with resources.desk.database.read() as tx:
        return list(await tx.column("select actor from audit"))


@pytest.mark.usefixtures("old")
async def test_lines_older_than_the_days_go_and_others_stay(resources: Resources, clock: FrozenClock) -> None:
    await AuditRetention(resources.desk.database, clock, days=30).look_once()
    assert await kept(resources) == ["bob"]


@pytest.mark.usefixtures("old")
async def test_without_days_the_audit_is_kept_for_ever(resources: Resources, clock: FrozenClock) -> None:
    clock.advance(timedelta(days=36_500))
    await AuditRetention(resources.desk.database, clock, days=0).look_once()
    assert len(await kept(resources)) == PIECE + 2
