"""`tellback doctor`: says what is wrong and what to do about it."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.connection import PORT_BASE, PORTS
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.folder import DataFolder, DataFolderError, Holder
from services.cli.installation import run_on
from services.cli.services import installed_services
from shared.settings import CommonSettings, InvalidSettings

if TYPE_CHECKING:
    from services.cli.checks import Check
    from services.outreach.domain.sending_domain import DomainReport

NEEDED = ("database", "kafka", "topics", "migrations")
"""Checks without which the positions of the services cannot be checked."""
COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "not_checked": "dim"}


def doctor(
    data: DataOption = None,
    json: JsonOption = False,
    mail: Annotated[
        bool, typer.Option("--mail", help="Check what the DNS says of the sending domain instead, and nothing else.")
    ] = False,
) -> None:
    """Check this machine, the parts, the data and the services; each line: check, found, fix.

    Exit code 1 when a check fails. It changes nothing, and may run at any time: where `up` does not run, the embedded
    parts are started for the look; not so with --mail, which asks the DNS alone.
    """
    if mail:
        _doctor_mail(json=json)
        return
    checks = _examine(DataFolder(data))
    if json:
        as_json({"ok": not _failures(checks), "checks": [asdict(check) for check in checks]})
    else:
        _tell(checks)
    _end(checks)


def _doctor_mail(*, json: bool) -> None:
    """The checks of the sending domain, with what is to be published and the note for the IT of those who are asked."""
    from services.cli.checks import mail
    from services.outreach.settings import OutreachSettings
    from shared.api.sending_domain import SendingDomain

    report = mail.examined(OutreachSettings.load())
    checks = mail.checks(report)
    if json:
        as_json(SendingDomain.model_validate(report).model_dump())
    else:
        _tell(checks)
        _tell_what_to_do(report)
    _end(checks)


def _tell_what_to_do(report: "DomainReport") -> None:
    records = [check.record for check in report.checks if check.record is not None]
    if records:
        say()
        say("Records to publish:")
    for record in records:
        say(f"{record.name} {record.type} {record.value}")
    if report.note is not None:
        say()
        say("For the IT of those whom you ask:")
        say(report.note)


def _failures(checks: "list[Check]") -> int:
    from services.cli.checks import State

    return sum(check.state is State.FAILED for check in checks)


def _tell(checks: "list[Check]") -> None:
    from services.cli.checks import State

    _show(checks)
    failures, unchecked = _failures(checks), sum(check.state is State.NOT_CHECKED for check in checks)
    if failures:
        say(f"{failures} of {len(checks)} checks failed")
    elif unchecked:
        say(f"no check failed, {unchecked} of {len(checks)} could not be made")
    else:
        say(f"all {len(checks)} checks passed")


def _end(checks: "list[Check]") -> None:
    if _failures(checks):
        raise typer.Exit(Exit.FAILED)


def _examine(folder: DataFolder) -> "list[Check]":
    from services.cli.checks import failed, machine, not_checked
    from services.cli.embedded.kafka import KafkaError
    from services.cli.embedded.postgres import PostgresError
    from services.cli.processes import embedded_wanted, set_up
    from services.cli.supervisor import StartFailed

    embedded = any(embedded_wanted())
    checks = []
    if embedded:
        checks = machine.embedded_programs()
    checks += [*machine.data_folder(folder, embedded=embedded), *machine.disk(folder)]
    if "outreach" in installed_services():
        checks.append(machine.mail_relay(folder))
    holder = folder.holder()
    if holder is None and embedded:
        checks.append(machine.ports(installed_services()))
        if not set_up(folder):
            return [*checks, not_checked("installation", "nothing was set up here yet", "`tellback up` does it")]
    try:
        return checks + run_on(folder.path, partial(_examine_running, holder=holder), kafka=True)
    except InvalidSettings as error:
        return [*checks, failed("settings", error.detail, "`tellback config show` shows all of them")]
    except (DataFolderError, KafkaError, PostgresError, StartFailed) as error:
        return [*checks, failed("embedded parts", error.detail, "mend what it says, then start `tellback up`")]


async def _examine_running(common: CommonSettings, holder: Holder | None) -> "list[Check]":
    from services.cli.checks import State, notices, secret_keys, state, webhooks
    from services.cli.processes import embedded_wanted

    checks = [*await state.database(common), *await state.kafka(common)]
    if holder and holder.serves:
        checks += [await _ready(name, holder.port_base) for name in installed_services()]
    elif not any(embedded_wanted()):
        checks += await services_here(PORT_BASE)
    if any(check.state is State.FAILED and check.name in NEEDED for check in checks):
        return checks
    for service in installed_services():
        checks += await state.reading(common, service)
    checks += [*await webhooks.proxy(), *await webhooks.endpoints(common), *await notices.waiting(common)]
    return [*checks, *await secret_keys.ring(common)]


async def services_here(port_base: int) -> "list[Check]":
    """The services that run by themselves on this machine or in this container, as far as their usual ports say."""
    from services.cli.embedded.process import port_is_free

    checks = []
    for name in installed_services():
        if not port_is_free(port_base + PORTS[name]):
            checks.append(await _ready(name, port_base))
    return checks


async def _ready(service: str, port_base: int) -> "Check":
    from services.cli.checks import failed, ok
    from services.cli.processes import readiness

    port = port_base + PORTS[service]
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
