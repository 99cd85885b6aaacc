"""The state of a person, from its definition."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.reference.scores import category
from tests.support.reference.world import Submission, World

SILENT_DAYS, SILENT_DAYS_DECISION_MAKERS = 21, 14


def person_state(world: World, account_id: str, stakeholder_id: str, as_of: datetime) -> dict[str, Any]:
    """Latest NPS answer, the one before of the same nps_kind, falls in a row, days since asked and answered, silent."""
    said = [
        submission
        for submission in world.submissions
        if (submission.account_id, submission.stakeholder_id) == (account_id, stakeholder_id)
        and submission.live
        and submission.answered_at <= as_of
    ]
    said.sort(key=lambda submission: (submission.answered_at, submission.response_id))
    latest = next((submission for submission in reversed(said) if submission.survey_type == "nps"), None)
    series = [
        submission
        for submission in said
        if latest and submission.survey_type == "nps" and submission.nps_kind == latest.nps_kind
    ]
    asked = [
        invite.sent_at
        for invite in world.invites
        if (invite.account_id, invite.stakeholder_id) == (account_id, stakeholder_id)
        and invite.sent_at is not None
        and invite.sent_at <= as_of
    ]
    falls = 0
    while falls + 1 < len(series) and series[-1 - falls].score < series[-2 - falls].score:
        falls += 1
    return {
        "score": latest.score if latest else None,
        "category": category(latest.score) if latest else None,
        "latest": latest.response_id if latest else None,
        "previous": series[-2].response_id if len(series) > 1 else None,
        "falls_in_a_row": falls,
        "days_since_asked": (as_of - max(asked)) // timedelta(days=1) if asked else None,
        "days_since_answered": (as_of - said[-1].answered_at) // timedelta(days=1) if said else None,
        "silent": is_silent(world, account_id, stakeholder_id, as_of, said),
    }


def is_silent(world: World, account_id: str, stakeholder_id: str, as_of: datetime, said: list[Submission]) -> bool:
    """Whether an invitation is older than the limit and was not answered, neither by its own response nor by a later
    one."""
    deciding = world.person(account_id, stakeholder_id).type == "decision_maker"
    limit = timedelta(days=SILENT_DAYS_DECISION_MAKERS if deciding else SILENT_DAYS)
    for invite in world.invites:
        if (invite.account_id, invite.stakeholder_id) != (account_id, stakeholder_id) or invite.sent_at is None:
            continue
        due = invite.sent_at + limit <= as_of
        answered = any(
            submission.answered_at >= invite.sent_at or submission.invitation_id == invite.invitation_id
            for submission in said
        )
        if due and not answered:
            return True
    return False
