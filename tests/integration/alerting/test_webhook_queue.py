"""The queue under several senders: limits, turns, leases, and what becomes of erased and old messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.alerting.courier.domain.deliveries import SendingRules
from services.alerting.courier.gateways.sender import Sender
from services.alerting.courier.interface import enqueue, forget_person
from services.alerting.courier.jobs.dispatcher import Dispatcher
from services.alerting.courier.store import queue, upkeep
from services.alerting.courier.store.queue import ClaimRequest
from services.alerting.outbound.domain.addresses import AddressPolicy, parsed_networks
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Vault
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.erasure import Names
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import FAIL, Answer, receiving
from tests.support.webhooks import Hooks, arrived, hooks, message

LEASE = timedelta(seconds=30)


@pytest.fixture(scope="module")
async def api(module_environment: Environment) -> AsyncIterator[Hooks]:
    async with hooks(module_environment, RETRY_SCHEDULE="0.05,30") as running:
        yield running


@pytest.fixture(autouse=True)
async def no_endpoints_left(api: Hooks) -> AsyncIterator[None]:
    yield
    for endpoint in (await api.call("GET", "/webhook-endpoints", params={"limit": 200}))["items"]:
        await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)


@contextlib.asynccontextmanager
async def database_of(environment: Environment) -> AsyncIterator[Database]:
    """The service's database, with connections of its own."""
    database = Database(environment.database_url, "alerting", pool_size=2)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def sender(environment: Environment, rules: SendingRules) -> AsyncIterator[Dispatcher]:
    """One more sender on the same queue, with connections of its own, as another process has."""
    async with database_of(environment) as database:
        egress = Egress(AddressPolicy(parsed_networks("127.0.0.1/32")), SystemClock())
        vault = Vault(environment.common.key_ring)
        dispatcher = Dispatcher(database, SystemClock(), Sender(egress, vault), rules)
        task = asyncio.create_task(dispatcher.run())
        try:
            yield dispatcher
        finally:
            await dispatcher.stop()
            await task
            await egress.aclose()


async def test_four_senders_together_keep_the_limit_of_an_endpoint(api: Hooks) -> None:
    """Given a limit of 4 and four senders, when 200 are queued, then the receiver never sees 5 at once."""
    rules = SendingRules(poll=0.05)
    async with contextlib.AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving(default=Answer(delay=0.01)))
        endpoint = await api.endpoint(receiver)
        for _ in range(3):
            await stack.enter_async_context(sender(api.environment, rules))
        await api.send(*(message() for _ in range(200)))
        await eventually(arrived(receiver, 200), 30)
        await api.all_settled(endpoint, "delivered")
    assert receiver.most_in_flight == 4
    assert len(receiver.ids()) == len(set(receiver.ids())) == 200


async def test_a_limit_of_its_own_is_kept(api: Hooks) -> None:
    async with receiving(default=Answer(delay=0.01)) as receiver:
        await api.endpoint(receiver, max_in_flight=1)
        await api.send(*(message() for _ in range(10)))
        await eventually(arrived(receiver, 10))
    assert receiver.most_in_flight == 1


async def test_a_slow_endpoint_delays_no_other(environment: Environment) -> None:
    """Given one endpoint that keeps us waiting and 500 queued, when another gets messages, then those arrive while the
    first attempts at the slow one are still open."""
    async with contextlib.AsyncExitStack() as stack:
        slow = await stack.enter_async_context(receiving(default=Answer(delay=60)))
        quick = await stack.enter_async_context(receiving())
        api = await stack.enter_async_context(hooks(environment, ATTEMPT_TIMEOUT_S="60"))
        await api.endpoint(slow, event_types=["account_score.changed"])
        await api.send(*(message("account_score.changed") for _ in range(500)))
        await eventually(arrived(slow, 4))
        await api.endpoint(quick, event_types=["follow_up.opened"])
        for count in range(1, 6):
            await api.send(message())
            await eventually(arrived(quick, count), 20)
        assert (slow.in_flight, len(slow.requests)) == (4, 4)
        slow.closing.set()  # answers now, so that nothing waits for it at the end


async def test_endpoints_take_turns_under_a_global_limit(api: Hooks) -> None:
    async with contextlib.AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(receiving()) for _ in range(5)]
        endpoints = [await api.endpoint(receiver) for receiver in receivers]
        await api.call("PATCH", f"/webhook-endpoints/{endpoints[0]['id']}", json={"max_in_flight": 32})
        database = api.app.state.service.courier.database
        async with database.write() as tx:
            await enqueue(tx, *(message() for _ in range(20)))
            taken = [
                await queue.claim(tx, datetime.now(UTC) + timedelta(seconds=1), ClaimRequest("me", 2, LEASE))
                for _ in range(10)
            ]
            order = [{work.endpoint_id for work in claimed.work} for claimed in taken]
            await tx.execute("update webhook_deliveries set status = 'cancelled', next_attempt_at = null,"
                             " lease_until = null, sender = null where status in ('pending', 'sending')")  # fmt: skip
    assert all(len(claimed.work) == 2 for claimed in taken)
    assert all(len(each) == 2 for each in order)
    assert len(set.union(*order[:3])) == 5


