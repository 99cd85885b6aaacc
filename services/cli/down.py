"""`tellback down`: stops the `up` that holds a data folder, from another terminal."""

import os
import signal
import time
from contextlib import suppress
from typing import Annotated

import typer

from services.cli.console import Busy, DataOption, JsonOption, as_json, say
from services.cli.folder import DataFolder
from services.cli.leftovers import sweep

POLL_SECONDS = 0.1


def down(
    data: DataOption = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the end.")] = 60.0,
    json: JsonOption = False,
) -> None:
    """Stop what runs on the data folder, in good order. That nothing runs is no error."""
    folder = DataFolder(data)
    holder = folder.holder()
    if holder:
        with suppress(ProcessLookupError):  # the process has just ended by itself
            os.kill(holder.pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while folder.holder():
            if time.monotonic() > deadline:
                raise Busy("still_running", f"process {holder.pid} still runs after {timeout:g} s: see its terminal")
            time.sleep(POLL_SECONDS)
        if json:
            as_json({"stopped": holder.pid, "ended": [], "data": folder.path})
        else:
            say(f"stopped process {holder.pid}, which held {folder.path}")
        return
    left = []
    if folder.path.exists():
        left = sweep(folder)
    if json:
        as_json({"stopped": None, "ended": left, "data": folder.path})
        return
    if left:
        say(f"ended what was left: {', '.join(left)}")
    else:
        say(f"nothing runs on {folder.path}")
