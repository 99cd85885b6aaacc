"""`tellback outreach`: sets up what the service for surveys needs before it can hand on an answer."""

from functools import partial

import typer

from services.cli.console import DataOption, WaitOption
from services.cli.folder import DataFolder
from services.cli.installation import run_on
from services.cli.own_keys import make_own_key
from shared.settings import CommonSettings

KEY_NAME = "outreach"
SCOPES = frozenset({"ingest", "read", "act"})

app = typer.Typer(no_args_is_help=True, help="Prepare the service for surveys.")


@app.callback()
def outreach() -> None:
    """Prepare the service for surveys."""


@app.command("setup")
def setup(data: DataOption = None, wait: WaitOption = 0.0) -> None:
    """Make the API key with which answers given on Tellback's own page are posted, where there is none; `tellback up`
    does it by itself."""
    folder = DataFolder(data)
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    run_on(data, partial(prepare, folder=folder), wait=wait)


async def prepare(common: CommonSettings, folder: DataFolder) -> None:
    """Make the key, in a file for the service."""
    await make_own_key(common, KEY_NAME, SCOPES, folder.outreach_key)
