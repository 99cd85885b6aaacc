"""Endpoints that fail for a while: the breaker, rest that a receiver asks for, being disabled, and coming back."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import FAIL, OK, Answer, Receiver, receiving
from tests.support.webhooks import OPENED, Hooks, arrived, hooks, message, webhook_id

HOUR = 3600
PATIENT = 30


@pytest.fixture
def clock() -> FrozenClock:
    """Days pass when the test says so. It starts at the present, since what is new is due by the database's clock."""
    return FrozenClock(datetime.now(UTC))


@contextlib.asynccontextmanager
async def failing(
    environment: Environment, clock: FrozenClock, *, gap: float, default: Answer = FAIL, **settings: str
) -> AsyncIterator[tuple[Hooks, Receiver]]:
    """Alerting that tries again every `gap` seconds, and a receiver that fails."""
    schedule = ",".join([str(gap)] * 40)
    async with (
        receiving(default=default) as receiver,
        hooks(environment, clock=clock, RETRY_SCHEDULE=schedule, **settings) as api,
    ):
        yield api, receiver


async def detail_of(api: Hooks, endpoint: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await api.call("GET", f"/webhook-endpoints/{endpoint['id']}")
    return found


async def recorded(api: Hooks, endpoint: dict[str, Any], attempts: int) -> dict[str, Any]:
    """The endpoint, once so many attempts at all its deliveries were written down and none is under way."""

    async def probe() -> bool:
        deliveries = await api.deliveries(endpoint)
        assert sum(item["attempt_count"] for item in deliveries) == attempts, deliveries
        return all(item["status"] != "sending" for item in deliveries)

    await eventually(probe, PATIENT)
    return await detail_of(api, endpoint)


def levels(endpoint: dict[str, Any], kind: str) -> list[int]:
    """The levels of the notices of a kind, first to last."""
    return [notice["level"] for notice in reversed(endpoint["notices"]) if notice["kind"] == kind]


async def test_after_ten_failures_messages_wait_for_a_probe_that_succeeds(
    environment: Environment, clock: FrozenClock
) -> None:
    async with failing(environment, clock, gap=HOUR) as (api, receiver):
        endpoint = await api.endpoint(receiver, max_in_flight=1)
        await api.send(*(message() for _ in range(14)))
        opened = await recorded(api, endpoint, 10)
        assert opened["breaker"] == "open"
        assert datetime.fromisoformat(opened["next_probe_at"]) == clock.now() + timedelta(seconds=30)
        untried = [item for item in await api.deliveries(endpoint) if item["attempt_count"] == 0]
        assert [item["status"] for item in untried] == ["pending"] * 4

        clock.advance(timedelta(seconds=30))
        probed = await recorded(api, endpoint, 11)
        assert (probed["breaker"], len(receiver.requests)) == ("open", 11)
        assert datetime.fromisoformat(probed["next_probe_at"]) == clock.now() + timedelta(seconds=30)

        receiver.default = OK
        clock.advance(timedelta(seconds=30))
        closed = await recorded(api, endpoint, 14)
        assert (closed["breaker"], closed["next_probe_at"], closed["consecutive_failures"]) == ("closed", None, 0)
        clock.advance(timedelta(hours=2))
        assert len(await api.all_settled(endpoint, "delivered")) == 14
    assert len(set(receiver.ids())) == 14


async def test_what_somebody_waits_for_is_the_next_probe(environment: Environment, clock: FrozenClock) -> None:
    async with failing(environment, clock, gap=HOUR) as (api, receiver):
        endpoint = await api.endpoint(receiver, max_in_flight=1)
        await api.send(*(message() for _ in range(12)))
        await recorded(api, endpoint, 10)
        test = await api.call("POST", f"/webhook-endpoints/{endpoint['id']}/test", 202)
        receiver.default = OK
        clock.advance(timedelta(seconds=30))
        await recorded(api, endpoint, 13)
        assert receiver.ids()[10] == test["webhook_id"]


async def test_another_url_is_tried_at_once(environment: Environment, clock: FrozenClock) -> None:
    async with failing(environment, clock, gap=HOUR) as (api, receiver), receiving() as moved:
        endpoint = await api.endpoint(receiver, max_in_flight=1)
        await api.send(*(message() for _ in range(12)))
        await recorded(api, endpoint, 10)
        changed = await api.call("PATCH", f"/webhook-endpoints/{endpoint['id']}", json={"url": moved.url})
        assert changed["breaker"] == "closed"
        await eventually(arrived(moved, 2), PATIENT)
    assert len(receiver.requests) == 10


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_holds_back_every_message(environment: Environment, clock: FrozenClock, status: int) -> None:
    busy = Answer(status, headers={"Retry-After": "120"})
    async with failing(environment, clock, gap=60, default=busy) as (api, receiver):
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        resting = await recorded(api, endpoint, 1)
        assert datetime.fromisoformat(resting["rest_until"]) == clock.now() + timedelta(seconds=120)
        receiver.default = OK
        await api.send(message())
        clock.advance(timedelta(seconds=119))
        canary = await api.endpoint(receiver, event_types=[OPENED])
        await api.call("POST", f"/webhook-endpoints/{canary['id']}/test", 202)
        await eventually(arrived(receiver, 2), PATIENT)
        assert [item["attempt_count"] for item in await api.deliveries(endpoint)] == [0, 1]
        clock.advance(timedelta(seconds=1))
        await api.all_settled(endpoint, "delivered")
        assert [item["attempt_count"] for item in await api.deliveries(endpoint)] == [1, 2]


async def test_days_of_only_failures_disable_over_a_restart_and_messages_come_back_by_recover(
    environment: Environment, clock: FrozenClock
) -> None:
    """Given only failures over longer than the disable window, with a restart in between, then disabled,
    first_failure_at set, one operational event for each level."""
    started, sent = clock.now(), message()
    schedule = ",".join([str(10 * HOUR)] * 40)
    async with receiving(default=FAIL) as receiver:
        async with hooks(environment, clock=clock, RETRY_SCHEDULE=schedule) as api:
            endpoint = await api.endpoint(receiver)
            await api.send(sent)
            for attempts in range(1, 6):
                await recorded(api, endpoint, attempts)
                clock.advance(timedelta(hours=12.5))
        async with hooks(environment, clock=clock, RETRY_SCHEDULE=schedule) as api:
            for attempts in range(6, 11):
                assert (await recorded(api, endpoint, attempts))["status"] == "enabled"
                clock.advance(timedelta(hours=12.5))
            disabled = await recorded(api, endpoint, 11)
            assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "failing")
            assert datetime.fromisoformat(disabled["first_failure_at"]) == started
            assert levels(disabled, "failing") == [50, 70, 90, 100]
            await api.send(message())
            assert (await detail_of(api, endpoint))["held_count"] == 2

            receiver.default = OK
            await api.call("PATCH", f"/webhook-endpoints/{endpoint['id']}", json={"enabled": True})
            began = (started - timedelta(minutes=1)).isoformat()
            job = await api.call("POST", f"/webhook-endpoints/{endpoint['id']}/recover", 202, json={"since": began})
            assert job["count"] == 2
            clock.advance(timedelta(seconds=1))
            assert len(await api.all_settled(endpoint, "delivered", job_id=job["job_id"])) == 2
            healed = await detail_of(api, endpoint)
    assert receiver.ids().count(webhook_id(sent.event_id)) == 12
    assert (healed["status"], healed["first_failure_at"]) == ("enabled", None)


