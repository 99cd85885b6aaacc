"""`tellback`: the list of all commands. Each command imports heavy modules only when it runs."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from services.cli import (
    backup,
    benchmark,
    config,
    dashboard,
    demo,
    dlq,
    doctor,
    down,
    erase,
    follow_ups,
    import_,
    keys,
    mail_listen,
    migrate,
    outreach,
    rebuild,
    reconcile,
    replay,
    resume,
    resume_sending,
    ring,
    serve,
    setup,
    status,
    topics,
    undo_import,
    up,
    verify,
    webhook_listen,
)
from services.cli.backup.restore import restore
from services.cli.console import Exit, complain, say
from shared.errors import TellbackError
from shared.version import version

COMMANDS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("up", up.up),
    ("down", down.down),
    ("status", status.status),
    ("doctor", doctor.doctor),
    ("serve", serve.serve),
    ("migrate", migrate.migrate),
    ("restore", restore),
    ("reconcile", reconcile.reconcile),
    ("rebuild", rebuild.rebuild),
    ("replay", replay.replay),
    ("resume", resume.resume),
    ("resume-sending", resume_sending.resume_sending),
    ("import", import_.import_file),
    ("undo-import", undo_import.undo_import),
    ("erase", erase.erase),
    ("demo", demo.demo),
    ("verify", verify.verify),
    ("webhook-listen", webhook_listen.webhook_listen),
    ("mail-listen", mail_listen.mail_listen),
)
HIDDEN: tuple[tuple[str, Callable[..., Any]], ...] = (("setup", setup.setup),)
GROUPS: tuple[tuple[str, typer.Typer], ...] = (
    ("backup", backup.app),
    ("topics", topics.app),
    ("keys", keys.app),
    ("secrets", ring.app),
    ("benchmark", benchmark.app),
    ("dashboard", dashboard.app),
    ("outreach", outreach.app),
    ("dlq", dlq.app),
    ("follow-ups", follow_ups.app),
    ("config", config.app),
)

app = typer.Typer(
    name="tellback",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS:
    app.command(name)(command)
for name, command in HIDDEN:
    app.command(name, hidden=True)(command)
for name, group in GROUPS:
    app.add_typer(group, name=name)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(version())
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Closed-loop feedback for B2B suppliers: rolling NPS, follow-ups, benchmarks.

    Exit codes: 0 done, 1 something is wrong, 2 wrong use or settings, 3 not reachable, 4 somebody else is there.
    """


def main() -> None:
    """The entry point. An expected error becomes one line and an exit code."""
    try:
        app()
    except TellbackError as error:
        sys.exit(complain(error))
    except OSError as error:  # a folder without access, a full disk: the system's own message is the clearest
        typer.echo(f"error: {error}", err=True)
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    main()
