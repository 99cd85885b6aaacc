"""`tellback dashboard`: sets up what the pages need before anybody can sign in, and resets a password."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.cli.console import DataOption, WaitOption, say
from services.cli.folder import DataFolder
from services.cli.installation import run_on
from services.cli.own_keys import make_own_key
from services.cli.paths import write_private
from shared.clock import SystemClock
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from services.dashboard.handlers.people import Desk

T = TypeVar("T")
KEY_NAME = "dashboard"

app = typer.Typer(no_args_is_help=True, help="Prepare the dashboard, and let people in who are locked out.")


@app.command("setup")
def setup(data: DataOption = None, wait: WaitOption = 0.0) -> None:
    """Make the dashboard's API key and its first admin where there are none, and another key where that one cannot
    make what people need; says in which file the first password is. `tellback up` does it by itself."""
    folder = DataFolder(data)
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if run_on(data, partial(prepare, folder=folder), wait=wait):
        # Not the password: what containers print is kept, and collected by others.
        say(f"Sign in as admin with the password in {folder.first_admin}, and change it.")


@app.command("password")
def password(
    email: Annotated[str, typer.Argument(help="The name or e-mail address they sign in with.")],
    data: DataOption = None,
) -> None:
    """Give somebody a new password and print it; they are signed out everywhere."""
    say(run_on(data, partial(_with_desk, work=lambda desk: desk.new_password_for(email))))


def told(folder: DataFolder) -> str:
    """The sentence that says how the first admin signs in."""
    kept = folder.first_admin.read_text(encoding="utf-8").strip()
    return f"Sign in as admin with this password, kept in {folder.first_admin}:\n\n{kept}"


async def prepare(common: CommonSettings, folder: DataFolder) -> bool:
    """Make the key, in a file for the service, and the first admin, with the password in another file; returns whether
    the admin was made now."""
    from services.dashboard.domain.users import HANDED_OUT

    await make_own_key(common, KEY_NAME, HANDED_OUT, folder.dashboard_key)
    made = await _with_desk(common, lambda desk: desk.first_admin())
    if made is not None:
        write_private(folder.first_admin, made)
    return made is not None


async def _with_desk(common: CommonSettings, work: "Callable[[Desk], Awaitable[T]]") -> T:
    from services.dashboard import SCHEMA
    from services.dashboard.gateways.passwords import Passwords
    from services.dashboard.handlers.people import Desk
    from shared.db.engine import Database

    async with Database.of(common, SCHEMA, pool_size=1) as database:
        return await work(Desk(database, SystemClock(), Passwords()))
