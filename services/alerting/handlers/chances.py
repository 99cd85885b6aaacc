"""Chances to grow: nobody is asked for a referral who has fallen since."""

from datetime import datetime

from services.alerting.domain.lifecycle import close
from services.alerting.domain.tasks import SYSTEM, Change, Closing
from services.alerting.handlers.casework import Casework
from shared.events.scores import ChangeKind, StakeholderAnswerCorrected, StakeholderAnswered

FALLS = ("promoter_to_passive", "promoter_to_detractor", "passive_to_detractor")


def drop_chances(
    casework: Casework, data: StakeholderAnswered | StakeholderAnswerCorrected, change: ChangeKind | None, at: datetime
) -> None:
    """Close the chances that nobody has taken up when the change of a new or amended answer is a fall."""
    if change not in FALLS:
        return
    for task in casework.open_tasks(data.account_id, data.stakeholder_id):
        if task.is_chance and task.acknowledged_at is None:
            casework.record(close(task, Change(SYSTEM, at, "the person has fallen since"), Closing("answered")))
