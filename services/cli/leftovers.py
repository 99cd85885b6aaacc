"""Ends processes left by an `up` that was killed; a process is identified by its id and start time."""

import os
from typing import Any

import psutil

from services.cli.folder import DataFolder
from services.cli.supervisor import Child

WAIT_SECONDS = 10.0


def note(folder: DataFolder, children: dict[str, Child], port_base: int) -> None:
    """Record the running processes, for `status` and for the next `up`."""
    folder.note_running(
        {
            "pid": os.getpid(),
            "port_base": port_base,
            "parts": {
                name: {
                    "pid": child.process.pid,
                    "born": _born(child.process.pid),
                    "port": child.part.port,
                    "state": child.state,
                    "restarts": child.restarts,
                }
                for name, child in children.items()
            },
        }
    )


def sweep(folder: DataFolder) -> list[str]:
    """End the processes that the last `up` left; returns their names. Only while the folder is held."""
    processes = _left(folder.running())
    for process in processes.values():
        process.terminate()
    _, stubborn = psutil.wait_procs(list(processes.values()), timeout=WAIT_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=WAIT_SECONDS)
    folder.note_running(None)
    return list(processes)


def _left(running: dict[str, Any]) -> dict[str, psutil.Process]:
    processes = {}
    for name, part in running.get("parts", {}).items():
        if part["born"] is not None and _born(part["pid"]) == part["born"]:
            processes[name] = psutil.Process(part["pid"])
    return processes


def _born(pid: int) -> float | None:
    """The start time of a process: together with the id it identifies the process."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None
