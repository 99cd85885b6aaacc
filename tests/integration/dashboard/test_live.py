"""The live connection of a page belongs to the session that opened the page: tried by a hand-made client, on a
dashboard that runs as a process."""

import ast
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.exceptions import InvalidStatus

from services.cli.embedded.process import free_port
from services.dashboard.domain.users import Role
from services.dashboard.web.live import MOST_WAITING
from services.dashboard.web.resources import Resources
from shared.clock import SystemClock
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

pytestmark = pytest.mark.timeout(120)
BEN, CHOSEN = "ben@supplier.example", "correct horse battery"
REFUSED, JOINED, LEFT = "44", "40", "41"
"""Beginnings of the messages of socket.io."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A running dashboard, its log, and a second set of its resources for this test."""

    url: str
    log: Path
    resources: Resources

    async def session(self, name: str, password: str) -> dict[str, str]:
        """The cookie of a person who signs in."""
        return {"cookie": f"tellback_session={await self.resources.signing_in.sign_in(name, password, 'here')}"}

    async def open(self, cookie: dict[str, str], path: str = "/settings/people") -> dict[str, str]:
        """The identifiers with which a page connects."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, headers=cookie, timeout=30) as client:
            page = await client.get(path)
        assert page.status_code == 200, page.text
        found = re.search(r"query: (\{.*?\})", page.text)
        assert found, page.text[-3000:]
        return {name: str(value) for name, value in ast.literal_eval(found[1]).items()}

    def live(self, cookie: dict[str, str], query: dict[str, str]) -> Any:
        """A socket that tries to join the page that the query names."""
        asked = httpx.QueryParams({"EIO": "4", "transport": "websocket", **query})
        address = f"{self.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?{asked}"
        return websockets.connect(address, additional_headers=cookie)


@pytest.fixture
def clock() -> SystemClock:
    """The system clock, as in the process."""
    return SystemClock()


@pytest.fixture
async def dashboard(environment: Environment, resources: Resources, tmp_path: Path) -> AsyncIterator[Dashboard]:
    port, log = free_port(), tmp_path / "dashboard.log"
    variables = environment.variables() | {
        "TELLBACK_LOG_FORMAT": "json",
        "TELLBACK_LOG_LEVEL": "debug",
        "TELLBACK_DASHBOARD_COLLECTOR_URL": "http://127.0.0.1:1",
        "TELLBACK_DASHBOARD_SCORER_URL": "http://127.0.0.1:1",
        "TELLBACK_DASHBOARD_ALERTING_URL": "http://127.0.0.1:1",
    }
    child = start(tellback("serve", "dashboard", "--port", str(port), "--pause", "0"), log, variables)
    found = Dashboard(f"http://127.0.0.1:{port}", log, resources)
    try:
        await eventually(lambda: _answers(f"{found.url}/health/ready"), timeout=60)
        yield found
    finally:
        end(child)


async def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).is_success
    return False


@pytest.fixture
async def admin(dashboard: Dashboard) -> dict[str, str]:
    """The cookie of the admin."""
    password = await dashboard.resources.desk.first_admin()
    assert password
    return await dashboard.session("admin", password)


@pytest.fixture
async def ben(dashboard: Dashboard, admin: dict[str, str]) -> dict[str, str]:
    """The cookie of a viewer."""
    found = (await dashboard.resources.desk.everybody())[0]
    link = await dashboard.resources.desk.add(found, BEN, "Ben", Role.VIEWER)
    await dashboard.resources.signing_in.set_password(link.token, CHOSEN)
    return await dashboard.session(BEN, CHOSEN)


def handshake(query: dict[str, str]) -> dict[str, str]:
    """The query with which NiceGUI's script connects."""
    return query | {"tab_id": "tab-1234", "document_id": "document-1234", "implicit_handshake": "true"}


async def joined(socket: Any) -> str:
    """The answer to the request to join."""
    assert str(await socket.recv()).startswith("0")
    await socket.send("40")
    return str(await socket.recv())


async def answered(socket: Any, number: int, event: str, content: dict[str, Any]) -> str:
    """The server's answer to a message with an acknowledgement."""
    await socket.send(f"42{number}{json.dumps([event, content])}")
    while not (answer := str(await socket.recv())).startswith(f"43{number}"):
        continue
    return answer.removeprefix(f"43{number}")


async def test_a_page_is_joined_by_the_session_that_opened_it_and_by_no_other(
    dashboard: Dashboard, admin: dict[str, str], ben: dict[str, str]
) -> None:
    page = handshake(await dashboard.open(admin))
    async with dashboard.live(ben, page) as stranger:
        assert (await joined(stranger)).startswith(REFUSED)
    async with dashboard.live(ben, {}) as nameless:
        assert (await joined(nameless)).startswith(REFUSED)
    async with dashboard.live(admin, page) as own:
        assert (await joined(own)).startswith(JOINED)


