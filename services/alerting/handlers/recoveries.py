"""Ties a person's next answer to the follow-ups about the one before, open or closed: recovered, unchanged or worse."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.alerting.domain.recovery import answered, waits_for
from services.alerting.domain.tasks import Task
from services.alerting.handlers.casework import Casework
from shared.events.envelope import Event
from shared.events.scores import StakeholderAnswerCorrected, StakeholderAnswered


def tie(casework: Casework, data: StakeholderAnswered) -> list[Task]:
    """Take the answer down in every follow-up that waits for it; answers them as they are then."""
    series = (data.survey_type, data.nps_kind)
    tied = []
    for task in casework.tasks_of(data.account_id, data.stakeholder_id):
        if waits_for(task, series, data.response_id, data.answered_at):
            tied.append(answered(task, data.response_id, data.score, data.answered_at))
            casework.amend(tied[-1])
    return tied


def tell(casework: Casework, event: Event, tied: list[Task]) -> None:
    """Tell of it, unless what the answer did besides has told already, or made it an occurrence."""
    for task in tied:
        now = casework.task(task.follow_up_id)
        if now.version == task.version and now.next_answer is not None:
            _retell(casework, now, event.id, event.time)


def untie(casework: Casework, event: Event, data: StakeholderAnswerCorrected) -> None:
    """The next answer itself was corrected: judged again by its score of now, or taken back when it is gone."""
    latest, previous = data.new.latest, data.new.previous
    live = {ref.response_id: ref for ref in (previous, latest) if ref is not None}
    for task in casework.tasks_of(data.account_id, data.stakeholder_id):
        known = task.next_answer
        if known is None or known.response_id != data.response_id:
            continue
        ref = live.get(known.response_id)
        again = answered(task, ref.response_id, ref.score, ref.answered_at) if ref else replace(task, next_answer=None)
        if again.next_answer != known:
            casework.amend(again)
            _retell(casework, again, event.id, event.time)


def _retell(casework: Casework, task: Task, cause: UUID, at: datetime) -> None:
    known = task.next_answer
    change = {
        "kind": "next_answer",
        "response_id": known.response_id if known else None,
        "score": known.score if known else None,
        "before": task.score,
        "result": known.result if known else None,
    }
    casework.retell(task, cause, at, "answered_again", change)
