"""Which counts add up and which do not."""

from services.cli.reconcile import OUTCOMES, Line
from shared.verdicts import Outcome


def line(read: int, stored: int | None = None, **outcomes: int) -> Line:
    return Line("scorer", "responses", 0, read, dict.fromkeys(OUTCOMES, 0) | outcomes, stored)


def test_all_outcomes_are_known() -> None:
    assert set(OUTCOMES) == {outcome.value for outcome in Outcome}


def test_every_record_read_is_in_one_outcome() -> None:
    assert line(10, new=6, repeat=1, change=1, pending=1, conflict=1).faults == []
    assert line(10, new=6, repeat=1).faults == ["read ≠ sum of outcomes"]


def test_what_counted_as_new_is_stored() -> None:
    assert line(3, stored=3, new=3).faults == []
    assert line(3, stored=2, new=3).faults == ["new ≠ stored"]
