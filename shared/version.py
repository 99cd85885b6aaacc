"""The version of the installed distribution."""

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """The version of `tellback`, or `0+unknown` when it runs from a source tree that was never installed."""
    try:
        return metadata.version("tellback")
    except metadata.PackageNotFoundError:
        return "0+unknown"
