"""The number of examples of a property: at most 20 in `make test`, all in `make test-thorough`."""

import os

THOROUGH = "TELLBACK_TEST_THOROUGH"
FEW = 20


def examples(wanted: int) -> int:
    """`wanted` in a thorough run, else at most 20."""
    return wanted if os.environ.get(THOROUGH) else min(wanted, FEW)
