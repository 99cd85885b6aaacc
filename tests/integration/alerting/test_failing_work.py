"""Alerting in the background: a fault with one message or endpoint stops no other, and is over with its cause."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from services.alerting import SCHEMA
from shared.events.directory import Contact
from tests.integration.alerting.cases import OLIVIA, Case
from tests.integration.alerting.desk import Desk
from tests.integration.alerting.test_notices import MINUTE, post, telling
from tests.support.environment import Environment
from tests.support.mail import MailServer
from tests.support.polling import eventually
from tests.support.receiver import receiving
from tests.support.webhooks import Hooks, arrived, hooks, message

__all__ = ["post"]
SPONSOR = "sam@supplier.example"
QUICK: dict[str, Any] = {"ATTEMPT_TIMEOUT_S": "1", "LEASE_MARGIN_S": "1"}


@asynccontextmanager
async def broken(environment: Environment, table: str, condition: str) -> AsyncIterator[None]:
    """While this lasts nothing that the condition is true of can be written to the table."""
    connection = await asyncpg.connect(environment.database_url, server_settings={"search_path": SCHEMA})
    body = f"begin if {condition} then raise exception 'broken'; end if; return new; end"
    try:
        await connection.execute(f"create function breaks() returns trigger language plpgsql as $$ {body}; $$")
        await connection.execute(
            f"create trigger breaks before insert or update on {table} for each row execute function breaks()"
        )
        yield
        await connection.execute(f"drop trigger breaks on {table}")
    finally:
        await connection.close()


async def test_an_outcome_that_cannot_be_written_down_holds_up_no_other_endpoint(environment: Environment) -> None:
    async with (
        receiving() as theirs,
        receiving() as others,
        hooks(environment, **QUICK) as api,
    ):
        bad, good = await api.endpoint(theirs), await api.endpoint(others)
        condition = f"new.endpoint_id = '{bad['id']}' and new.status = 'delivered'"
        async with broken(environment, "webhook_deliveries", condition):
            await api.send(*(message() for _ in range(5)))
            await eventually(arrived(theirs, 5))
            await api.all_settled(good, "delivered")
            assert {item["status"] for item in await api.deliveries(bad)} != {"delivered"}
        await eventually(lambda: _all_delivered(api, bad), timeout=30)
        assert len(set(theirs.ids())) == 5


async def test_webhooks_go_on_once_what_stopped_all_of_them_is_gone(environment: Environment) -> None:
    async with receiving() as receiver, hooks(environment, **QUICK) as api:
        endpoint = await api.endpoint(receiver)
        tasks = api.app.state.plumbing.tasks
        async with broken(environment, "webhook_deliveries", "new.status = 'sending'"):
            await api.send(message())
            await eventually(lambda: "webhooks" in tasks.failing)
            assert await api.deliveries(endpoint), "the API goes on"
        await eventually(lambda: _all_delivered(api, endpoint), timeout=30)
        await eventually(lambda: not tasks.failing, timeout=30)


async def _all_delivered(api: Hooks, endpoint: dict[str, Any]) -> bool:
    return {item["status"] for item in await api.deliveries(endpoint)} == {"delivered"}


async def test_a_notice_that_cannot_be_written_down_holds_up_no_other(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment) as alerting:
        sponsor = Contact(name="Sam Sponsor", email=SPONSOR)
        condition = f"new.recipient = '{SPONSOR}' and new.status = 'sent'"
        async with broken(environment, "notices", condition):
            await alerting.emit(acme.account(sponsor=sponsor), acme.response("r1"), acme.answered("r1", 2))
            alerting.clock.advance(MINUTE)
            await eventually(lambda: _sent_to(alerting, OLIVIA), timeout=30)
            assert not await _sent_to(alerting, SPONSOR)
            assert "notices" not in alerting.plumbing.tasks.failing
        alerting.clock.advance(timedelta(minutes=5))
        await eventually(lambda: _sent_to(alerting, SPONSOR), timeout=30)


async def _sent_to(alerting: Desk, recipient: str) -> bool:
    statement = "select count(*) from notices where recipient = :recipient and status = 'sent'"
    return await alerting.number(statement, recipient=recipient) > 0
