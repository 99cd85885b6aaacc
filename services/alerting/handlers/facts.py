"""From an event to what rules look at."""

from datetime import datetime

from services.alerting.domain.people import Account, Answer, Stakeholder
from services.alerting.domain.rules import FactValue
from services.alerting.domain.triggers import Trigger
from shared.events.envelope import Event
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreDropped,
    StakeholderAnswerCorrected,
    StakeholderAnswered,
    StakeholderWentSilent,
)
from shared.topics import STAKEHOLDER_ANSWERED


def trigger_of(event: Event, account: Account, person: Stakeholder | None, known: datetime | None = None) -> Trigger:
    """The trigger that an event is; `known` is when the account's first answer was recorded. Raises TypeError for an
    event that no rule can fire on.
    """
    data = event.data
    stakeholder_id = getattr(data, "stakeholder_id", None)
    response_id = getattr(data, "response_id", None)
    facts = around(account, person) | _said(data)
    if known is not None:
        facts["known_days"] = max(0, (event.time - known).days)
    return Trigger(event.id, event.name, event.time, event.account_id, stakeholder_id, response_id, facts)


def corrected_trigger(
    event: Event, data: StakeholderAnswerCorrected, account: Account, person: Stakeholder | None, answer: Answer | None
) -> Trigger | None:
    """The answer that is the latest after a correction, as if it had just been given; None where none is left."""
    pair = data.new
    if pair.latest is None:
        return None
    latest, previous = pair.latest, pair.previous
    said: dict[str, FactValue] = {
        "survey_type": data.survey_type,
        "nps_kind": data.nps_kind,
        "score": latest.score,
        "category": latest.category,
        "change": pair.change,
        "previous_score": previous.score if previous else None,
        "falls_in_a_row": pair.falls_in_a_row,
        "follow_up_requested": data.follow_up_requested,
        "touchpoint": answer.touchpoint if answer else None,
        "product": answer.product if answer else None,
    }
    facts = around(account, person) | said
    return Trigger(
        event.id, STAKEHOLDER_ANSWERED, event.time, event.account_id, data.stakeholder_id, latest.response_id, facts
    )


def around(account: Account, person: Stakeholder | None) -> dict[str, FactValue]:
    """What rules may look at whatever happened."""
    return {
        "tier": account.tier,
        "industry": account.industry,
        "region": account.region,
        "stakeholder_type": person.type if person else None,
    }


def _said(data: object) -> dict[str, FactValue]:
    match data:
        case StakeholderAnswered():
            return {
                "survey_type": data.survey_type,
                "nps_kind": data.nps_kind,
                "score": data.score,
                "category": data.category,
                "change": data.change,
                "previous_score": data.previous.score if data.previous else None,
                "falls_in_a_row": data.falls_in_a_row,
                "follow_up_requested": data.follow_up_requested,
                "touchpoint": data.touchpoint,
                "product": data.product,
            }
        case AccountScoreDropped():
            return {"points": round(data.previous_nps - data.nps, 1)}
        case AccountClassChanged():
            return {"account_class": data.new, "previous_class": data.old}
        case StakeholderWentSilent():
            facts: dict[str, FactValue] = {"days": data.days, "furthest": data.furthest}
            return facts | ({"stakeholder_type": data.stakeholder_type} if data.stakeholder_type else {})
        case _:
            raise TypeError("no rule fires on this event")
