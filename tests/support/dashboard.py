"""The dashboard of an installation as a real process."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.cli.embedded.process import free_port
from tests.support.installation import Installation
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard's address, the password of `admin`, and environment variables for commands."""

    url: str
    password: str
    variables: Mapping[str, str]

    async def ready(self) -> bool:
        """Whether its readiness check succeeds."""
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{self.url}/health/ready")).is_success
            except httpx.HTTPError:
                return False


@contextlib.asynccontextmanager
async def dashboard_of(installation: Installation, folder: Path) -> AsyncIterator[Dashboard]:
    """The dashboard, set up and ready; its data and logs are in the folder."""
    urls = {name: installation.url(name) for name in installation.clients}
    variables = installation.environment.variables() | {
        "TELLBACK_API_KEY": installation.key,
        "TELLBACK_LOG_FORMAT": "json",
        "TELLBACK_DASHBOARD_API_KEY_FILE": str(folder / "data" / "dashboard_key"),
        "TELLBACK_DASHBOARD_REFRESH_SECONDS": "0.5",
        **{f"TELLBACK_DASHBOARD_{name.upper()}_URL": url for name, url in urls.items()},
        **{f"TELLBACK_{name.upper()}_URL": url for name, url in urls.items()},
    }
    await ran(("dashboard", "setup", "--data", str(folder / "data")), folder / "setup.log", variables)
    port = free_port()
    argv = tellback("serve", "dashboard", "--port", str(port), "--pause", "0")
    child = start(argv, folder / "dashboard.log", variables)
    password = (folder / "data" / "first_admin").read_text().strip()
    dashboard = Dashboard(f"http://127.0.0.1:{port}", password, variables)
    try:
        await eventually(dashboard.ready, timeout=60)
        yield dashboard
    finally:
        end(child)


async def ran(arguments: tuple[str, ...], log: Path, variables: Mapping[str, str]) -> None:
    """Run a `tellback` command to its end. AssertionError with the end of its output if it fails."""
    child = start(tellback(*arguments), log, variables)

    async def ended() -> bool:
        return child.poll() is not None

    await eventually(ended, timeout=100)
    assert child.returncode == 0, log.read_text(errors="replace")[-3000:]
