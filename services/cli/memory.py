"""What processes occupy in memory."""

from collections.abc import Iterable

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def megabytes(pids: Iterable[int]) -> float:
    """Memory of the processes and all below them, in MB; memory that several share is divided among them (PSS).

    Where the system does not tell, or not us, it is the resident size, which counts shared memory again and again.
    """
    return sum(_bytes(process) for pid in pids for process in tree(pid)) / 1e6


def _bytes(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0)) or int(process.memory_info().rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