async def test_a_webhook_leaves_because_its_commit_says_so(environment: Environment) -> None:
    """Given a sender that looks by itself once an hour, when it is woken after a commit, then what was committed
    leaves; and so does the next, after all of the one before is written down."""
    async with receiving() as receiver:
        async with hooks(environment) as api:
            endpoint = await api.endpoint(receiver)
        async with sender(environment, SendingRules(poll=3600)) as dispatcher, database_of(environment) as database:
            for count in range(1, 6):
                async with database.write() as tx:
                    await enqueue(tx, message())
                dispatcher.wake()
                await eventually(arrived(receiver, count))
                await eventually(partial(_delivered, database, endpoint["id"], count))


async def _delivered(database: Database, endpoint_id: str, count: int) -> bool:
    async with database.read() as tx:
        found = await tx.scalar(
            "select count(*) from webhook_deliveries where endpoint_id = :endpoint and status = 'delivered'",
            endpoint=endpoint_id,
        )
    return bool(found == count)


async def test_a_sender_that_died_costs_an_attempt_and_not_the_message(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        sent = message()
        database = api.app.state.service.courier.database
        async with database.write() as tx:
            await enqueue(tx, sent)
            dead = await queue.claim(tx, datetime.now(UTC), ClaimRequest("dead", 10, timedelta(0)))
        assert len(dead.work) == 1
        delivery = await api.settled(endpoint, "delivered")
    assert [(attempt["number"], attempt["failure"]) for attempt in delivery["attempts"]] == [(1, "lost"), (2, None)]
    assert receiver.ids() == [f"msg_{sent.event_id}"]
    assert receiver.requests[0].headers["webhook-attempt"] == "2"


async def test_resend_takes_the_place_of_the_pending_attempt_and_the_schedule_goes_on(api: Hooks) -> None:
    """Given a pending automatic retry, when resend is called, then the pending one does not also fire and the schedule
    goes on at the next step."""
    async with receiving(default=FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        await eventually(arrived(receiver, 2))
        waiting = await api.settled(endpoint, "pending")
        assert waiting["next_attempt_at"] is not None
        await api.call("POST", f"/deliveries/{waiting['id']}/resend", 202)
        ended = await api.settled(endpoint, "exhausted")
        assert len(receiver.requests) == 3
        assert [attempt["trigger"] for attempt in ended["attempts"]] == ["automatic", "automatic", "resend"]
        await api.call("POST", f"/deliveries/{waiting['id']}/resend", 202)
        await eventually(arrived(receiver, 4))
        await api.settled(endpoint, "exhausted")
        notices = (await api.call("GET", f"/webhook-endpoints/{endpoint['id']}"))["notices"]
    assert len(notices) == 1


async def test_a_failed_resend_of_what_was_delivered_leaves_it_delivered(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        delivery = await api.settled(endpoint, "delivered")
        receiver.default = FAIL
        await api.call("POST", f"/deliveries/{delivery['id']}/resend", 202)
        await eventually(arrived(receiver, 2))
        again = await api.settled(endpoint, "delivered")
    assert [attempt["failure"] for attempt in again["attempts"]] == [None, "http_5xx"]
    assert again["delivered_at"] == delivery["delivered_at"]


@pytest.mark.parametrize("answer", [Answer(delay=0.5), Answer(500, delay=0.5)], ids=["delivered", "failed"])
async def test_what_is_being_sent_is_sent_once_more_afterwards(api: Hooks, answer: Answer) -> None:
    async with receiving(answer) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        await eventually(arrived(receiver, 1))
        delivery = await api.only(endpoint)
        assert delivery["status"] == "sending"
        await api.call("POST", f"/deliveries/{delivery['id']}/resend", 202)
        await eventually(arrived(receiver, 2))
        ended = await api.settled(endpoint, "delivered")
    assert [attempt["trigger"] for attempt in ended["attempts"]] == ["automatic", "resend"]
    assert len(receiver.requests) == 2


async def test_erasing_a_person_takes_bodies_answers_and_waiting_deliveries(api: Hooks) -> None:
    person: dict[str, Any] = {"account_id": "acme", "stakeholder_id": "ada@acme.example"}
    async with receiving(default=Answer(500, b"ada is unknown")) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message(**person, data={"stakeholder": {"name": "Ada"}}), message(account_id="acme"))
        await eventually(arrived(receiver, 4))
        await api.all_settled(endpoint, "pending")
        async with api.app.state.service.courier.database.write() as tx:
            names = Names(("ada@acme.example",), "acme")
            assert await forget_person(tx, **person, subject="erased-4711", names=names) == 1
        states = {item["webhook_id"]: item["status"] for item in await api.deliveries(endpoint)}
        assert sorted(states.values()) == ["cancelled", "pending"]
        (erased,) = [item for item in await api.deliveries(endpoint) if item["status"] == "cancelled"]
        detail = await api.call("GET", f"/deliveries/{erased['id']}")
        refusal = await api.call("POST", f"/deliveries/{erased['id']}/resend", 410)
    assert detail["payload"] is None
    assert [attempt["response_text"] for attempt in detail["attempts"]] == ["", ""]
    assert refusal["code"] == "payload_purged"


async def test_what_another_release_has_stored_is_shown_as_it_is(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message("of.another.release"))
        delivery = await api.settled(endpoint, "delivered")
        for column in ("status", "trigger"):
            await api.execute(f"alter table webhook_deliveries drop constraint webhook_deliveries_{column}_check")
        await api.execute("update webhook_deliveries set status = 'parked', trigger = 'nightly'")
        await api.execute("update webhook_attempts set failure = 'cosmic', trigger = 'nightly'")
        (listed,) = await api.deliveries(endpoint)
        detail = await api.call("GET", f"/deliveries/{delivery['id']}", 200)
    assert (listed["status"], listed["trigger"], listed["event_type"]) == ("parked", "nightly", "of.another.release")
    assert [(attempt["trigger"], attempt["failure"]) for attempt in detail["attempts"]] == [("nightly", "cosmic")]


async def test_old_bodies_go_first_and_the_log_later(api: Hooks) -> None:
    """Given resend on a purged payload, then 410, with the attempts kept."""
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        delivery = await api.settled(endpoint, "delivered")
        now = datetime.now(UTC)
        ahead, back = now + timedelta(days=1), now - timedelta(days=1)
        database = api.app.state.service.courier.database
        async with database.write() as tx:
            await upkeep.purge(tx, ahead, back, back)
        detail = await api.call("GET", f"/deliveries/{delivery['id']}", 200)
        assert (detail["payload"], len(detail["attempts"])) == (None, 1)
        assert (await api.call("POST", f"/deliveries/{delivery['id']}/resend", 410))["code"] == "payload_purged"
        async with database.write() as tx:
            await upkeep.purge(tx, ahead, ahead, ahead)
        await api.call("GET", f"/deliveries/{delivery['id']}", 404)


async def test_deliveries_of_years_ago_go_within_seconds_however_many_they_are(environment: Environment) -> None:
    """Given more finished deliveries than three pieces, when a sender begins, then it deletes piece after piece."""
    number = 3 * upkeep.PURGED_AT_ONCE + 1
    async with receiving() as receiver, hooks(environment) as first:
        endpoint = await first.endpoint(receiver)
        await first.send(message())
        await first.settled(endpoint, "delivered")
        for statement in (
            "insert into webhook_messages (message_id, event_type, body, created_at) select 'old' || number,"
            " 'follow_up.opened', '', now() - interval '2 years' from generate_series(1, :number) as number",
            "insert into webhook_deliveries (delivery_id, endpoint_id, message_id, status, created_at)"
            " select 'old' || number, :endpoint, 'old' || number, 'delivered', now() - interval '2 years'"
            " from generate_series(1, :number) as number",
        ):
            await first.execute(statement, number=number, endpoint=endpoint["id"])
        async with database_of(environment) as database:

            async def only_the_new_one_is_left() -> bool:
                async with database.read() as tx:
                    counts = await tx.rows(
                        "select (select count(*) from webhook_deliveries), (select count(*) from webhook_messages)"
                    )
                return [tuple(row) for row in counts] == [(1, 1)]

            async with sender(environment, SendingRules(poll=0.05)):
                await eventually(only_the_new_one_is_left, 30)


async def test_what_a_race_left_pending_at_a_disabled_endpoint_is_held(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        await api.call("PATCH", f"/webhook-endpoints/{endpoint['id']}", json={"enabled": False})
        await api.send(message())
        await api.execute(
            "update webhook_deliveries set status = 'pending', next_attempt_at = now() where status = 'held'"
        )
        async with api.app.state.service.courier.database.write() as tx:
            await upkeep.resolve_races(tx)
        assert (await api.only(endpoint))["status"] == "held"
    assert receiver.requests == []


async def test_a_sender_that_stops_records_what_it_began(environment: Environment) -> None:
    async with receiving(default=Answer(delay=60)) as receiver:
        async with hooks(environment, ATTEMPT_TIMEOUT_S="60") as first:
            endpoint = await first.endpoint(receiver)
            await first.send(message())
            await eventually(arrived(receiver, 1))
        receiver.default = Answer()
        async with hooks(environment) as second:
            delivery = await second.settled(endpoint, "delivered")
    assert [attempt["failure"] for attempt in delivery["attempts"]] == ["interrupted", None]
    assert len(set(receiver.ids())) == 1


async def test_a_retry_policy_without_gaps_means_one_attempt(environment: Environment) -> None:
    """Given an empty schedule, then one attempt and exhausted."""
    async with hooks(environment, RETRY_SCHEDULE="") as api, receiving(default=FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        assert (await api.settled(endpoint, "exhausted"))["attempt_count"] == 1
