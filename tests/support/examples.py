"""How many examples a property is tried on: at most 20 in `make test`, all it asks for in `make test-thorough`."""

import os

THOROUGH = "TELLBACK_TEST_THOROUGH"
FEW = 20


def examples(wanted: int) -> int:
    """So many, or 20 where that is less and nobody asked to be thorough."""
    return wanted if os.environ.get(THOROUGH) else min(wanted, FEW)
