"""The memory of processes."""

from collections.abc import Iterable
from itertools import chain

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; empty when the process has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def megabytes(pids: Iterable[int]) -> float:
    """Memory of the processes and all their descendants, in MB; shared memory is divided among the processes that share
    it (PSS). Where the system does not tell us the PSS, it is the resident size, which counts shared memory several
    times."""
    processes = chain.from_iterable(map(tree, pids))
    return sum(map(_bytes, processes)) / 1e6


def _bytes(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0)) or int(process.memory_info().rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
