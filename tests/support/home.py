"""A Tellback on one machine, as an operator uses it: a data folder, and `tellback up` on it."""

import json
import os
import random
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from shared.settings import SECRET_KEY_NAMES
from tests.support.processes import SOURCES, STOP_SECONDS, end, start, tellback

NAMED_NOWHERE = dict.fromkeys(
    ("TELLBACK_KAFKA_BOOTSTRAP_SERVERS", "TELLBACK_DATABASE_URL", "DATABASE_URL", *SECRET_KEY_NAMES), ""
)
"""Empty variables, so that Kafka and PostgreSQL are embedded whatever the environment of the tests names."""
PORTS = 6


@dataclass(slots=True)
class Home:
    """A data folder and its ports; `up` can be started on it repeatedly."""

    data: Path
    port_base: int
    output: Path
    process: subprocess.Popen[bytes] | None = None
    _writer: subprocess.Popen[bytes] | None = None

    def up(self, *options: str, program: Path | None = None) -> None:
        """Start `tellback up` with its output into a new file. Another process writes that file, so that output arrives
        even when `up` itself cannot write to files. `program` is an installed `tellback`, instead of this tree's."""
        argv = tellback("up", "--data", str(self.data), "--port-base", str(self.port_base), *options)
        env = NAMED_NOWHERE
        if program is not None:
            argv = (str(program), *argv[argv.index("up") :])
            env = NAMED_NOWHERE | {"PYTHONPATH": ""}
        with self.output.open("wb") as file:
            self._writer = subprocess.Popen(("cat",), stdin=subprocess.PIPE, stdout=file)
        assert self._writer.stdin
        with self._writer.stdin as pipe:
            self.process = start(argv, pipe, env=env)

    @property
    def pid(self) -> int:
        """The process id of the running `up`."""
        assert self.process
        return self.process.pid

    def says(self, pattern: str) -> Callable[[], "re.Match[str] | None"]:
        """A probe for `eventually`: the match of the pattern in the output so far. Fails at once when `up` has
        ended."""

        def probe() -> "re.Match[str] | None":
            text = self.output.read_text()
            found = re.search(pattern, text, re.MULTILINE)
            if found is None and self.process and self.process.poll() is not None:
                raise RuntimeError(f"`up` ended with {self.process.returncode}: {text}")
            return found

        return probe

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command on the same data folder."""
        command = tellback(*arguments, "--data", str(self.data))
        env = {**os.environ, **SOURCES, **NAMED_NOWHERE}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)

    def status(self) -> dict[str, Any]:
        """The output of `tellback status --json`."""
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found

    def part(self, name: str) -> dict[str, Any]:
        """One part of the status."""
        return next(part for part in self.status()["parts"] if part["name"] == name)

    def processes(self) -> list[psutil.Process]:
        """All descendants of the running `up`."""
        return psutil.Process(self.pid).children(recursive=True)

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        """Stop `up`; returns its exit code."""
        assert self.process
        assert self._writer
        code = end(self.process, with_signal, seconds=STOP_SECONDS)
        self._writer.wait(STOP_SECONDS)
        return code


@contextmanager
def home_in(folder: Path) -> Iterator[Home]:
    """An installation that is not started yet; stopped afterwards."""
    home = Home(folder / "data", free_port_base(), folder / "up.txt")
    try:
        yield home
    finally:
        if home.process:
            home.stop(signal.SIGTERM)


def free_port_base() -> int:
    """The first of five consecutive free ports, below the range of ephemeral ports. Chosen at random, since another
    installation that starts at this moment does not listen yet."""
    bases = list(range(20_000, 32_000, 10))
    random.shuffle(bases)
    for base in bases:
        if all(_free(base + offset) for offset in range(PORTS)):
            return base
    raise AssertionError("no free ports")


def _free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
