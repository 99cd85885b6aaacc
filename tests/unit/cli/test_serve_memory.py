"""Freed memory stays with the process, so that large buffers are not requested from the kernel each time."""

import subprocess
import sys

PROGRAM = """
import resource
from services.cli.serve import keep_freed_memory

if {kept}:
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    pieces = [bytearray(500_000) for _ in range(8)]
    del pieces
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept: bool) -> int:
    """Pages that a process asked for while it made and freed 4 MB a hundred times."""
    command = [sys.executable, "-c", PROGRAM.format(kept=kept)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_large_buffers_are_made_of_memory_that_is_there() -> None:
    assert faults(kept=True) * 10 < faults(kept=False)
