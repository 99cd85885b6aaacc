"""Several processes of one service behind one port: the parent holds the socket, the workers accept from it."""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from services.cli.console import Exit
from services.cli.embedded.process import Program
from shared.stopping import LAST
from shared.telemetry.logging import get_logger

BACKLOG = 2048
EVERYWHERE = "::"
"""Every address of this machine, of IPv6 and of IPv4."""
POLL_SECONDS = 0.1
KILL_AFTER_SECONDS = LAST + 0.3
"""From SIGTERM to SIGKILL, the pause aside: a worker ends by itself before that."""
TOO_QUICK_SECONDS = 5.0
MAX_QUICK_DEATHS = 5

log = get_logger(__name__)


def listening(host: str, port: int) -> socket.socket:
    """A socket that children inherit; at `::` it takes IPv4 too. Raises OSError where the port is taken."""
    family = socket.AF_INET
    if ":" in host:
        family = socket.AF_INET6
    both = host == EVERYWHERE and socket.has_dualstack_ipv6()
    made = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    made.set_inheritable(True)
    return made


def run_workers(count: int, argv: Sequence[str], held: socket.socket, pause: float) -> Exit:
    """Run `count` processes of `argv` with `--fd` until SIGTERM or SIGINT, after which they go on for the `pause`
    (seconds); a process that dies is replaced. Their metrics are summed: every worker reports those of all."""
    with tempfile.TemporaryDirectory(prefix="tellback-metrics-") as metrics, held:
        return _Workers(count, argv, held.fileno(), Path(metrics), pause + KILL_AFTER_SECONDS).run()


class _Workers:
    """The worker processes of one run, which are killed so many seconds after they were told to stop."""

    def __init__(self, count: int, argv: Sequence[str], fd: int, metrics: Path, kill_after: float) -> None:
        self._count = count
        self._argv = (*argv, "--fd", str(fd))
        self._fd = fd
        self._metrics = metrics
        self._kill_after = kill_after
        self._stop = threading.Event()
        self._children: list[tuple[subprocess.Popen[bytes], float]] = []
        self._quick_deaths = 0

    def run(self) -> Exit:
        """Run until a signal comes, or until workers die so fast that restarting is pointless."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._told)
        failed = False
        try:
            while not self._stop.is_set() and not failed:
                self._fill_up()
                self._stop.wait(POLL_SECONDS)
                failed = self._bury()
        finally:
            self._end()
        if failed:
            return Exit.FAILED
        return Exit.OK

    def _told(self, _signum: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _fill_up(self) -> None:
        env = {"PROMETHEUS_MULTIPROC_DIR": str(self._metrics)}
        program = Program(name="worker", argv=self._argv, log=Path(os.devnull), env=env)
        while len(self._children) < self._count:
            child = subprocess.Popen(program.argv, pass_fds=(self._fd,), **program.options())
            self._children.append((child, time.monotonic()))

    def _bury(self) -> bool:
        """Remove dead workers; returns whether restarting is pointless."""
        for child, began in list(self._children):
            if child.poll() is None:
                continue
            self._children.remove((child, began))
            self._gone(child)
            lived = time.monotonic() - began
            self._quick_deaths = 0
            if lived < TOO_QUICK_SECONDS:
                self._quick_deaths = self._quick_deaths + 1
            log.warning("worker_died", pid=child.pid, exit_code=child.returncode, lived_seconds=round(lived, 1))
        return self._quick_deaths >= MAX_QUICK_DEATHS

    def _end(self) -> None:
        for child, _ in self._children:
            child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._kill_after
        for child, _ in self._children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("worker_killed", pid=child.pid)
                child.kill()
                child.wait()

    def _gone(self, child: "subprocess.Popen[bytes]") -> None:
        """Drop the gauges of a dead worker; its counters stay."""
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(child.pid, str(self._metrics))  # type: ignore[no-untyped-call]
