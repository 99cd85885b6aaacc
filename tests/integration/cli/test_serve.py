"""`tellback serve` in a real process: ready when it can work, and on SIGTERM 'not ready' before it stops answering."""

import signal
from pathlib import Path

import httpx

from services.cli.embedded.process import free_port
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

START_SECONDS = 60.0
PAUSE = "3"


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


def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, environment: Environment) -> None:
    log = tmp_path / "scorer.log"
    weak = environment.variables() | {"TELLBACK_SECRET_KEY": "hunter2"}
    process = start(tellback("serve", "scorer"), log, env=weak)
    assert process.wait(START_SECONDS) == 2
    assert "TELLBACK_SECRET_KEY" in log.read_text()
    assert "hunter2" not in log.read_text()
