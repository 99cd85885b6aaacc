"""From a message in a transaction to a signed request at a real receiver, and back into the log."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from services.alerting.courier.domain.signing import new_secret
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import FAIL, OK, Answer, receiving
from tests.support.webhooks import CLOSED, OPENED, Hooks, arrived, hooks, message, webhook_id


@pytest.fixture(scope="module")
async def api(module_environment: Environment) -> AsyncIterator[Hooks]:
    async with hooks(module_environment) as running:
        yield running


@pytest.fixture(autouse=True)
async def no_endpoints_left(api: Hooks) -> AsyncIterator[None]:
    """Each test has its endpoints for itself."""
    yield
    for endpoint in (await api.call("GET", "/webhook-endpoints", params={"limit": 200}))["items"]:
        await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)


async def test_a_message_makes_one_signed_post(api: Hooks) -> None:
    """Given a new endpoint, when a message comes, then exactly one POST with the three headers, whose signature
    verifies over the raw bytes."""
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        sent = message(data={"account": {"name": "Zoë & Co"}}, sequence=7)
        assert await api.send(sent) == 1
        delivery = await api.settled(endpoint, "delivered")
    assert len(receiver.requests) == 1
    request = receiver.requests[0]
    body = request.verified(endpoint["secret"])
    assert list(body) == ["type", "timestamp", "data", "sequence"]
    assert (body["type"], body["data"], body["sequence"]) == (OPENED, {"account": {"name": "Zoë & Co"}}, 7)
    assert request.webhook_id == webhook_id(sent.event_id) == delivery["webhook_id"]
    assert "." not in request.webhook_id
    assert request.headers["tellback-event-type"] == OPENED
    assert delivery["payload"] == body
    with pytest.raises(WebhookVerificationError):
        request.verified(new_secret())


async def test_three_failures_of_a_receiver_are_three_attempts_with_fresh_signatures(api: Hooks) -> None:
    """Given a receiver failing twice then 200, when the schedule is short, then three attempts under one id, with newer
    times, fresh signatures and numbers 1, 2, 3; delivered."""
    async with receiving(FAIL, FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        delivery = await api.settled(endpoint, "delivered")
    assert len(set(receiver.ids())) == 1
    assert len({request.body for request in receiver.requests}) == 1
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2", "3"]
    stamps = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
    assert stamps == sorted(stamps)
    for request in receiver.requests:
        request.verified(endpoint["secret"])
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2, 3]
    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 500, 200]
    assert [attempt["failure"] for attempt in delivery["attempts"]] == ["http_5xx", "http_5xx", None]
    assert delivery["attempts"][0]["response_text"] == "no"
    assert delivery["next_attempt_at"] is None


async def test_timestamps_are_those_of_the_attempts(api: Hooks) -> None:
    async with receiving(FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        await api.settled(endpoint, "delivered")
        await api.execute("update webhook_deliveries set created_at = created_at - interval '1 day'")
        await api.call("POST", f"/deliveries/{(await api.only(endpoint))['id']}/resend", 202)
        await eventually(arrived(receiver, 3))
    for request in receiver.requests:
        request.verified(endpoint["secret"])  # the verifier refuses what is older than five minutes


async def test_always_failing_ends_exhausted_after_the_schedule_with_one_notice(api: Hooks) -> None:
    """Given always 500 and n steps, then exactly n+1 attempts, exhausted, no next attempt, one notice."""
    async with receiving(default=FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        delivery = await api.settled(endpoint, "exhausted")
    assert len(receiver.requests) == 4
    assert len(delivery["attempts"]) == 4
    assert delivery["next_attempt_at"] is None
    detail = await api.call("GET", f"/webhook-endpoints/{endpoint['id']}")
    assert [(notice["kind"], notice["subject"]) for notice in detail["notices"]] == [("exhausted", delivery["id"])]
    assert detail["consecutive_failures"] == 4
    assert detail["first_failure_at"] <= detail["last_failure_at"]
    assert detail["status"] == "enabled"


async def test_bodies_are_equal_to_the_byte_over_retry_and_resend(api: Hooks) -> None:
    """Given a body with unusual key order, non-ASCII text and large integers, when retried and resent, then all bodies
    are byte-equal and carry the same id."""
    data = {"z": 1, "a": "Grüße 🎉", "big": 12345678901234567890, "nested": {"b": [1.5, None, True], "A": ""}}
    async with receiving(FAIL, FAIL) as receiver, receiving() as other:
        endpoint = await api.endpoint(receiver)
        await api.endpoint(other)
        await api.send(message(data=data))
        delivery = await api.settled(endpoint, "delivered")
        for count in (4, 5):
            await api.call("POST", f"/deliveries/{delivery['id']}/resend", 202)
            await eventually(arrived(receiver, count))
        await eventually(arrived(other, 1))
    bodies = {request.body for request in (*receiver.requests, *other.requests)}
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["data"] == data
    assert len(set(receiver.ids() + other.ids())) == 1


async def test_the_same_event_again_adds_nothing(api: Hooks) -> None:
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        sent = message()
        assert await api.send(sent) == 1
        assert await api.send(sent, sent) == 0
        await api.settled(endpoint, "delivered")
        other = message(CLOSED)
        await api.send(other)
        await eventually(arrived(receiver, 2))
    assert receiver.ids() == [webhook_id(sent.event_id), webhook_id(other.event_id)]


async def test_each_type_goes_to_its_subscribers(api: Hooks) -> None:
    """Given endpoints with different event types, when each type fires, then only the subscriber gets it; an endpoint
    without filter gets all."""
    async with receiving() as openings, receiving() as closings, receiving() as everything:
        await api.endpoint(openings, event_types=[OPENED])
        await api.endpoint(closings, event_types=[CLOSED, "account_score.dropped"])
        await api.endpoint(everything)
        opened, closed = message(OPENED), message(CLOSED)
        assert await api.send(opened, closed) == 4
        await eventually(arrived(everything, 2))
        await eventually(arrived(openings, 1))
        await eventually(arrived(closings, 1))
    assert openings.ids() == [webhook_id(opened.event_id)]
    assert closings.ids() == [webhook_id(closed.event_id)]
    assert set(everything.ids()) == {webhook_id(opened.event_id), webhook_id(closed.event_id)}


async def test_every_live_secret_signs_newest_first(api: Hooks) -> None:
    """Given two rotations, the second with an imported key, when a message is sent, then all three secrets verify,
    newest first; after grace one signature is left."""
    imported = "whsec_" + base64.b64encode(bytes(range(40))).decode()
    async with receiving() as receiver:
        endpoint = await api.endpoint(receiver)
        path = f"/webhook-endpoints/{endpoint['id']}/secret/rotate"
        second = (await api.call("POST", path, 200))["secret"]
        third = await api.call("POST", path, 200, json={"secret": imported})
        assert third["secret"] == imported
        assert [item["expires_at"] is None for item in third["secrets"]] == [True, False, False]
        await api.send(message())
        await eventually(arrived(receiver, 1))
        await api.execute("update webhook_secrets set expires_at = now() where expires_at is not null")
        await api.send(message())
        await eventually(arrived(receiver, 2))
    first, after_grace = receiver.requests
    for secret in (endpoint["secret"], second, imported):
        first.verified(secret)
    signatures = first.headers["webhook-signature"].split()
    assert len(signatures) == 3
    newest = {**first.headers, "webhook-signature": signatures[0]}
    type(first)(first.method, first.path, newest, [], first.body, 0).verified(imported)
    assert len(after_grace.headers["webhook-signature"].split()) == 1
    after_grace.verified(imported)


async def test_custom_headers_are_sent(api: Hooks) -> None:
    """Given custom headers of mixed case, when sent, then they are present as given."""
    async with receiving() as receiver:
        await api.endpoint(receiver, headers={"Authorization": "Bearer crm", "X-MiXed-Case": "a b"})
        await api.send(message())
        await eventually(arrived(receiver, 1))
    assert ("X-MiXed-Case", "a b") in receiver.requests[0].raw_headers
    assert receiver.requests[0].headers["authorization"] == "Bearer crm"


async def test_attempts_show_no_secret_and_no_header(api: Hooks) -> None:
    """Given attempts of an endpoint with custom headers, then no secret, Authorization value or custom header value is
    shown in clear."""
    async with receiving(FAIL) as receiver:
        endpoint = await api.endpoint(receiver, headers={"Authorization": "Bearer hush-hush", "X-Key": "hush"})
        await api.send(message())
        delivery = await api.settled(endpoint, "delivered")
        shown = json.dumps([delivery, await api.deliveries(endpoint)])
    assert receiver.requests[0].headers["authorization"] == "Bearer hush-hush"
    assert "hush" not in shown
    assert endpoint["secret"].removeprefix("whsec_") not in shown
    assert not any(signature in shown for signature in receiver.requests[0].headers["webhook-signature"].split())


async def test_gone_disables_at_once_and_messages_are_held(api: Hooks) -> None:
    """Given 410, then the endpoint is disabled at once with reason gone, no more requests, messages held; resend is 409
    meanwhile."""
    async with receiving(default=Answer(410)) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        held = await api.settled(endpoint, "held")
        await api.send(message(), message())
        detail = await api.call("GET", f"/webhook-endpoints/{endpoint['id']}")
        assert (detail["status"], detail["disabled_reason"], detail["held_count"]) == ("disabled", "gone", 3)
        assert [notice["kind"] for notice in detail["notices"]] == ["gone"]
        assert (await api.call("POST", f"/deliveries/{held['id']}/resend", 409))["code"] == "endpoint_disabled"
        await api.call("POST", f"/webhook-endpoints/{endpoint['id']}/test", 409)
        assert len(receiver.requests) == 1
        receiver.default = OK
        await api.call("PATCH", f"/webhook-endpoints/{endpoint['id']}", 200, json={"enabled": True})
        new = message()
        await api.send(new)
        await eventually(arrived(receiver, 2))
        assert receiver.ids()[1] == webhook_id(new.event_id)
        started = await api.call(
            "POST", f"/webhook-endpoints/{endpoint['id']}/recover", 202, json={"since": held["created_at"]}
        )
        assert started["count"] == 3
        assert len(await api.all_settled(endpoint, "delivered", job_id=started["job_id"])) == 3
    assert len(set(receiver.ids())) == 4


async def test_a_redirect_is_a_failure_that_is_not_followed(api: Hooks) -> None:
    async with receiving(host="127.0.0.2") as canary:
        away = Answer(302, headers={"Location": canary.url})
        async with receiving(away) as receiver:
            endpoint = await api.endpoint(receiver)
            await api.send(message())
            delivery = await api.settled(endpoint, "delivered")
    assert delivery["attempts"][0]["failure"] == "http_3xx"
    assert canary.connections == 0


async def test_an_answer_with_nul_and_broken_utf8_is_kept_readable(api: Hooks) -> None:
    """Given a response with NUL and invalid UTF-8, then the attempt is recorded and readable as JSON."""
    async with receiving(Answer(500, b"\x00\xff oh \xc3")) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        delivery = await api.settled(endpoint, "delivered")
    assert delivery["attempts"][0]["response_text"] == "\ufffd\ufffd oh \ufffd"


async def test_a_huge_answer_is_a_success_and_capped_in_the_log(api: Hooks) -> None:
    async with receiving(Answer(200, b"x" * 10_000_000, drip=65_536)) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.send(message())
        attempt = (await api.settled(endpoint, "delivered"))["attempts"][0]
    assert len(attempt["response_text"]) == 16 * 1024
    assert attempt["response_truncated"]


async def test_a_url_that_became_forbidden_is_blocked_for_good(api: Hooks) -> None:
    async with receiving() as receiver, receiving(host="127.0.0.2") as canary:
        endpoint = await api.endpoint(receiver)
        await api.execute("update webhook_endpoints set url = :url where status = 'enabled'", url=canary.url)
        await api.send(message())
        delivery = await api.settled(endpoint, "blocked")
    (attempt,) = delivery["attempts"]
    assert (attempt["failure"], attempt["status_code"], attempt["response_text"]) == ("blocked", None, "")
    assert "127.0.0.2" not in json.dumps({**delivery, "payload": None})
    assert canary.connections == 0


async def test_a_test_message_goes_the_way_of_all_others_and_is_tried_once(api: Hooks) -> None:
    async with receiving(FAIL) as receiver:
        endpoint = await api.endpoint(receiver, event_types=[CLOSED])
        path = f"/webhook-endpoints/{endpoint['id']}/test"
        failing = await api.call("POST", path, 202)
        await api.settled(endpoint, "exhausted")
        assert (await api.call("GET", f"/webhook-endpoints/{endpoint['id']}"))["notices"] == []
        passing = await api.call("POST", path, 202)
        await eventually(arrived(receiver, 2))
    assert [request.verified(endpoint["secret"])["type"] for request in receiver.requests] == ["webhook.test"] * 2
    assert receiver.ids() == [failing["webhook_id"], passing["webhook_id"]]


async def test_a_deleted_endpoint_ends_its_queue_as_cancelled(api: Hooks) -> None:
    """Given the endpoint deleted with messages queued, then they end as cancelled, without an error loop."""
    async with receiving(default=FAIL) as receiver:
        endpoint = await api.endpoint(receiver)
        await api.execute("update webhook_endpoints set max_in_flight = 1 where status = 'enabled'")
        await api.send(*(message() for _ in range(20)))
        await eventually(arrived(receiver, 1))
        waiting = await api.deliveries(endpoint)
        await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)

        async def all_over() -> bool:
            states = [(await api.call("GET", f"/deliveries/{item['id']}"))["status"] for item in waiting]
            return set(states) <= {"cancelled", "exhausted"} and "cancelled" in states

        await eventually(all_over)
        seen = len(receiver.requests)
        assert await api.send(message()) == 0
    assert len(receiver.requests) == seen
    refusal = await api.call("POST", f"/deliveries/{waiting[0]['id']}/resend", 409)
    assert refusal["code"] == "endpoint_deleted"


async def test_an_ordered_endpoint_gets_each_account_in_order(api: Hooks) -> None:
    async with receiving(Answer(500, delay=0.1), FAIL) as receiver:
        endpoint = await api.endpoint(receiver, ordered=True)
        sent = [message(account_id=account, sequence=number) for number in range(1, 6) for account in ("acme", "bolt")]
        await api.send(*sent)
        await eventually(arrived(receiver, 12))
    accepted = [request.verified(endpoint["secret"])["sequence"] for request in receiver.requests]
    by_id = {webhook_id(message.event_id): message.account_id for message in sent}
    for account in ("acme", "bolt"):
        mine: list[Any] = [
            number for request, number in zip(receiver.requests, accepted, strict=True)
            if by_id[request.webhook_id] == account
        ]  # fmt: skip
        assert mine == sorted(mine)
        assert set(mine) == {1, 2, 3, 4, 5}
