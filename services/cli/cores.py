"""How many cores a process may use."""

import math
import os
from pathlib import Path

LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The limit of a container, as the kernel says it inside (cgroup v2): microseconds of work in a period."""


def usable_cores(limit: Path = LIMIT) -> int:
    """The cores of the machine, or as many as the limit of the container comes to, rounded up."""
    cores = os.cpu_count() or 1
    try:
        quota, period = limit.read_text(encoding="ascii").split()
        allowed = math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return cores
    return max(1, min(cores, allowed))
