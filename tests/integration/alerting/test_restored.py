"""After a restore from a backup nothing leaves by itself, and messages are numbered above all that were numbered."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.courier.interface import held_since, let_go, note_restore
from services.alerting.courier.store import queue
from services.alerting.courier.store.queue import ClaimRequest
from services.alerting.store.accounts import next_sequences
from services.alerting.store.notices import due_bundles
from shared.db.engine import Database
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import receiving
from tests.support.webhooks import Hooks, arrived, hooks, message

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TIMELINE = 1_800_000_000_000
NOTICE = """
    with told as (
        insert into notifications (notification_id, channel, topics, min_severity, quiet_hours, created_by, created_at)
        values ('ntf_1', 'mail', array['follow_ups'], 'low', false, 'ana', :now) returning notification_id
    )
    insert into notices (notification_id, recipient, account_id, topic, event_id, status, created_at, due_at)
    select notification_id, 'ana@supplier.example', 'acme', 'follow_ups', gen_random_uuid(), 'waiting', :now, :now
    from told
"""


@pytest.fixture
async def database(database_only: Environment) -> AsyncIterator[Database]:
    found = Database(database_only.database_url, "alerting", pool_size=1)
    yield found
    await found.close()


async def test_webhooks_wait_until_somebody_lets_them_go(environment: Environment) -> None:
    async with receiving() as receiver, hooks(environment) as api:
        courier: Database = api.app.state.service.courier.database
        await api.endpoint(receiver)
        async with courier.write() as tx:
            await note_restore(tx, TIMELINE, NOW)
        await api.send(message())
        assert await held(api) == []
        remarks = " ".join((await api.client.get("/health/ready")).json()["remarks"])
        assert "no webhook or notice is sent since the restore of 2026-03-02 10:00:00 UTC" in remarks
        async with courier.write() as tx:
            assert await held_since(tx) == NOW
            assert await let_go(tx, "ana", NOW) == 1
        await eventually(arrived(receiver, 1))
        async with courier.write() as tx:
            assert await held_since(tx) is None
            assert await let_go(tx, "ana", NOW) == 0, "again it changes nothing"


async def held(api: Hooks) -> list[tuple[str, str]]:
    """What any sender may take an hour from now; nothing is taken."""
    async with api.app.state.service.courier.database.read() as tx:
        count = await tx.scalar("select count(*) from webhook_deliveries where status = 'pending'")
        assert count == 1
        later = datetime.now(UTC) + timedelta(hours=1)
        return await queue.due(tx, later, ClaimRequest("me", 10, timedelta(seconds=30)))


async def test_notices_wait_until_somebody_lets_them_go(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(NOTICE, now=NOW)
        assert len(await due_bundles(tx, NOW, [])) == 1
        await note_restore(tx, TIMELINE, NOW)
        assert await due_bundles(tx, NOW, []) == []
        assert await let_go(tx, "ana", NOW) == 1
        assert len(await due_bundles(tx, NOW, [])) == 1


async def test_messages_of_all_accounts_are_numbered_above_the_timeline(database: Database) -> None:
    async with database.write() as tx:
        assert await next_sequences(tx, ["acme", "acme"]) == [1, 2]
        await note_restore(tx, TIMELINE, NOW)
        assert await next_sequences(tx, ["acme", "new", "acme"]) == [TIMELINE + 1, TIMELINE + 1, TIMELINE + 2]
        assert await next_sequences(tx, ["new", "acme"]) == [TIMELINE + 2, TIMELINE + 3]
        await note_restore(tx, TIMELINE + 100, NOW)
        assert await next_sequences(tx, ["acme", "newest"]) == [TIMELINE + 101, TIMELINE + 101]
