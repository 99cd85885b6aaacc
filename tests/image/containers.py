"""Starts what docker-compose.yml says as processes: in the image's files, read-only, without rights, in a network of
their own where every container has the address of this machine."""

import contextlib
import ctypes
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import yaml

from tests.architecture.tree import ROOT
from tests.image.building import Image
from tests.support.processes import end

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
ONCE_SECONDS = 300.0
PREPARE = """
set -eu
root=$1 hosts=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o size=64m tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$hosts" "$root/etc/hosts"
while test "$1" != --; do mount --bind "$1" "$root$2"; shift 2; done
shift
exec chroot "$root" "$@"
"""


@contextlib.contextmanager
def in_a_network_of_its_own(hosts: Path, names: Sequence[str]) -> Iterator[None]:
    """Until the block ends, this thread and all that it starts are in an empty network where these names are this
    machine: ports of the compose file are free there, whatever runs beside it."""
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", socket.gethostname(), *names)))
    system = ctypes.CDLL(None, use_errno=True)
    left = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY) for kind in ("net", "mnt")]
    try:
        _done(system.unshare(CLONE_NEWNS | CLONE_NEWNET))
        subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
        subprocess.run(("mount", "--make-rprivate", "/"), check=True)
        subprocess.run(("mount", "--bind", str(hosts), "/etc/hosts"), check=True)
        yield
    finally:
        for namespace in left:
            _done(system.setns(namespace, 0))
            os.close(namespace)


def _done(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Containers:
    """The containers of the compose file with these variables for `${…}`; `settings` is what settings.env says."""

    def __init__(
        self, image: Image, variables: Mapping[str, str], settings: Mapping[str, str], folder: Path, hosts: Path
    ) -> None:
        text = re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", _value(variables), (ROOT / "docker-compose.yml").read_text())
        self.parts: dict[str, Any] = yaml.safe_load(text)["services"]
        self.folder = folder
        self._image = image
        self._settings = settings
        self._hosts = hosts
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def ours(self) -> Iterator[str]:
        """The containers with our image, each after those that it depends on."""
        done: list[str] = []
        open_ones = [name for name, part in self.parts.items() if part["image"].startswith("tellback")]
        while open_ones:
            for name in list(open_ones):
                if not set(self.parts[name]["depends_on"]) & set(open_ones):
                    open_ones.remove(name)
                    done.append(name)
        yield from done

    def run(self, name: str, *words: str) -> str:
        """What a container prints that ends well: `docker compose run --rm NAME WORDS`, or its own command."""
        argv = self._argv(name, (*self._image.entrypoint, *(words or self.parts[name]["command"])))
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=ONCE_SECONDS)
        assert done.returncode == os.EX_OK, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self) -> None:
        """Start everything in its order, as `docker compose up`; what runs once ends well, or it fails."""
        for name in self.ours():
            if self.parts[name]["restart"] == "unless-stopped":
                self.start(name)
            else:
                self.run(name)

    def start(self, name: str) -> None:
        """Start a service; its log is in the folder."""
        argv = self._argv(name, (*self._image.entrypoint, *self.parts[name]["command"]))
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)

    def log(self, name: str) -> Path:
        """The log of a service."""
        return self.folder / f"{name}.log"

    def exec(self, name: str, *argv: str) -> "subprocess.CompletedProcess[str]":
        """A command beside a container's own, as `docker compose exec`."""
        return subprocess.run(self._argv(name, argv), check=False, capture_output=True, text=True, timeout=30)

    def pipe(self, name: str, argv: Sequence[str], source: IO[bytes] | None, target: IO[bytes] | None) -> None:
        """A program in a new container, with a file to read or one to write: `docker compose run -T --entrypoint`."""
        subprocess.run(self._argv(name, argv), check=True, stdin=source, stdout=target, timeout=ONCE_SECONDS)

    def healthy(self, name: str) -> bool:
        """The container's health check, as it stands in the file."""
        assert self._running[name].poll() is None, self.log(name).read_text()[-3000:]
        kind, *probe = self.parts[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.exec(name, *probe).returncode == os.EX_OK

    def stop(self, name: str) -> int:
        """The exit code of a container that was told to stop, within its time of grace."""
        seconds = float(self.parts[name]["stop_grace_period"].removesuffix("s"))
        return end(self._running.pop(name), seconds=seconds)

    def close(self) -> None:
        """Stop what runs."""
        for name in reversed(list(self._running)):
            self.stop(name)

    def _argv(self, name: str, argv: Sequence[str]) -> list[str]:
        part = self.parts[name]
        environment = {**self._image.environment, **self._settings, **part["environment"]}
        mounts: list[str] = []
        for volume in part.get("volumes", []):
            source, _, target = volume.partition(":")
            mounts += [str(self._volume(source)), target]
        command = (
            "unshare",
            "--mount",
            "sh",
            "-c",
            PREPARE,
            "sh",
            str(self._image.root),
            str(self._hosts),
            *mounts,
            "--",
        )
        user = ("--reuid", self._image.user, "--regid", self._image.user, "--clear-groups")
        rights = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
        assert part["cap_drop"] == ["ALL"]
        assert part["read_only"]
        variables = [f"{variable}={value}" for variable, value in environment.items()]
        return [*command, "setpriv", *user, *rights, "env", "-i", "-C", self._image.folder, *variables, *argv]

    def _volume(self, name: str) -> Path:
        """The folder of a named volume; a new one belongs to the owner of the image's folder."""
        folder = self.folder / "volumes" / name
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            os.chown(folder, int(self._image.user), int(self._image.user))
        return folder


def _value(variables: Mapping[str, str]) -> Any:
    def value(found: "re.Match[str]") -> str:
        name, kind, other = found.groups()
        if name in variables:
            return variables[name]
        assert kind == "-", f"{name} is required: {other}"
        return str(other)

    return value
