"""The calls about webhook endpoints: what is refused, what is never shown, who may do what."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import FAIL, receiving
from tests.support.webhooks import CLOSED, OPENED, Hooks, arrived, hooks, message

URL = "http://127.0.0.1:9/hook"
GOOD_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
async def api(module_environment: Environment) -> AsyncIterator[Hooks]:
    async with hooks(module_environment, OWN_PORTS="8001,8003") as running:
        yield running


@pytest.fixture(autouse=True)
async def no_endpoints_left(api: Hooks) -> AsyncIterator[None]:
    """Each test has its endpoints for itself."""
    yield
    for endpoint in await listed(api):
        await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)


async def listed(api: Hooks, **options: Any) -> list[dict[str, Any]]:
    page = await api.call("GET", "/webhook-endpoints", 200, params={"limit": 200}, **options)
    items: list[dict[str, Any]] = page["items"]
    return items


async def refused(api: Hooks, field: str, body: dict[str, Any]) -> None:
    """Creating and changing refuse the body alike, for this field, and nothing is stored."""
    answer = await api.call("POST", "/webhook-endpoints", 422, json={"url": URL} | body)
    assert [error["field"] for error in answer["errors"]] == [field], answer
    assert await listed(api) == []
    if field != "secret":
        endpoint = await api.endpoint(URL)
        again = await api.call("PATCH", f"/webhook-endpoints/{endpoint['id']}", 422, json=body)
        assert again["errors"] == answer["errors"]
        assert (await listed(api))[0]["version"] == 1


async def test_the_secret_is_shown_once_and_verifies(api: Hooks) -> None:
    made = await api.endpoint(URL, description="our CRM", event_types=[OPENED, OPENED])
    key = base64.b64decode(made["secret"].removeprefix("whsec_"), validate=True)
    assert made["secret"].startswith("whsec_")
    assert len(key) == 32
    assert made["event_types"] == [OPENED]
    detail = await api.call("GET", f"/webhook-endpoints/{made['id']}", 200)
    assert {name: detail[name] for name in ("id", "url", "description", "status", "ordered")} == {
        "id": made["id"],
        "url": URL,
        "description": "our CRM",
        "status": "enabled",
        "ordered": False,
    }
    for shown in (detail, *await listed(api)):
        assert made["secret"] not in json.dumps(shown)
        assert "secret" not in shown


async def test_an_imported_secret_is_taken(api: Hooks) -> None:
    assert (await api.endpoint(URL, secret=GOOD_SECRET))["secret"] == GOOD_SECRET


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_this is not base64",
        "sk_" + "A" * 44,
        "A" * 44,
        "whsk_" + "A" * 44,
        "whsk_%",
        "whsec_\r\nX: y",
        "",
        7,
    ],
)
async def test_a_bad_secret_is_refused(api: Hooks, secret: Any) -> None:
    """Given secrets that are too short, not base64, of unknown prefix or asymmetric, when creating, then 422 and
    nothing stored."""
    await refused(api, "secret", {"secret": secret})
    endpoint = await api.endpoint(URL, secret=GOOD_SECRET)
    await api.call("POST", f"/webhook-endpoints/{endpoint['id']}/secret/rotate", 422, json={"secret": secret})
    assert len((await listed(api))[0]["secrets"]) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.1:9000/",
        "http://2130706433:9000/",
        "http://0x7f.1:9000/",
        "http://0:9000/",
        "http://[::1]:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://[::ffff:169.254.169.254]/",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.2:9000/",
        "http://10.0.0.1/",
        "http://localhost.localdomain.:22/",
        "https://example.com:22/",
        "http://127.0.0.1:8001/v1/responses",
        "http://127.0.0.1:8003/",
        "http://user:pass@127.0.0.1:9000/",
        "http://127.0.0.1:9000/#here",
        "http://127.0.0.1:9000/a b",
        "http://127.0.0.1%00.example/",
        "http://exämple.com/",
        "http://exa\u200bmple.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:9000/",
        "javascript:alert(1)",
        "127.0.0.1:9000",
        "",
        "http://127.0.0.1:9000/" + "a" * 3000,
        7,
        None,
    ],
)
async def test_a_bad_url_is_refused_at_the_start_and_at_a_change(api: Hooks, url: Any) -> None:
    """Given a bad URL (file:, gopher:, userinfo, fragment, space, %00, 3,000 characters, addresses inside), when
    creating or changing from a good one, then the same 422."""
    await refused(api, "url", {"url": url})


async def test_our_own_database_and_broker_are_refused(api: Hooks) -> None:
    common = api.environment.common
    for port in (
        common.kafka_bootstrap_servers.rsplit(":", 1)[1],
        api.environment.database_url.split(":")[-1].split("/")[0],
    ):
        await refused(api, "url", {"url": f"http://127.0.0.1:{port}/"})
        for endpoint in await listed(api):
            await api.call("DELETE", f"/webhook-endpoints/{endpoint['id']}", 204)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"content-type": "x"},
        {"Webhook-Id": "x"},
        {"ce-id": "x"},
        {"X-Amz-Target": "x"},
        {"Metadata-Flavor": "Google"},
        {"Proxy-Authorization": "x"},
        {"X-A": "a\r\nX-B: c"},
        {"X-A\r\n": "c"},
        {"X-A": "x" * 4097},
        {"X-A": ""},
        {"X-A": 1},
        {"X-A": "1", "x-a": "2"},
        ["X-A"],
    ],
)
async def test_a_bad_header_is_refused(api: Hooks, headers: Any) -> None:
    """Given a forbidden name or prefix, CR/LF or 4,097 bytes, when creating, then 422."""
    answer = await api.call("POST", "/webhook-endpoints", 422, json={"url": URL, "headers": headers})
    assert all(error["field"].startswith("headers") for error in answer["errors"])
    assert await listed(api) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_types", ["follow_up.opend"]),
        ("event_types", []),
        ("event_types", "follow_up.opened"),
        ("format", "xml"),
        ("ordered", "yes"),
        ("max_in_flight", 0),
        ("max_in_flight", 33),
        ("max_in_flight", True),
        ("description", "x" * 501),
        ("status", "enabled"),
    ],
)
async def test_a_bad_field_is_refused(api: Hooks, field: str, value: Any) -> None:
    answer = await api.call("POST", "/webhook-endpoints", 422, json={"url": URL, field: value})
    assert {error["field"].split(".")[0] for error in answer["errors"]} == {field}
    assert await listed(api) == []


async def test_header_values_and_secrets_are_nowhere_in_clear(api: Hooks) -> None:
    """Given endpoint lists, then no secret, Authorization value or custom header value is shown in clear."""
    made = await api.endpoint("http://127.0.0.1:9/x", headers={"Authorization": "Bearer hush-hush", "X-Key": "hush"})
    assert made["header_names"] == ["Authorization", "X-Key"]
    shown = [made | {"secret": ""}, await api.call("GET", f"/webhook-endpoints/{made['id']}"), *await listed(api)]
    assert "hush" not in json.dumps(shown)
    async with api.app.state.service.courier.database.read() as tx:
        endpoint = await tx.one("select * from webhook_endpoints where endpoint_id = :id", id=made["id"])
        secrets = await tx.all("select * from webhook_secrets where endpoint_id = :id", id=made["id"])
    stored = f"{dict(endpoint)} {[dict(row) for row in secrets]}"
    assert "hush" not in stored
    assert made["secret"].removeprefix("whsec_") not in stored
    assert base64.b64decode(made["secret"].removeprefix("whsec_")) not in secrets[0]["sealed"]


async def test_a_change_keeps_what_it_does_not_name_and_null_clears(api: Hooks) -> None:
    async with receiving() as receiver:
        made = await api.endpoint(receiver, event_types=[CLOSED], description="a", headers={"X-A": "1"})
        path = f"/webhook-endpoints/{made['id']}"
        changed = await api.call("PATCH", path, 200, json={"max_in_flight": 2, "description": None})
        assert (changed["event_types"], changed["description"]) == ([CLOSED], None)
        assert (changed["max_in_flight"], changed["header_names"], changed["version"]) == (2, ["X-A"], 2)
        cleared = await api.call("PATCH", path, 200, json={"event_types": None, "headers": None})
        assert (cleared["event_types"], cleared["header_names"]) == (None, [])
        await api.send(message(OPENED))
        await eventually(arrived(receiver, 1))
    assert "x-a" not in receiver.requests[0].headers
    receiver.requests[0].verified(made["secret"])


async def test_disabling_by_hand_holds_messages(api: Hooks) -> None:
    async with receiving() as receiver:
        made = await api.endpoint(receiver)
        path = f"/webhook-endpoints/{made['id']}"
        off = await api.call("PATCH", path, 200, json={"enabled": False})
        assert (off["status"], off["disabled_reason"]) == ("disabled", "by_hand")
        await api.send(message(), message())
        assert (await api.call("GET", path))["held_count"] == 2
        assert receiver.requests == []


async def test_an_eleventh_old_secret_is_refused_naming_the_next_expiry(api: Hooks) -> None:
    """Given ten live old keys, when rotating again, then 400 naming the next expiry; after one expires it succeeds."""
    made = await api.endpoint(URL)
    path = f"/webhook-endpoints/{made['id']}/secret/rotate"
    for _ in range(10):
        await api.call("POST", path, 200)
    refusal = await api.call("POST", path, 400)
    oldest = (await api.call("GET", f"/webhook-endpoints/{made['id']}"))["secrets"][-1]
    assert refusal["code"] == "too_many_secrets"
    assert oldest["expires_at"] in refusal["detail"]
    await api.execute(
        "update webhook_secrets set expires_at = now() where expires_at = (select min(expires_at) from webhook_secrets)"
    )
    rotated = await api.call("POST", path, 200, json={"grace_s": 60})
    assert len(rotated["secrets"]) == 11
    alone = await api.call("POST", path, 200, json={"grace_s": 0})
    assert len(alone["secrets"]) == 11


@pytest.mark.parametrize("grace", [-1, 604_801, "1d", 1.5, True])
async def test_a_bad_grace_is_refused(api: Hooks, grace: Any) -> None:
    made = await api.endpoint(URL)
    await api.call("POST", f"/webhook-endpoints/{made['id']}/secret/rotate", 422, json={"grace_s": grace})


async def test_recover_keeps_to_its_range(api: Hooks) -> None:
    """Given recover since three weeks ago, then 422; since after the message, 0; before it, exactly one more attempt
    and no automatic one after a manual failure."""
    async with receiving(default=FAIL) as receiver:
        made = await api.endpoint(receiver)
        await api.send(message())
        given_up = await api.settled(made, "exhausted")
        path = f"/webhook-endpoints/{made['id']}/recover"
        long_ago = (datetime.now(UTC) - timedelta(days=21)).isoformat()
        assert (await api.call("POST", path, 422, json={"since": long_ago}))["errors"][0]["code"] == "too_old"
        await api.call("POST", path, 422, json={"since": "2026-01-01"})
        created = datetime.fromisoformat(given_up["created_at"])
        later = {"since": (created + timedelta(milliseconds=1)).isoformat()}
        assert (await api.call("POST", path, 202, json=later))["count"] == 0
        before = len(receiver.requests)
        started = await api.call("POST", path, 202, json={"since": given_up["created_at"]})
        assert started["count"] == 1
        await eventually(arrived(receiver, before + 1))
        again = await api.settled(made, "exhausted")
    assert len(receiver.requests) == before + 1
    assert [attempt["trigger"] for attempt in again["attempts"]][-1] == "recover"
    assert again["attempts"][-1]["actor"].startswith("key:")
    assert again["attempt_count"] == before + 1


async def test_a_scope_that_is_missing_is_the_same_403_for_known_and_unknown(api: Hooks) -> None:
    """Given a key without the scope, when reading an endpoint, attempts, secret or resend, then 403 with the same body
    as for an unknown id."""
    made = await api.endpoint(URL)
    async with receiving() as receiver:
        await api.call("PATCH", f"/webhook-endpoints/{made['id']}", json={"url": receiver.url})
        await api.send(message())
        delivery = await api.settled(made, "delivered")
    calls = [
        ("GET", "/webhook-endpoints", "ingest"),
        ("POST", "/webhook-endpoints", "read"),
        ("GET", "/webhook-endpoints/{endpoint}", "act"),
        ("PATCH", "/webhook-endpoints/{endpoint}", "read"),
        ("DELETE", "/webhook-endpoints/{endpoint}", "act"),
        ("POST", "/webhook-endpoints/{endpoint}/secret/rotate", "read"),
        ("POST", "/webhook-endpoints/{endpoint}/test", "act"),
        ("POST", "/webhook-endpoints/{endpoint}/recover", "act"),
        ("GET", "/webhook-endpoints/{endpoint}/deliveries", "manage"),
        ("GET", "/deliveries/{delivery}", "act"),
        ("POST", "/deliveries/{delivery}/resend", "read"),
    ]
    for method, path, scope in calls:
        headers = await api.as_key(scope)
        known = path.format(endpoint=made["id"], delivery=delivery["id"])
        unknown = path.format(endpoint="ep_unknown", delivery="dlv_unknown")
        bodies = [await api.call(method, each, 403, headers=headers, json={}) for each in (known, unknown)]
        for body in bodies:
            del body["request_id"]
        assert bodies[0] == bodies[1]


async def test_what_is_not_there_is_404(api: Hooks) -> None:
    for method, path in (
        ("GET", "/webhook-endpoints/ep_x"),
        ("PATCH", "/webhook-endpoints/ep_x"),
        ("DELETE", "/webhook-endpoints/ep_x"),
        ("POST", "/webhook-endpoints/ep_x/secret/rotate"),
        ("POST", "/webhook-endpoints/ep_x/test"),
        ("GET", "/webhook-endpoints/ep_x/deliveries"),
        ("GET", "/deliveries/dlv_x"),
        ("POST", "/deliveries/dlv_x/resend"),
    ):
        await api.call(method, path, 404, json={} if method != "GET" else None)


async def test_an_owner_sees_own_endpoints_and_deliveries_only(api: Hooks) -> None:
    """Given the scope but another owner's account, then 404."""
    ann = await api.as_key("read", "manage", "act", owner="ann@x.example")
    bob = await api.as_key("read", "manage", "act", owner="bob@x.example")
    async with receiving() as for_all, receiving() as for_ann:
        everybody = await api.endpoint(for_all)
        own = await api.call("POST", "/webhook-endpoints", 201, json={"url": for_ann.url}, headers=ann)
        await api.send(
            message(account_id="hers", owner_email="ann@x.example"),
            message(account_id="his", owner_email="bob@x.example"),
            message(account_id="unowned"),
        )
        await api.all_settled(everybody, "delivered")
        await eventually(arrived(for_ann, 1))
        assert [item["id"] for item in await listed(api, headers=ann)] == [own["id"]]
        assert await listed(api, headers=bob) == []
        for method, path in (
            ("GET", f"/webhook-endpoints/{everybody['id']}"),
            ("DELETE", f"/webhook-endpoints/{everybody['id']}"),
            ("GET", f"/webhook-endpoints/{own['id']}/deliveries"),
            ("POST", f"/webhook-endpoints/{own['id']}/secret/rotate"),
        ):
            await api.call(method, path, 404, headers=bob)
        log = {item["account_id"]: item["id"] for item in await api.deliveries(everybody)}
        await api.call("GET", f"/deliveries/{log['hers']}", 200, headers=ann)
        await api.call("GET", f"/deliveries/{log['his']}", 404, headers=ann)
        await api.call("POST", f"/deliveries/{log['his']}/resend", 404, headers=ann)
        await api.call("GET", f"/deliveries/{log['unowned']}", 404, headers=bob)
    assert len(for_ann.requests) == 1


async def test_lists_come_in_pages(api: Hooks) -> None:
    async with receiving() as receiver:
        made = [await api.endpoint(receiver) for _ in range(5)]
        pages, cursor = [], None
        while True:
            page = await api.call(
                "GET", "/webhook-endpoints", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
            )
            pages.append([item["id"] for item in page["items"]])
            if (cursor := page["next_cursor"]) is None:
                break
        assert pages == [[endpoint["id"] for endpoint in made[start : start + 2]] for start in (0, 2, 4)]
        await api.send(*(message() for _ in range(5)))
        newest_first = [item["id"] for item in await api.deliveries(made[0])]
        path = f"/webhook-endpoints/{made[0]['id']}/deliveries"
        first = await api.call("GET", path, params={"limit": 3})
        rest = await api.call("GET", path, params={"limit": 3, "cursor": first["next_cursor"]})
        assert [item["id"] for item in first["items"] + rest["items"]] == newest_first
        assert rest["next_cursor"] is None
        await api.call("GET", "/webhook-endpoints", 422, params={"cursor": first["next_cursor"]})
        await api.call("GET", path, 422, params={"status": "lost"})
        assert (await api.call("GET", path, params={"event_type": CLOSED}))["items"] == []
