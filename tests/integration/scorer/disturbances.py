"""A history with everything that goes wrong on the way to a scorer: the same seed gives the same one."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from shared.erasure import Subject
from shared.events.envelope import Event
from tests.integration.scorer.writing import amended, erased, withdrawn
from tests.support.events import recorded

PEOPLE = ("ann", "bob", "cleo", "dan")
DAYS = (0, 0, 1, 8, 31, 100, 200, 400)
SENT = ("account_id", "stakeholder_id", "survey_type", "score", "answered_at", "comment", "test")
HOUR = timedelta(hours=1)
STRANGER = "somebody-else"
"""The account that changes name by mistake."""


def disturbed(moment: datetime, accounts: Sequence[str], subject: Subject, seed: int) -> list[Event]:
    """Answers of the hour before `moment` with repeats, conflicts, late ones, partial amendments, withdrawals, both
    also before their response or of a wrong account, and erasures; all accounts and all events in no order."""
    dice = random.Random(seed)
    events = [event for account in accounts for event in _Account(account, moment, dice).events(subject)]
    dice.shuffle(events)
    for event in dice.sample(events, len(events) // 5):
        events.insert(dice.randrange(len(events) + 1), event)
    return events


class _Account:
    def __init__(self, account_id: str, moment: datetime, dice: random.Random) -> None:
        self._id, self._moment, self._dice = account_id, moment, dice
        self._numbers = count()

    def events(self, subject: Subject) -> Iterator[Event]:
        """Four people with five answers each; the last of them asks to be forgotten in the middle of it."""
        for person in PEOPLE:
            for _ in range(5):
                yield from self._answer(f"{self._id}-{next(self._numbers)}", person)
        person = PEOPLE[-1]
        until = self._moment - HOUR / 2
        yield erased(person, self._id, erased_at=until, subject=subject(self._id, person))

    def _answer(self, response_id: str, person: str) -> Iterator[Event]:
        dice = self._dice
        survey_type = dice.choice(("nps", "nps", "nps", "nps", "csat"))
        said: dict[str, Any] = {
            "stakeholder_id": person,
            "survey_type": survey_type,
            "answered_at": self._moment - timedelta(days=dice.choice(DAYS), hours=2 + dice.random()),
            "nps_kind": dice.choice(("relationship", "relationship", "transactional")),
            "comment": dice.choice((None, "fine")),
            "test": dice.random() < 0.1,
            "quiet": dice.random() < 0.2,
            "sent": SENT,
        }
        yield recorded(response_id, self._id, **said, score=self._score(survey_type), recorded_at=self._when())
        if dice.random() < 0.1:
            yield recorded(response_id, self._id, **said, score=self._score(survey_type), recorded_at=self._when())
        for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
            yield amended(response_id, self._changes(survey_type), self._id, recorded_at=self._when())
        if dice.random() < 0.1:
            yield withdrawn(response_id, self._id, recorded_at=self._when())
        if dice.random() < 0.1:
            yield amended(response_id, {"score": 1}, STRANGER, recorded_at=self._when())

    def _changes(self, survey_type: str) -> dict[str, Any]:
        dice = self._dice
        return dice.choice(
            (
                {"score": self._score(survey_type)},
                {"comment": "changed", "follow_up_requested": True},
                {"comment": None},
                {"score": self._score(survey_type), "touchpoint": "support", "test": False},
                {"touchpoint": None, "test": dice.random() < 0.3},
            )
        )

    def _score(self, survey_type: str) -> int:
        return self._dice.randint(0, 10) if survey_type == "nps" else self._dice.randint(1, 5)

    def _when(self) -> datetime:
        """Some moment of the hour, never the same twice for one account."""
        return self._moment - self._dice.randrange(3_600) * timedelta(seconds=1) + next(self._numbers) * (HOUR / 3.6e9)
