"""Detractors of one account at about the same time are one matter: counts them, so that a rule may say so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.alerting.domain.default_rules import DETRACTOR
from services.alerting.domain.triggers import Trigger
from services.alerting.handlers.casework import Casework
from services.alerting.store.past import detractors_since
from shared.db.transaction import ReadTx
from shared.events.envelope import Event
from shared.events.scores import StakeholderAnswered


class Bursts:
    """Who gave a detractor's score at which account, and when last."""

    def __init__(self, window: timedelta, found: Mapping[str, Mapping[str, datetime]]) -> None:
        self._window = window
        self._found = {account_id: dict(people) for account_id, people in found.items()}

    @classmethod
    async def around(cls, tx: ReadTx, window: timedelta, events: Sequence[Event]) -> "Bursts":
        """What these events have to be counted with."""
        bad = [event for event in events if _is_detractor(event)]
        if not bad:
            return cls(window, {})
        since = min(event.time for event in bad) - window
        return cls(window, await detractors_since(tx, sorted({event.account_id for event in bad}), since))

    def counted(self, event: Event, trigger: Trigger, casework: Casework) -> Trigger:
        """The trigger with how many people it makes. Whose own follow-up is open stays with that."""
        if not _is_detractor(event) or trigger.stakeholder_id is None:
            return trigger
        people = self._found.setdefault(trigger.account_id, {})
        people[trigger.stakeholder_id] = max(trigger.at, people.get(trigger.stakeholder_id, trigger.at))
        if casework.open_task(trigger.account_id, trigger.stakeholder_id, DETRACTOR):
            return trigger
        count = sum(abs(at - trigger.at) < self._window for at in people.values())
        return replace(trigger, facts={**trigger.facts, "burst": count})


def _is_detractor(event: Event) -> bool:
    return isinstance(event.data, StakeholderAnswered) and event.data.category == "detractor"
