"""The checks of `tellback doctor`: each reports a finding and, where something is wrong, how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The result of a check. `not_checked`: the part to be checked does not run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of the doctor."""

    name: str
    state: State
    found: str
    fix: str = ""


def ok(name: str, found: str) -> Check:
    """A finding without a fault."""
    return Check(name, State.OK, found)


def warning(name: str, found: str, fix: str) -> Check:
    """A finding that works, but needs attention."""
    return Check(name, State.WARNING, found, fix)


def failed(name: str, found: str, fix: str) -> Check:
    """A finding that does not work, or puts data at risk."""
    return Check(name, State.FAILED, found, fix)


def not_checked(name: str, found: str, fix: str = "") -> Check:
    """A check that could not be made."""
    return Check(name, State.NOT_CHECKED, found, fix)
