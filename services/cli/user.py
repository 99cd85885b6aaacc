"""As which user `up` runs. Root is warned, and asked on a terminal; with `--user` it gives up its rights first, so that
Kafka, PostgreSQL and all services run as that user."""

import os
import pwd
import sys
from contextlib import suppress
from pathlib import Path

import typer

from services.cli.console import Exit, WrongUse
from services.cli.embedded.posix_acl import grant_passage
from services.cli.folder import DataFolder, DataFolderError
from services.cli.paths import cache_dir
from shared.errors import TellbackError

ROOT = 0
PROGRAM = (Path(sys.executable).resolve(), Path(os.__file__), Path(typer.__file__), Path(__file__))
"""Python, its library, the packages, and our code: what the user must be able to read."""
OF_ROOT = ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")


class UserError(TellbackError):
    """The user cannot run Tellback here; the detail says why and what to do."""


def is_root() -> bool:
    """Whether this process may do anything."""
    return os.geteuid() == ROOT


def confirm_root(folder: DataFolder) -> None:
    """Warn that everything will run as root; on a terminal ask whether it shall. Raises `typer.Exit`."""
    typer.echo(
        f"warning: started by root, Kafka and all services run as root, on {folder.path}. "
        "Better: --user NAME, or the systemd unit of docs/operations.md",
        err=True,
    )
    if sys.stdin.isatty() and not typer.confirm("Go on as root?", err=True):
        raise typer.Exit(Exit.USAGE)


def become(name: str, data: Path | None) -> Path:
    """Go on as the user of this name, for good; returns the data folder, which is made for that user where there is
    none. Raises WrongUse, DataFolderError, UserError."""
    if not is_root():
        raise WrongUse("not_root", "--user is for root: without it everything runs as you")
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        made = f"useradd --system --home-dir /var/lib/tellback --shell /usr/sbin/nologin {name}"
        raise WrongUse("unknown_user", f"there is no user {name}: `{made}` makes one") from None
    if user.pw_uid == ROOT:
        raise WrongUse("still_root", f"{name} is root: leave --user out")
    folder, cache = DataFolder(data).path, cache_dir()
    for needed in (folder, cache):
        _hand_over(needed, user)
    for needed in (folder, cache, *PROGRAM):
        with suppress(OSError):  # without access control lists the check below says what is out of reach
            grant_passage(needed, user.pw_uid)
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    for variable in OF_ROOT:
        os.environ.pop(variable, None)
    os.environ |= {"HOME": user.pw_dir, "USER": name, "LOGNAME": name}
    os.environ |= {"TELLBACK_DATA_DIR": str(folder), "TELLBACK_CACHE_DIR": str(cache)}
    _require(name, folder)
    os.chdir(folder)
    return folder


def _hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    """Make a folder for the user, or give them an empty one. One that holds something is left as it is."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    if not any(folder.iterdir()):
        os.chown(folder, user.pw_uid, user.pw_gid)


def _require(name: str, folder: Path) -> None:
    """Check what the user may do, as that user."""
    for needed in PROGRAM:
        if not os.access(needed, os.R_OK):
            raise UserError("unreadable", f"{name} may not read {needed}: install Tellback where {name} may read it")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise DataFolderError(
            "data_folder",
            f"{name} may not use {folder}: `chown -R {name}: {folder}` hands over the folder of another user, and the"
            " folders above it must let them pass",
        )
