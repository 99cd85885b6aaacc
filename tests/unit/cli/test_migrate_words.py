"""What `tellback migrate --plan` says of the steps that it would take."""

import pytest

from services.cli.migrate import _tell_plan
from shared.db.migrate import PlannedStep

STOP = "stop the services before"


@pytest.mark.parametrize("compatible", [True, False])
def test_a_plan_says_whether_services_are_to_be_stopped(
    capsys: pytest.CaptureFixture[str], *, compatible: bool
) -> None:
    steps = [
        PlannedStep("scorer", "scorer_3", "Step 3.", compatible, ()),
        PlannedStep("scorer", "scorer_4", "Step 4.", True, ("answers_by_day",)),
    ]
    _tell_plan(steps, json=False)
    said = capsys.readouterr().out
    assert (STOP in said) is not compatible
    lines = [line.split() for line in said.splitlines() if line.split()[:1] == ["scorer"]]
    assert [line[-2:] for line in lines] == [["yes" if compatible else "no", "–"], ["yes", "answers_by_day"]]


def test_an_empty_plan_says_that_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_plan([], json=False)
    assert capsys.readouterr().out == "nothing is to be migrated\n"
