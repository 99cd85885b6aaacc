"""Where one person stands: the latest NPS answer, the one before, falls in a row, and whether they are
silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.scorer.domain.answers import Answer
from services.scorer.domain.categories import category_of
from services.scorer.domain.changes import change_between_scores, falls_in_a_row
from services.scorer.domain.invitations import Invitation
from services.scorer.domain.windows import utc_text

DECISION_MAKER = "decision_maker"


@dataclass(frozen=True, slots=True)
class SilentAfter:
    """After how many days without an answer an invited person is silent."""

    days: int = 21
    days_decision_makers: int = 14

    def of(self, stakeholder_type: str | None) -> timedelta:
        """The limit for a person of this type."""
        if stakeholder_type == DECISION_MAKER:
            return timedelta(days=self.days_decision_makers)
        return timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class KindOfAnswer:
    """A live NPS answer with its nps_kind."""

    answer: Answer
    nps_kind: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person up to a moment: live NPS answers in order, when any survey was last
    answered, and the invitations sent."""

    answers: Sequence[KindOfAnswer]
    last_answered_at: datetime | None
    invitations: Sequence[Invitation]


def state_of(facts: Facts, as_of: datetime, silent_after: timedelta) -> dict[str, Any]:
    """The state as JSON values. `previous`, `change` and `falls_in_a_row` look at answers of the same
    nps_kind as the latest one; days are whole days up to as_of; None where there is nothing."""
    state: dict[str, Any] = dict.fromkeys(("score", "category", "latest", "previous", "change"))
    scores: list[int] = []
    if facts.answers:
        latest, nps_kind = facts.answers[-1].answer, facts.answers[-1].nps_kind
        series = [known.answer for known in facts.answers if known.nps_kind == nps_kind]
        scores = [answer.score for answer in series]
        score_before = None
        if len(series) > 1:
            score_before = series[-2].score
            state["previous"] = _reference(series[-2], nps_kind)
        state["score"] = latest.score
        state["category"] = category_of(latest.score)
        state["latest"] = _reference(latest, nps_kind)
        state["change"] = change_between_scores(score_before, latest.score)
    asked_at = max((invitation.sent_at for invitation in facts.invitations), default=None)
    return state | {
        "falls_in_a_row": falls_in_a_row(scores),
        "days_since_asked": _days(asked_at, as_of),
        "days_since_answered": _days(facts.last_answered_at, as_of),
        "silent": is_silent(facts, as_of, silent_after),
    }


def is_silent(facts: Facts, as_of: datetime, silent_after: timedelta) -> bool:
    """Whether an invitation of that age has not been answered: neither itself nor by anything said since."""
    for invitation in facts.invitations:
        young = invitation.sent_at > as_of - silent_after
        answered_since = facts.last_answered_at is not None and facts.last_answered_at >= invitation.sent_at
        if young or answered_since:
            continue
        if not any(reply.answered_at <= as_of for reply in invitation.replies):
            return True
    return False


def _reference(answer: Answer, nps_kind: str) -> dict[str, Any]:
    return {
        "response_id": answer.response_id,
        "answered_at": utc_text(answer.answered_at),
        "score": answer.score,
        "category": category_of(answer.score),
        "nps_kind": nps_kind,
    }


def _days(moment: datetime | None, as_of: datetime) -> int | None:
    if moment is None:
        return None
    return (as_of - moment).days
