"""What the leaders' mail of Monday says: a score with its change, and accounts in five parts."""

from collections import Counter

import pytest

from services.outreach.domain.weekly import SHOWN, OwnerRate, Week


@pytest.mark.parametrize(
    ("week", "said"),
    [
        (Week(), "Nobody has answered in the last 90 days."),
        (Week(32, None, 1), "The NPS of the last 90 days is 32, from 1 person."),
        (Week(0, 0, 5), "The NPS of the last 90 days is 0, from 5 people, as much as in the 90 days before."),
        (
            Week(-5, 7, 80, True),
            "The NPS of the last 90 days is -5, from 80 people, 12 less than in the 90 days before.",
        ),
        (
            Week(9, 7, 20),
            "The NPS of the last 90 days is 9, from 20 people, 2 more than in the 90 days before, which may be chance.",
        ),
    ],
)
def test_the_score_is_said_with_its_change(week: Week, said: str) -> None:
    assert week.headline() == said


def test_a_week_without_news_says_so_in_every_part() -> None:
    lines = {section.title: list(section.lines) for section in Week().sections()}
    assert lines == {
        "Moved this week": ["Nobody changed between promoter, passive and detractor."],
        "At risk": ["None."],
        "Silent": ["None."],
        "Overdue": ["Nothing. Every follow-up was taken on in time."],
        "Praise": ["Nobody gave 9 or 10 and said why."],
    }


def test_the_most_are_named_and_the_rest_counted() -> None:
    many = Counter({f"a{number:02}": 20 - number for number in range(SHOWN + 3)})
    week = Week(fell=many, at_risk=tuple(many), overdue=many, names={"a00": "Acme Ltd"})
    moved, at_risk, _, overdue, _ = week.sections()
    assert moved.lines[0].startswith("Fell: 165 people – Acme Ltd (20), a01 (19)")
    assert moved.lines[0].endswith(", 3 more accounts")
    assert (at_risk.lines[0], at_risk.lines[-1], len(at_risk.lines)) == ("Acme Ltd", "and 3 more", SHOWN + 1)
    assert (overdue.lines[0], overdue.lines[-1]) == ("a00: 20 follow-ups", "others: 33")


def test_owners_behind_their_target_of_answers_are_named() -> None:
    behind, on = OwnerRate("lea@supplier.example", 30, 12, 0.55), OwnerRate("tom@supplier.example", 20, 11, 0.55)
    nobody_asked = OwnerRate("kai@supplier.example", 0, 0, 0.55)

    def said(*rates: OwnerRate) -> list[str]:
        [section] = [part for part in Week(targets=rates).sections() if part.title.startswith("Response rates")]
        return list(section.lines)

    assert said(behind, on, nobody_asked) == ["lea@supplier.example: 12 of 30 answered, 40 %, target 55 %"]
    assert said(on, nobody_asked) == ["None: every owner with a target is on it."]
