"""The data folder of an installation on one machine: who holds it, which version wrote it, and what is kept in it.

lock            held by the running `up`, or by a command that runs the parts for itself; says who that is
version.json    the layout of this folder and the release that wrote it last
ports.json      the ports of Kafka and PostgreSQL, kept from start to start
running.json    the processes of the last `up`, so that the next one can end what was left
secret_key      encrypts stored secrets (mode 600)
first_key       the first API key (mode 600)
first_admin     the first password of the dashboard's first admin (mode 600)
dashboard_key   the API key of the dashboard (mode 600)
outreach_key    the API key of outreach (mode 600)
backups/        the backups that `up` takes before it migrates (mode 700)
mails/          the last mails that `mail-listen` took (mode 700)
kafka/ postgres/ logs/ and a folder for each service
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.cli.console import Busy
from services.cli.paths import default_data_dir, write_private
from shared.errors import TellbackError
from shared.version import version

LAYOUT = 1
"""Increased when the folder changes in a way that earlier releases cannot read."""

LOCK_TRIES = 5
NO_SERVICES = 0
"""The port base of a command that runs Kafka and PostgreSQL for itself and no service."""


class DataFolderError(TellbackError):
    """The data folder cannot be used; the detail says why and what to do."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock: its id, and for an `up` the lowest of its ports, for a command that runs Kafka
    and PostgreSQL for itself `NO_SERVICES`."""

    pid: int
    port_base: int
    started_at: str

    @property
    def serves(self) -> bool:
        """Whether the holder is an `up`, which runs the services."""
        return self.port_base != NO_SERVICES


class DataFolder:
    """One data folder; the constructor neither makes nor reads anything."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = (path or default_data_dir()).expanduser().absolute()
        self.kafka = self.path / "kafka"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self.mails = self.path / "mails"
        self.backups = self.path / "backups"
        self.first_key = self.path / "first_key"
        self.first_admin = self.path / "first_admin"
        self.dashboard_key = self.path / "dashboard_key"
        self.outreach_key = self.path / "outreach_key"
        self.secret_key = self.path / "secret_key"
        self._lock = self.path / "lock"
        self._version = self.path / "version.json"
        self._ports = self.path / "ports.json"
        self._running = self.path / "running.json"

    def key_files(self) -> tuple[Path, ...]:
        """The files with API keys and the first password, which may be missing."""
        return self.first_key, self.first_admin, self.dashboard_key, self.outreach_key

    def make(self) -> None:
        """Make the folder, or check that this release can use it. Raises DataFolderError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.check_version()
            if not self._version.exists():
                self.mark_version()
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DataFolderError(
                "data_folder", f"{self.path} cannot be used ({error.strerror}): choose another with --data"
            ) from error

    @property
    def disks(self) -> list[Path]:
        """The folders that may lie on disks of their own."""
        return [self.path, self.kafka, self.postgres]

    @property
    def made_by_up(self) -> bool:
        """Whether an `up` has made this folder, rather than a service that runs by itself."""
        return self._version.exists()

    def check_version(self) -> None:
        """Refuse a folder that a newer release wrote, or that is no data folder."""
        if self._version.exists():
            marker = _read(self._version)
            if marker.get("layout", 0) > LAYOUT:
                raise DataFolderError(
                    "newer_data",
                    f"{self.path} was written by Tellback {marker.get('tellback')}, which is newer than this "
                    f"{version()}: update, or choose another folder with --data",
                )
        elif self.path.exists() and any(self.path.iterdir()):
            raise DataFolderError(
                "foreign_folder", f"{self.path} holds something else: choose an empty folder with --data"
            )

    def refuse_other_owner(self) -> None:
        """Raises DataFolderError where root would leave files in another user's folder, which that user's next start
        could not read."""
        if os.geteuid() == 0 and self.path.exists() and self.path.stat().st_uid != 0:
            owner = _owner_of(self.path)
            raise DataFolderError(
                "other_owner",
                f"{self.path} belongs to {owner}: as root start `tellback up --user {owner}`, and other commands"
                f" that have to start Kafka and PostgreSQL with `runuser -u {owner} -- tellback …`",
            )

    def mark_version(self) -> None:
        """Record that this release has used the folder."""
        _write(self._version, {"layout": LAYOUT, "tellback": version()})

    @contextmanager
    def held(self, port_base: int) -> Iterator[None]:
        """Hold the folder for the block; the lock is released when this process ends, however it ends. Raises Busy."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(descriptor):
                raise Busy("already_running", self._who_has_it())
            me = Holder(os.getpid(), port_base, datetime.now(UTC).isoformat(timespec="seconds"))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(me)).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def holder(self) -> Holder | None:
        """Who holds the folder now; None when nobody does."""
        if not self._lock.exists():
            return None
        with self._lock.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = json.loads(lock.read() or b"{}")
                return Holder(holder.get("pid", 0), holder.get("port_base", 0), holder.get("started_at", ""))
            return None

    def _who_has_it(self) -> str:
        holder = self.holder()
        if holder and not holder.serves:
            return f"{self.path} is in use by another command (process {holder.pid}): wait until that has ended"
        who = "?"
        if holder:
            who = f"process {holder.pid}, ports from {holder.port_base}, since {holder.started_at}"
        return (
            f"{self.path} is in use by another `tellback up` ({who}): "
            "stop it with `tellback down`, or choose another folder with --data"
        )

    def ports(self) -> dict[str, int]:
        """The kept ports of the embedded parts: kafka, kafka_controller, postgres."""
        return {name: int(port) for name, port in _read(self._ports).items()}

    def keep_ports(self, ports: dict[str, int]) -> None:
        """Keep the ports for the next start."""
        _write(self._ports, ports)

    def running(self) -> dict[str, Any]:
        """The processes that the last `up` has recorded; {} when it stopped gracefully."""
        return _read(self._running)

    def note_running(self, state: dict[str, Any] | None) -> None:
        """Record the processes of this `up`; None when they have ended."""
        if state is None:
            self._running.unlink(missing_ok=True)
        else:
            _write(self._running, state)

    def make_secret_key(self) -> None:
        """Make the secret that all services share, unless there is one."""
        if not self.secret_key.exists():
            write_private(self.secret_key, secrets.token_urlsafe(48))

    def variables(self) -> dict[str, str]:
        """The environment variables with which programs find the embedded parts, as far as those are set up."""
        from services.cli.embedded.kafka import client_variables
        from services.cli.embedded.postgres import Postgres

        ports, variables = self.ports(), dict[str, str]()
        if "kafka" in ports:
            variables |= client_variables(self.kafka, ports["kafka"])
        if "postgres" in ports and (self.postgres / "password").exists():
            variables["TELLBACK_DATABASE_URL"] = Postgres(self.postgres, ports["postgres"]).url()
        if self.secret_key.exists():
            variables["TELLBACK_SECRET_KEY_FILE"] = str(self.secret_key)
        return variables


def _owner_of(path: Path) -> str:
    """The name of a file's owner; the number of one that has none on this machine."""
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _locked(descriptor: int) -> bool:
    """Take the lock; several tries, since a `status` may hold it for a moment."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataFolderError("damaged_file", f"{path} is damaged: {error}") from error
    if isinstance(content, dict):
        return content
    return {}


def _write(path: Path, value: dict[str, Any]) -> None:
    write_private(path, json.dumps(value, indent=1) + "\n")