async def test_who_is_connected_sends_nothing_to_pages_of_others(
    dashboard: Dashboard, admin: dict[str, str], ben: dict[str, str]
) -> None:
    target = handshake(await dashboard.open(admin))
    page = handshake(await dashboard.open(ben, "/people"))
    async with dashboard.live(admin, target) as victim, dashboard.live(ben, page) as stranger:
        assert (await joined(victim)).startswith(JOINED)
        assert (await joined(stranger)).startswith(JOINED)
        click = {"id": 1_000_000, "listener_id": "none", "args": []}
        for number, event in enumerate(("handshake", "event", "javascript_response", "ack", "log")):
            message = target | click | {"request_id": "none", "level": "error", "message": "by a stranger"}
            assert await answered(stranger, number, event, message) == "[false]", event
        assert await answered(stranger, 9, "event", click | {"client_id": page["client_id"]}) == "[]"
        nameless: tuple[dict[str, Any], ...] = ({}, {"client_id": None}, {"client_id": ["x"]}, {"client_id": "x"})
        for number, content in enumerate(nameless):
            assert await answered(stranger, 20 + number, "event", content) == "[false]"
    assert "by a stranger" not in dashboard.log.read_text()


async def sign_out(dashboard: Dashboard) -> None:
    async with dashboard.resources.desk.database.write() as tx:
        await tx.execute("delete from sessions")


async def shut_out(dashboard: Dashboard) -> None:
    everybody = await dashboard.resources.desk.everybody()
    admin = next(user for user in everybody if user.role is Role.ADMIN)
    user_id = next(user for user in everybody if user.email == BEN).user_id
    await dashboard.resources.desk.change(admin, user_id, Role.VIEWER, disabled=True)


async def expire(dashboard: Dashboard) -> None:
    async with dashboard.resources.desk.database.write() as tx:
        await tx.execute("update sessions set seen_at = seen_at - interval '13 hours'")


async def set_another_password(dashboard: Dashboard) -> None:
    await dashboard.resources.desk.new_password_for(BEN)


@pytest.mark.parametrize("ending", [sign_out, shut_out, expire, set_another_password])
async def test_an_open_page_leaves_with_its_session(
    dashboard: Dashboard, ben: dict[str, str], ending: Callable[[Dashboard], Awaitable[None]]
) -> None:
    page = handshake(await dashboard.open(ben, "/people"))
    async with dashboard.live(ben, page) as socket:
        assert (await joined(socket)).startswith(JOINED)
        await ending(dashboard)
        heard: list[str] = []
        while not heard or not heard[-1].startswith(LEFT):
            heard.append(str(await socket.recv()))
    assert any(message.startswith('42["open",{"path":"/login"') for message in heard)
    with pytest.raises(InvalidStatus):
        async with dashboard.live(ben, page):
            pass


async def test_of_pages_that_nobody_connects_to_a_session_has_some_only(
    dashboard: Dashboard, admin: dict[str, str], ben: dict[str, str]
) -> None:
    of_ben = await dashboard.open(ben, "/settings/notifications")
    connected = await dashboard.open(admin)
    async with dashboard.live(admin, handshake(connected)) as open_page:
        assert (await joined(open_page)).startswith(JOINED)
        oldest, *_, newest = [await dashboard.open(admin) for _ in range(MOST_WAITING + 1)]

        async def gone() -> bool:
            async with dashboard.live(admin, handshake(oldest)) as socket:
                return (await joined(socket)).startswith(REFUSED)

        await eventually(gone)
        for cookie, page in ((admin, newest), (ben, of_ben)):
            async with dashboard.live(cookie, handshake(page)) as socket:
                assert (await joined(socket)).startswith(JOINED)
        await open_page.ping()


async def test_what_a_page_is_known_by_is_not_in_the_log(dashboard: Dashboard, admin: dict[str, str]) -> None:
    page = handshake(await dashboard.open(admin))
    async with dashboard.live(admin, page) as socket:
        socket_id = json.loads((await joined(socket)).removeprefix(JOINED))["sid"]
    with pytest.raises(InvalidStatus):
        async with dashboard.live({"cookie": "tellback_session=none"}, page):
            pass
    written = dashboard.log.read_text()
    for secret in (page["client_id"], page["tab_id"], page["document_id"], socket_id, "_nicegui_ws"):
        assert secret not in written


async def test_nobody_goes_on_with_a_connection_by_its_name(
    dashboard: Dashboard, admin: dict[str, str], ben: dict[str, str]
) -> None:
    page = handshake(await dashboard.open(admin))
    async with dashboard.live(admin, page) as socket:
        connection = json.loads(str(await socket.recv()).removeprefix("0"))["sid"]
        with pytest.raises(InvalidStatus):
            async with dashboard.live(ben, {"sid": connection}):
                pass
        async with httpx.AsyncClient(base_url=dashboard.url, trust_env=False, headers=ben) as client:
            asked = {"EIO": "4", "transport": "polling", "sid": connection}
            assert (await client.get("/_nicegui_ws/socket.io/", params=asked)).status_code == 403
            assert (await client.post("/_nicegui_ws/socket.io/", params=asked, content="40")).status_code == 403