async def test_two_failures_far_apart_do_not_disable(environment: Environment, clock: FrozenClock) -> None:
    """Given one failure, silence longer than twice the window, one failure, then still enabled."""
    async with failing(environment, clock, gap=11 * 24 * HOUR) as (api, receiver):
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        await recorded(api, endpoint, 1)
        clock.advance(timedelta(days=13, hours=12))
        after = await recorded(api, endpoint, 2)
    assert (after["status"], after["notices"]) == ("enabled", [])
    assert datetime.fromisoformat(after["first_failure_at"]) == clock.now()


async def test_notices_on_the_way_to_twenty_failures_name_the_message(
    environment: Environment, clock: FrozenClock
) -> None:
    """Given failures in a row to a threshold of 20, then notices at 10, 14, 18 and 20, each once, with type and message
    id."""
    async with failing(environment, clock, gap=600, BREAKER_FAILURES="20") as (api, receiver):
        endpoint = await api.endpoint(receiver)
        sent = message()
        await api.send(sent)
        at = {}
        for attempts in range(1, 23):
            at[attempts] = levels(await recorded(api, endpoint, attempts), "failures_in_a_row")
            clock.advance(timedelta(minutes=13))
        notices = (await detail_of(api, endpoint))["notices"]
    assert [(number, at[number]) for number in (9, 10, 13, 14, 17, 18, 19, 20, 22)] == [
        (9, []),
        (10, [50]),
        (13, [50]),
        (14, [50, 70]),
        (17, [50, 70]),
        (18, [50, 70, 90]),
        (19, [50, 70, 90]),
        (20, [50, 70, 90, 100]),
        (22, [50, 70, 90, 100]),
    ]
    assert {(notice["event_type"], notice["webhook_id"]) for notice in notices} == {(OPENED, webhook_id(sent.event_id))}


