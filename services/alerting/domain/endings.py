"""Why the reason of a task is over, and the outcome that follows from it."""

from datetime import datetime

from services.alerting.domain.default_rules import (
    ANSWERED,
    BOUNCED,
    CLASS_CHANGED,
    RENEWAL_NEAR,
    SCORE_DROPPED,
    WENT_SILENT,
)
from services.alerting.domain.policy import rule_of
from services.alerting.domain.recovery import level_of
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.tasks import EndedReason, Outcome, Task

SUPERSEDED = "a stronger reason has taken its place"


def ending_of(task: Task, facts: Facts, *, superseded: bool) -> EndedReason:
    """What became of a reason that does not hold any more, or that a stronger one takes in."""
    if facts.is_gone(task.stakeholder_id):
        return EndedReason(facts.now, _who_is_gone(task, facts), "gone")
    if superseded:
        return EndedReason(facts.now, SUPERSEDED, "superseded")
    event = (task.policy.get("rule") or {}).get("event")
    if task.stakeholder_id is not None and event == WENT_SILENT:
        outcome, because = _silence_ended(task.stakeholder_id, task.opened_at, facts)
    elif task.stakeholder_id is not None and event == BOUNCED:
        outcome, because = _bounce_ended(task.stakeholder_id, task.opened_at, facts)
    elif task.stakeholder_id is not None and event == ANSWERED:
        outcome, because = _answer_changed(task, facts)
    else:
        outcome, because = "over", _account_changed(str(event), facts)
    return EndedReason(facts.now, because, outcome)


def _who_is_gone(task: Task, facts: Facts) -> str:
    person = facts.people.get(task.stakeholder_id or "")
    if person is not None and person.removed:
        return "the person was removed from the directory"
    if facts.account.removed:
        return "the account was removed from the directory"
    return "the account is closed"


def _silence_ended(stakeholder_id: str, opened_at: datetime, facts: Facts) -> tuple[Outcome, str]:
    """The silent person has answered since the invitation, or no invitation waits for an answer any more."""
    asked_at = []
    for invitation in facts.invitations.get(stakeholder_id, ()):
        if invitation.silence is not None and invitation.sent_at is not None:
            asked_at.append(invitation.sent_at)
    last_asked = max(asked_at, default=opened_at)
    return _answered_since(stakeholder_id, last_asked, facts) or ("over", "nobody waits for an answer any more")


def _bounce_ended(stakeholder_id: str, opened_at: datetime, facts: Facts) -> tuple[Outcome, str]:
    """The person has answered since an invitation bounced, or an invitation has arrived."""
    moments = [invitation.at("bounced") for invitation in facts.invitations.get(stakeholder_id, ())]
    last_bounced = max(filter(None, moments), default=opened_at)
    if facts.has_new_address(stakeholder_id, last_bounced):
        return "over", "the address was changed since"
    return _answered_since(stakeholder_id, last_bounced, facts) or ("over", "an invitation has reached the person")


def _answered_since(stakeholder_id: str, moment: datetime, facts: Facts) -> tuple[Outcome, str] | None:
    heard = facts.last_heard(stakeholder_id)
    if heard is None or heard < moment:
        return None
    return "answered", f"answered on {facts.calendar.local_date(heard).isoformat()}"


def _answer_changed(task: Task, facts: Facts) -> tuple[Outcome, str]:
    """The person has given another answer since, or the answer was amended or withdrawn."""
    answers = facts.answers.get(task.stakeholder_id or "", ())
    live = {stored.live.response_id: stored for stored in answers if stored.counts}
    original = live.get(task.response_id or "")
    if original is None:
        return "corrected", "the answer was withdrawn"
    series = facts.series_of(original.live.stakeholder_id)[original.live.survey_type, original.live.nps_kind]
    newest = series[-1].stored
    before = level_of(original.live.survey_type, original.live.score)
    rule = rule_of(task.policy)
    if rule is not None and rule.is_call_request and not original.live.follow_up_requested:
        return "corrected", "the wish was taken back"
    if newest is not original and (task.is_growth or series[-1].level != before):
        on = facts.calendar.local_date(newest.live.answered_at).isoformat()
        outcome: Outcome = "over"
        if series[-1].level > before:
            outcome = "improved"
        return outcome, f"answered {newest.live.score} on {on}"
    if original.live.score != original.recorded.score:
        return "corrected", f"the answer was amended: the score is {original.live.score} now"
    return "corrected", "by all that is known now it is not so"


def _account_changed(event: str, facts: Facts) -> str:
    because = {
        SCORE_DROPPED: "the score has recovered",
        CLASS_CHANGED: f"the account is {(facts.account_state.account_class or 'unknown').replace('_', ' ')} now",
        RENEWAL_NEAR: "the renewal is signed, past, far off or not at risk any more",
        ANSWERED: "fewer people are unhappy now",
    }
    return because.get(event, "it is no more than chance now")
