"""`tellback up`: Kafka, PostgreSQL and every service on this machine, in the foreground until Ctrl-C."""

import asyncio
import time
from typing import Annotated

import typer

from services.cli.connection import PORT_BASE, fill_environment
from services.cli.console import DataOption, Exit, say
from services.cli.folder import DataFolder
from services.cli.services import installed_services
from services.cli.user import become, confirm_root, is_root
from shared.settings import CommonSettings


def up(
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Play a B2B year into it once it runs; webhooks may go to this machine, mails stay on it."
        ),
    ] = False,
    data: DataOption = None,
    port_base: Annotated[
        int,
        typer.Option(
            min=1024,
            max=65000,
            help="N: dashboard N, collector N+1, scorer N+2, alerting N+3, benchmark N+4, outreach N+5.",
        ),
    ] = PORT_BASE,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="As root: run everything as this user instead."),
    ] = None,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Kafka and PostgreSQL are embedded, unless TELLBACK_KAFKA_BOOTSTRAP_SERVERS and TELLBACK_DATABASE_URL name others.
    """
    began = time.monotonic()
    if user is not None:
        data = become(user, data)
    folder = DataFolder(data)
    folder.refuse_other_owner()
    if is_root():
        confirm_root(folder)
    folder.make()
    with folder.held(port_base):
        try:
            code = _run(folder, port_base, demo=demo, began=began)
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
    raise typer.Exit(code)


def _run(folder: DataFolder, port_base: int, *, demo: bool, began: float) -> int:
    """The checks that need no process yet; then the run itself."""
    from services.cli.jar_download import fetch_missing
    from services.cli.leftovers import sweep
    from services.cli.processes import backing, refuse_taken_ports
    from services.cli.up_run import Plan, UpRun

    for name in sweep(folder):
        say(f"  ended {name}, which an earlier run had left")
    services = installed_services()
    refuse_taken_ports(services, port_base)
    folder.mark_version()
    folder.make_secret_key()
    embedded = backing(folder)
    if embedded.kafka:
        fetch_missing(embedded.kafka.jars)
    embedded.prepare()
    fill_environment(folder)
    CommonSettings.load()  # wrong settings are reported once, not by every service
    return asyncio.run(UpRun(Plan(folder, services, port_base, demo, began), embedded).to_the_end())
