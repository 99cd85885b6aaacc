"""`tellback serve` in a real process: ready when it can work, and on SIGTERM 'not ready' before it stops answering."""

import contextlib
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.cli.checks import State
from services.cli.doctor import services_here
from services.cli.embedded.process import free_port
from services.cli.processes import asks_ready
from services.cli.serve import raised_open_files
from tests.support.environment import Environment
from tests.support.home import free_port_base
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.problems import assert_problem
from tests.support.processes import end, run_tellback, start, tellback
from tests.support.wire import wire_to, wires_to

START_SECONDS = 60.0
PAUSE = "3"
CROWD = 1_100
MEGABYTE = 1 << 20
BEGUN_UPLOAD = (
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="answers.csv"\r\n\r\naccount_id\n'
    + b"acme\n" * MEGABYTE
)
"""The beginning of a form: more of a file than is kept in memory."""


async def test_it_says_not_ready_before_it_stops_to_accept(environment: Environment, tmp_path: Path) -> None:
    port = free_port()
    command = tellback("serve", "collector", "--port", str(port), "--pause", PAUSE)
    process = start(command, tmp_path / "collector.log", env=environment.variables())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

            async def answers(path: str) -> int:
                try:
                    return (await client.get(path)).status_code
                except httpx.ConnectError:
                    return 0

            async def is_ready() -> bool:
                return await answers("/health/ready") == 200

            async def drains() -> bool:
                return (await answers("/health/ready"), await answers("/health/live")) == (503, 200)

            await eventually(is_ready, START_SECONDS)
            process.send_signal(signal.SIGTERM)
            await eventually(drains)
        assert end(process) == -signal.SIGTERM
    finally:
        end(process)


@contextlib.asynccontextmanager
async def served(service: str, environment: Environment, log: Path, **settings: str) -> AsyncIterator[str]:
    """The base URL of a service in a process of its own, live at the beginning of the block."""
    async with serving(service, environment, log, **settings) as (url, _):
        yield url


@contextlib.asynccontextmanager
async def serving(service: str, environment: Environment, log: Path, **settings: str) -> AsyncIterator[tuple[str, int]]:
    """The base URL of a service and the id of its process."""
    port = free_port()
    process = start(tellback("serve", service, "--port", str(port)), log, environment.variables() | settings)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def alive() -> bool:
                with contextlib.suppress(httpx.ConnectError):
                    return (await client.get(f"{url}/health/live")).status_code == 200
                return False

            await eventually(alive, START_SECONDS)
        yield url, process.pid
    finally:
        end(process)


@pytest.mark.slow
@pytest.mark.parametrize(("service", "path"), [("collector", "/openapi.json"), ("dashboard", "/login")])
async def test_a_thousand_connections_that_say_nothing_stop_no_service(
    service: str, path: str, environment: Environment, tmp_path: Path
) -> None:
    raised_open_files()
    async with served(service, environment, tmp_path / "service.log") as url, wires_to(url, CROWD) as crowd:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            for asked in ("/health/live", "/health/startup", "/metrics", path):
                assert (await client.get(asked)).status_code == 200, asked
        assert all(wire.open for wire in crowd)


async def test_errors_of_the_dashboard_beside_its_pages_are_problems(environment: Environment, tmp_path: Path) -> None:
    """Strangers are redirected to the login from pages, and get a problem elsewhere."""
    cases = [
        ("GET", "/static/none.css", 404, "not_found"),
        ("PUT", "/health/live", 403, "not_signed_in"),
        ("POST", "/", 403, "not_signed_in"),
    ]
    log = tmp_path / "dashboard.log"
    async with served("dashboard", environment, log) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for method, path, status, code in cases:
            assert_problem(await client.request(method, path), status, code)
        assert (await client.get("/v1/nowhere")).headers["location"] == "/login?next=%2Fv1%2Fnowhere"
        assert (await client.head("/login")).status_code == 200


async def test_idle_connections_live_as_long_as_the_setting_says(environment: Environment, tmp_path: Path) -> None:
    log = tmp_path / "collector.log"
    async with served("collector", environment, log, TELLBACK_KEEP_ALIVE="1") as url, wire_to(url) as wire:
        await wire.send("GET /health/live HTTP/1.1")
        assert (await wire.answer()).status == 200
        assert await wire.closed()


async def test_uploads_lie_in_the_data_folder_which_a_start_tidies(environment: Environment, tmp_path: Path) -> None:
    left = tmp_path / "temporary" / "left"
    left.parent.mkdir()
    left.write_text("of a process that was killed")
    key = bearer(await api_key(environment, ["ingest"]))["Authorization"]
    log, folder = tmp_path / "collector.log", {"TELLBACK_DATA_DIR": str(tmp_path)}
    async with serving("collector", environment, log, **folder) as (url, pid), wire_to(url) as wire:
        assert not left.exists()
        await wire.send(
            "POST /v1/imports HTTP/1.1",
            f"Authorization: {key}",
            "Content-Type: multipart/form-data; boundary=cut",
            f"Content-Length: {8 * MEGABYTE}",
            body=BEGUN_UPLOAD,
        )

        async def is_kept_there() -> bool:
            return any(open_file.startswith(f"{left.parent}/") for open_file in open_files(pid))

        await eventually(is_kept_there)


def open_files(pid: int) -> list[str]:
    """Where the open files of a process lie, also those that have no name any more."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(descriptor.readlink()))
    return found


async def test_the_doctor_beside_a_service_that_runs_by_itself_finds_nothing_odd(
    environment: Environment, tmp_path: Path
) -> None:
    """As in its container: its folder, its port."""
    base, folder = free_port_base(), {"TELLBACK_DATA_DIR": str(tmp_path)}
    log = tmp_path / "collector.log"
    child = start(tellback("serve", "collector", "--port", str(base + 1)), log, environment.variables() | folder)
    try:

        async def is_ready() -> bool:
            return await asks_ready(base + 1)

        await eventually(is_ready, START_SECONDS)
        await eventually((tmp_path / "api-keys.json").exists)
        (check,) = await services_here(base)
        assert (check.name, check.state) == ("collector: ready", State.OK)
        doctor = await run_tellback(environment, "doctor", "--json", "--data", str(tmp_path))
    finally:
        end(child)
    states = {check["name"]: check["state"] for check in json.loads(doctor.stdout)["checks"]}
    assert states["data folder"] == "ok"
    assert "ports" not in states
    assert {name for name, found in states.items() if found == "failed"} <= {"durability"}


def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, environment: Environment) -> None:
    log = tmp_path / "scorer.log"
    weak = environment.variables() | {"TELLBACK_SECRET_KEY": "hunter2"}
    process = start(tellback("serve", "scorer"), log, env=weak)
    assert process.wait(START_SECONDS) == 2
    assert "TELLBACK_SECRET_KEY" in log.read_text()
    assert "hunter2" not in log.read_text()
