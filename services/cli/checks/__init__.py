"""What `tellback doctor` looks at: each check says what it found and, where something is wrong, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check went. `not_checked`: what it looks at does not run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor."""

    name: str
    state: State
    found: str
    fix: str = ""


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, State.OK, found)


def warning(name: str, found: str, fix: str) -> Check:
    """It works, but somebody should look."""
    return Check(name, State.WARNING, found, fix)


def failed(name: str, found: str, fix: str) -> Check:
    """It does not work, or data are at risk."""
    return Check(name, State.FAILED, found, fix)


def not_checked(name: str, found: str, fix: str = "") -> Check:
    """There was nothing to look at."""
    return Check(name, State.NOT_CHECKED, found, fix)
