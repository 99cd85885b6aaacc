"""Alerting in the background: a fault with one row stops no other, and is over with its cause."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.alerting import SCHEMA
from services.alerting.courier.interface import enqueue
from services.alerting.courier.store.queue import UNUSABLE_PAUSE
from shared.events.directory import Contact
from shared.telemetry.metrics import exposition
from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.integration.alerting.test_notices import MINUTE, post, telling
from tests.integration.alerting.test_watches import RENEWAL, voices
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.mail import MailServer
from tests.support.polling import eventually
from tests.support.processes import run_tellback
from tests.support.receiver import receiving
from tests.support.webhooks import Hooks, arrived, hooks, message, webhook_id

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
    """Given a fault that lies in no row of what is taken, then the task counts as failing until it is over."""
    async with receiving() as receiver, hooks(environment, **QUICK) as api:
        endpoint = await api.endpoint(receiver)
        tasks = api.app.state.plumbing.tasks
        await api.execute("alter table webhook_endpoints rename column served_at to served")
        await api.send(message())
        await eventually(lambda: "webhooks" in tasks.failing)
        assert await api.deliveries(endpoint), "the API goes on"
        await api.execute("alter table webhook_endpoints rename column served to served_at")
        await eventually(lambda: _all_delivered(api, endpoint), timeout=30)
        await eventually(lambda: not tasks.failing, timeout=30)


@pytest.mark.parametrize(
    ("table", "condition"),
    [
        ("webhook_endpoints", "new.endpoint_id = '{endpoint}' and new.served_at is not null"),
        ("webhook_deliveries", "new.message_id = '{message}' and new.endpoint_id = '{endpoint}'"),
    ],
)
async def test_a_row_that_cannot_be_taken_holds_up_no_other(
    environment: Environment, table: str, condition: str
) -> None:
    async with receiving() as theirs, receiving() as others, hooks(environment, **QUICK) as api:
        bad, good = await api.endpoint(theirs), await api.endpoint(others)
        first, second = message(), message()
        row = condition.format(endpoint=bad["id"], message=webhook_id(first.event_id))
        async with broken(environment, table, f"{row} and tg_op = 'UPDATE'"):
            await api.send(first, second)
            await api.all_settled(good, "delivered")
            if table == "webhook_deliveries":
                await eventually(arrived(theirs, 1))
                assert theirs.ids() == [webhook_id(second.event_id)], "also of its own endpoint"
            await api.send(message())
            await api.all_settled(good, "delivered")
            assert webhook_id(first.event_id) not in theirs.ids()
            assert not api.app.state.plumbing.tasks.failing
        await eventually(lambda: _all_delivered(api, bad), timeout=30)


async def _all_delivered(api: Hooks, endpoint: dict[str, Any]) -> bool:
    return {item["status"] for item in await api.deliveries(endpoint)} == {"delivered"}


@pytest.mark.parametrize("status", ["sending", "sent"])
async def test_a_notice_that_cannot_be_written_down_holds_up_no_other(
    environment: Environment, acme: Case, post: MailServer, status: str
) -> None:
    async with telling(environment) as alerting:
        sponsor = Contact(name="Sam Sponsor", email=SPONSOR)
        condition = f"new.recipient = '{SPONSOR}' and new.status = '{status}'"
        async with broken(environment, "notices", condition):
            await alerting.emit(acme.account(sponsor=sponsor), acme.response("r1"), acme.answered("r1", 2))
            alerting.clock.advance(MINUTE)
            await eventually(lambda: _sent_to(alerting, OLIVIA), timeout=30)
            assert not await _sent_to(alerting, SPONSOR)
            assert "notices" not in alerting.plumbing.tasks.failing
        alerting.clock.advance(timedelta(minutes=5))
        await eventually(lambda: _sent_to(alerting, SPONSOR), timeout=30)


async def _sent_to(alerting: RunningAlerting, recipient: str) -> bool:
    statement = "select count(*) from notices where recipient = :recipient and status = 'sent'"
    return await alerting.number(statement, recipient=recipient) > 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers that look many times a second."""
    for name in ("WAKE_SECONDS", "ESCALATION_SECONDS", "WATCH_SECONDS"):
        monkeypatch.setenv(f"TELLBACK_ALERTING_{name}", "0.05")