async def test_recovered_messages_become_due_one_by_one(environment: Environment, clock: FrozenClock) -> None:
    async with failing(environment, clock, gap=60, default=OK, RECOVER_PER_S="0.01") as (api, receiver):
        endpoint = await api.endpoint(receiver)
        path = f"/webhook-endpoints/{endpoint['id']}"
        await api.call("PATCH", path, json={"enabled": False})
        held = [message(sequence=number) for number in (1, 2, 3)]
        await api.send(*held)
        await api.call("PATCH", path, json={"enabled": True})
        since = (clock.now() - timedelta(days=1)).isoformat()
        until = (clock.now() + timedelta(days=1)).isoformat()
        job = await api.call("POST", f"{path}/recover", 202, json={"since": since, "until": until})
        assert job["count"] == 3
        for count in (1, 2, 3):
            await recorded(api, endpoint, count)
            assert receiver.ids() == [webhook_id(message.event_id) for message in held[:count]]
            waiting = [item["next_attempt_at"] for item in await api.deliveries(endpoint, status="pending")]
            assert len(waiting) == 3 - count
            clock.advance(timedelta(seconds=100))


async def test_a_recovery_is_refused_beyond_ten_thousand_and_while_disabled(
    environment: Environment, clock: FrozenClock
) -> None:
    async with failing(environment, clock, gap=60, default=OK) as (api, receiver):
        endpoint = await api.endpoint(receiver)
        path = f"/webhook-endpoints/{endpoint['id']}"
        await api.execute(
            "insert into webhook_messages (message_id, event_type, body)"
            " select 'msg_' || n, 'follow_up.opened', '{}' from generate_series(1, 10001) as n"
        )
        await api.execute(
            "insert into webhook_deliveries (delivery_id, endpoint_id, message_id, status)"
            " select 'dlv_' || n, :id, 'msg_' || n, 'exhausted' from generate_series(1, 10001) as n",
            id=endpoint["id"],
        )
        since = {"since": (clock.now() - timedelta(days=1)).isoformat()}
        until = {"until": (clock.now() + timedelta(days=1)).isoformat()}
        refusal = await api.call("POST", f"{path}/recover", 422, json=since | until)
        assert [error["code"] for error in refusal["errors"]] == ["too_many"]
        await api.execute("delete from webhook_deliveries where delivery_id = 'dlv_1'")
        await api.call("PATCH", path, json={"enabled": False})
        assert (await api.call("POST", f"{path}/recover", 409, json=since))["code"] == "endpoint_disabled"
        await api.call("PATCH", path, json={"enabled": True})
        assert (await api.call("POST", f"{path}/recover", 202, json=since | until))["count"] == 10_000
