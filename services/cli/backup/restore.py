"""`tellback restore DIR`: an installation from a backup, into an empty data folder or an empty database."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.backup.command import BackupArgument, shown
from services.cli.console import DataOption, JsonOption, as_json, say, table
from services.cli.folder import DataFolder
from services.cli.installation import Work, run_on, run_on_new

if TYPE_CHECKING:
    from services.cli.backup.restoring import Restored

MOVED = ("service", "topic", "partition", "why", "records")


def restore(
    path: BackupArgument,
    *,
    erasures: Annotated[
        Path | None,
        typer.Option("--erasures", metavar="FILE", help="A later journal, by `tellback backup erasures FILE`."),
    ] = None,
    revoke_keys: Annotated[
        bool, typer.Option("--revoke-keys", help="Revoke every API key: those revoked since would be live again.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Bring an installation back from a backup, into an empty data folder or an empty database.

    No service may run. Afterwards nothing is sent until `tellback resume-sending`. What Kafka holds behind the backup
    is read again once the services start. Interrupted, it leaves nothing behind: run it again.
    """
    from services.cli.backup.checking import require_whole
    from services.cli.backup.content import BackupFolder
    from services.cli.backup.erasures import read_journal
    from services.cli.backup.keeping import keep_keys
    from services.cli.backup.restoring import Wish
    from services.cli.backup.restoring import restore as fill

    began = time.monotonic()
    folder = BackupFolder(path)
    manifest = folder.manifest()
    later = []
    if erasures is not None:
        later = read_journal(erasures)
    with shown(json=json) as progress:
        require_whole(folder, manifest, progress)
        prepare = partial(keep_keys, folder, DataFolder(data), with_api_keys=not revoke_keys)
        work = partial(fill, wish=Wish(folder, manifest, later, revoke_keys), progress=progress)
        restored = _run(DataFolder(data), work, prepare)
    if json:
        as_json({**asdict(restored), "rows": manifest.rows, "taken_at": manifest.taken_at})
        return
    seconds = time.monotonic() - began
    say(f"{manifest.rows:,} rows of {manifest.taken_at:%F %T} UTC are back, in {seconds:.1f} s")
    _tell(restored, revoked=revoke_keys)


def _run(kept: DataFolder, work: "Work[Restored]", prepare: Callable[[], None]) -> "Restored":
    """Restore into embedded parts made for it, or into the Kafka and PostgreSQL that the environment names."""
    from services.cli.processes import embedded_wanted

    if any(embedded_wanted()):
        return run_on_new(kept, work, prepare)
    prepare()
    return run_on(kept.path, work, kafka=True)


def _tell(restored: "Restored", *, revoked: bool) -> None:
    from services.cli.backup.log import LOST, OTHER

    say(f"{restored.directory:,} records of the directory and {restored.scores:,} scores are published anew")
    if restored.erased:
        say(f"{restored.erased:,} people and accounts of the journal are erased again")
    if any(moved.why == OTHER for moved in restored.moved):
        say("Kafka's log is another log than before: services read it from its beginning")
    rows = []
    for moved in restored.moved:
        if moved.why != OTHER:
            rows.append((moved.service, moved.topic, str(moved.partition), moved.why, moved.records))
    if rows:
        say("Kafka's log is not as it was: where services read on")
        table(MOVED, rows)
    if any(moved.why == LOST for moved in restored.moved):
        say("records are lost: services wait for `tellback resume --accept-gap`")
    if revoked:
        say("every API key is revoked; `tellback up` or the setup commands make new ones for the services")
    else:
        say("These API keys are live, also those revoked since the backup (revoke with `tellback keys revoke`):")
        table(("key", "name"), restored.keys)
    say(f"These people may sign in, also those disabled since: {', '.join(restored.users) or 'nobody'}")
    say("No mail, webhook or notice leaves until `tellback resume-sending`.")