@pytest.mark.parametrize(
    ("action", "body", "later", "entry"),
    [
        ("snooze", {"until": "2026-06-08T12:00:00Z"}, timedelta(hours=2), "woken"),
        ("acknowledge", {}, timedelta(days=2), "unacknowledged"),
        (None, {}, timedelta(hours=4), "escalated"),
    ],
)
@pytest.mark.usefixtures("quick")
async def test_a_follow_up_that_cannot_be_changed_holds_up_no_other(
    environment: Environment, acme: Case, action: str | None, body: dict[str, Any], later: timedelta, entry: str
) -> None:
    other = Case(f"{acme.account_id}-other")
    async with running_alerting(environment) as alerting:
        bad, good = [await _followed_up(alerting, case) for case in (acme, other)]
        for follow_up_id in (bad, good) if action else ():
            await alerting.do(follow_up_id, str(action), **body)

        async def changed(follow_up_id: str) -> bool:
            return entry in [line["action"] for line in (await alerting.get(follow_up_id))["history"]]

        condition = f"new.follow_up_id = '{bad}' and new.action = '{entry}'"
        async with broken(environment, "task_history", condition):
            alerting.clock.advance(later)
            await eventually(lambda: changed(good), timeout=30)
            assert not await changed(bad)
            assert not alerting.plumbing.tasks.failing
        await eventually(lambda: changed(bad), timeout=30)
        lines = [line["action"] for line in (await alerting.get(good))["history"]]
        assert lines.count(entry) == 1, "what was done is not done again with the other"


async def _followed_up(alerting: RunningAlerting, case: Case) -> str:
    await alerting.emit(case.account(), case.answered("r1", 2))
    return str((await alerting.only(case))["follow_up_id"])


@pytest.mark.usefixtures("quick")
async def test_a_follow_up_that_cannot_be_read_counts_as_late_and_holds_up_no_other(
    environment: Environment, acme: Case
) -> None:
    other = Case(f"{acme.account_id}-other")
    late = "tellback_tasks_overdue_without_escalation"
    async with running_alerting(environment) as alerting:
        bad, good = [await _followed_up(alerting, case) for case in (acme, other)]

        async def zone(name: str) -> None:
            async with alerting.plumbing.database.write() as tx:
                await tx.execute(
                    "update tasks set policy = jsonb_set(policy, '{business_time,time_zone}',"
                    " to_jsonb(cast(:zone as text))) where follow_up_id = cast(:id as uuid)",
                    zone=name,
                    id=bad,
                )

        async def fired(follow_up_id: str) -> int:
            statement = "select count(*) from task_escalations where follow_up_id = cast(:id as uuid)"
            return await alerting.number(statement, id=follow_up_id)

        await zone("Nowhere/Nowhere")
        alerting.clock.advance(timedelta(hours=4, minutes=2))
        await eventually(lambda: fired(good), timeout=30)
        await alerting.run_timer("audit")
        assert f"{late} 1.0" in exposition().decode()
        await zone("UTC")
        await eventually(lambda: fired(bad), timeout=30)
        await alerting.run_timer("audit")
        assert f"{late} 0.0" in exposition().decode()


@pytest.mark.usefixtures("quick")
async def test_the_daily_watch_passes_over_an_account_and_a_segment_that_cannot_be_evaluated(
    environment: Environment, acme: Case
) -> None:
    other, third = Case(f"{acme.account_id}-other"), Case(f"{acme.account_id}-third")
    async with running_alerting(environment, MONDAY - timedelta(hours=3)) as alerting:
        for case in (acme, other):
            await alerting.emit(case.account(renewal_on=RENEWAL))
            await alerting.emit(case.scored(1, 10, "at_risk"))
        await alerting.emit(third.account(industry="logistics", tier="key"), voices(third, (60, 24), (60, 6)))
        bad = {acme.account_id, "segment/industry/logistics"}
        good = {other.account_id, "segment/tier/key"}

        async def opened(accounts: set[str]) -> bool:
            items = (await alerting.client.get("/v1/follow-ups")).json()["items"]
            assert {item["account_id"] for item in items} == accounts
            return True

        async with broken(environment, "tasks", f"new.account_id in {tuple(bad)}"):
            alerting.clock.advance(timedelta(hours=2))
            await eventually(lambda: opened(good), timeout=30)
            assert not alerting.plumbing.tasks.failing
        await eventually(lambda: opened(good | bad), timeout=30)


