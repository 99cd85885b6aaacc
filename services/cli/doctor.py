"""`tellback doctor`: says what is wrong and what to do about it."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from services.cli.connection import common_settings
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.folder import DataFolder, Holder
from services.cli.services import installed_services
from shared.settings import CommonSettings, InvalidSettings

if TYPE_CHECKING:
    from services.cli.checks import Check

NEEDED = ("database", "kafka", "topics", "migrations")
"""Where one of these fails, how far services have read cannot be looked at."""
COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "not_checked": "dim"}


def doctor(data: DataOption = None, json: JsonOption = False) -> None:
    """Check this machine, the parts, the data and the services; each line: check, found, fix.

    Exit code 1 when a check fails. It changes nothing, and may run at any time.
    """
    from services.cli.checks import State

    checks = asyncio.run(_examine(DataFolder(data)))
    failures = sum(check.state is State.FAILED for check in checks)
    if json:
        as_json({"ok": not failures, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks)
        say(f"{failures} of {len(checks)} checks failed" if failures else f"all {len(checks)} checks passed")
    if failures:
        raise typer.Exit(Exit.FAILED)


async def _examine(folder: DataFolder) -> "list[Check]":
    from services.cli.checks import failed, machine, not_checked
    from services.cli.parts import embedded_wanted

    kafka_here, postgres_here = embedded_wanted()
    checks = machine.embedded_programs() if kafka_here or postgres_here else []
    checks += [*machine.data_folder(folder), *machine.disk(folder)]
    holder = folder.holder()
    if holder is None:
        checks.append(machine.ports(installed_services()))
        if kafka_here or postgres_here:
            return [*checks, not_checked("installation", "nothing runs on this data folder", "`tellback up` starts it")]
    try:
        common = common_settings(folder.path)
    except InvalidSettings as error:
        return [*checks, failed("settings", error.detail, "`tellback config show` shows all of them")]
    return [*checks, *await _examine_running(common, holder)]


async def _examine_running(common: CommonSettings, holder: Holder | None) -> "list[Check]":
    from services.cli.checks import State, state, webhooks

    checks = [*await state.database(common), *await state.kafka(common)]
    if holder:
        checks += [await _ready(name, holder) for name in installed_services()]
    if any(check.state is State.FAILED and check.name in NEEDED for check in checks):
        return checks
    for service in installed_services():
        checks += await state.reading(common, service)
    return [*checks, *await webhooks.endpoints(common)]


async def _ready(service: str, holder: Holder) -> "Check":
    from services.cli.checks import failed, ok
    from services.cli.connection import PORTS
    from services.cli.parts import readiness

    port = holder.port_base + PORTS[service]
    said = await readiness(port)
    if said.remarks:
        return failed(f"{service}: ready", "; ".join(said.remarks), "what halted goes on by itself once that is mended")
    if said.ready:
        return ok(f"{service}: ready", f"port {port}")
    fix = f"http://127.0.0.1:{port}/health/ready says why; `tellback status` shows restarts"
    return failed(f"{service}: ready", f"port {port} does not answer, or is not ready", fix)


def _show(checks: "list[Check]") -> None:
    from rich.text import Text

    rows = [
        (Text(str(check.state).replace("_", " "), style=COLOURS[check.state]), check.name, check.found, check.fix)
        for check in checks
    ]
    table(("", "check", "found", "fix"), rows)
