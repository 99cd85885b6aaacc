"""A program to run as a child process: its arguments, its user, and the signal that stops it.

A child asks the kernel for a signal when its parent dies: even after `kill -9` of the parent no child is left.
"""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run. `env` is added to the environment of the parent. `stop_signal` asks the program to stop
    gracefully; the kernel sends it when the parent dies, too. `user` is another user to run as, or None for the present
    one. `exit_codes` gives the meaning of the program's own exit codes."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    user: pwd.struct_passwd | None = None
    exit_codes: Mapping[int, str] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The keyword arguments for `subprocess.Popen` and `asyncio.create_subprocess_exec` alike.

        The child gets a process group of its own, so that Ctrl-C in a terminal reaches the parent alone.
        """
        return {
            "env": {**os.environ, **self.env},
            "stdin": subprocess.DEVNULL,
            "process_group": 0,
            "preexec_fn": die_with_parent(self.stop_signal),
            **identity(self.user),
        }


def identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """The keyword arguments of `subprocess` to run as this user, in a working directory that everybody may enter."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def die_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `with_signal` to the child when its parent is gone (Linux).

    It runs after the change of user, which would otherwise clear the setting. The parent is the thread that starts the
    child: start children from the main thread.
    """
    parent = os.getpid()

    def ask() -> None:
        if not sys.platform.startswith("linux"):
            return  # on other systems the next `up` ends the processes that are left
        if _libc.prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # the parent died before the request
            os._exit(1)

    return ask


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` of `host` now; connections of an earlier server do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