async def test_the_command_judges_the_others_and_names_the_accounts_that_fail(
    environment: Environment, acme: Case
) -> None:
    other = Case(f"{acme.account_id}-other")
    async with running_alerting(environment) as alerting:
        for case in (acme, other):
            await _followed_up(alerting, case)
        async with alerting.plumbing.database.write() as tx:  # as a repair by hand would
            await tx.execute("update responses set base = jsonb_build_object('score', score), score = 9")
        async with broken(environment, "tasks", f"new.account_id = '{acme.account_id}'"):
            done = await run_tellback(environment, "follow-ups", "judge", "--json")
        assert json.loads(done.stdout) == {"accounts": 1, "failed": [acme.account_id]}
        assert (done.returncode, done.stderr.splitlines()[-2:]) == (
            1,
            ["error: 1 could not be judged:", f"  {acme.account_id}"],
        )
        assert (await alerting.only(other))["state"] == "closed"
        assert (await alerting.only(acme))["state"] == "open"


@pytest.mark.usefixtures("quick", "post")
async def test_an_endpoint_of_which_nobody_can_be_told_keeps_no_other_from_being_told(environment: Environment) -> None:
    async with telling(environment) as alerting:
        for _ in range(2):
            await alerting.subscribe("follow_up.opened")

        bad, good = await _endpoint_ids(alerting)

        async def notices_sent(endpoint_id: str) -> int:
            statement = "select count(*) from webhook_notices where announced_at is not null and endpoint_id = :id"
            return await alerting.number(statement, id=endpoint_id)

        condition = f"new.announced_at is not null and new.endpoint_id = '{bad}'"
        async with broken(environment, "webhook_notices", condition):
            async with alerting.plumbing.database.write() as tx:
                await tx.execute(
                    "insert into webhook_notices (endpoint_id, kind, subject, created_at)"
                    " select endpoint_id, 'gone', 'now', now() from webhook_endpoints"
                )
            await eventually(lambda: notices_sent(good), timeout=30)
            assert not await notices_sent(bad)
            assert not alerting.plumbing.tasks.failing
        await eventually(lambda: notices_sent(bad), timeout=30)


async def _endpoint_ids(alerting: RunningAlerting) -> list[str]:
    async with alerting.plumbing.database.read() as tx:
        return list(await tx.column("select endpoint_id from webhook_endpoints order by endpoint_id"))


async def test_a_delivery_of_which_no_attempt_can_be_made_is_put_off_and_holds_up_no_other(
    environment: Environment,
) -> None:
    clock = FrozenClock(datetime.now(UTC))
    async with receiving() as theirs, receiving() as others, hooks(environment, clock=clock) as api:
        bad, good = await api.endpoint(theirs), await api.endpoint(others)
        await api.execute("alter table webhook_deliveries drop constraint webhook_deliveries_trigger_check")
        webhooks, change = api.app.state.service.courier, "update webhook_deliveries set trigger = :name"
        async with webhooks.database.write() as tx:
            await enqueue(tx, message())
            await tx.execute(f"{change} where endpoint_id = :id", name="of a later release", id=bad["id"])
        webhooks.wake()
        await api.settled(good, "delivered")
        statement = "select from webhook_deliveries where status = 'pending' and last_failure = 'internal'"
        await eventually(lambda: api.execute(f"{statement} and next_attempt_at > :now", now=clock.now()))
        assert theirs.requests == []
        await api.execute(f"{change} where endpoint_id = :id", name="automatic", id=bad["id"])
        clock.advance(UNUSABLE_PAUSE)
        assert (await api.settled(bad, "delivered"))["attempts"][0]["number"] == 1, "it was not tried in vain"
