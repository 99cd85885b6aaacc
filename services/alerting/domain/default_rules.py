"""The rules as shipped: right for a B2B supplier out of the box, in the order of the table in docs/alerting.md.

A new row goes last: one in the middle moves those behind it, and each of them gets a new version everywhere.
"""

from typing import Any

from services.alerting.domain import playbooks
from services.alerting.domain.rules import EscalationStep, Rule, conditions_from
from services.alerting.domain.severity import Severity
from shared.calendar import Due

ANSWERED = "stakeholder.answered"
SCORE_DROPPED = "account_score.dropped"
CLASS_CHANGED = "account_class.changed"
WENT_SILENT = "stakeholder.went_silent"
BOUNCED = "invitation.bounced"
RENEWAL_NEAR = "account.renewal_near"
SEGMENT_DROPPED = "segment.dropped"
DETRACTOR = "detractor"
BURST = "detractor_burst"
ACCOUNT_DROP = "account_score_drop"
BOUNCE = "bounced_contact"
EVENTS = (ANSWERED, SCORE_DROPPED, CLASS_CHANGED, WENT_SILENT, BOUNCED, RENEWAL_NEAR, SEGMENT_DROPPED)
"""What a rule may wait for."""


def _hours(amount: int) -> Due:
    return Due(amount, "business_hours")


def _days(amount: int) -> Due:
    return Due(amount, "business_days")


ESCALATION: dict[Severity, tuple[EscalationStep, ...]] = {
    "critical": (EscalationStep(_hours(0), "sponsor"), EscalationStep(_hours(4), "leader")),
    "high": (
        EscalationStep(_hours(0), "owner"),
        EscalationStep(_days(1), "sponsor"),
        EscalationStep(_days(2), "leader"),
    ),
    "medium": (EscalationStep(_hours(0), "owner"), EscalationStep(_days(3), "leader")),
    "low": (EscalationStep(_hours(0), "owner"),),
}
"""Who is notified of a follow-up that nobody has taken on when it is due: first its owner, then who can help."""


def _between(low: float, high: float) -> dict[str, float]:
    return {"min": low, "max": high}


def _at_least(low: float) -> dict[str, float]:
    return {"min": low}


def _when(**fields: Any) -> Any:
    """Conditions in short: bounds as they are, a list is `in`, anything else one value."""
    document: dict[str, dict[str, Any]] = {}
    for field, value in fields.items():
        if isinstance(value, dict):
            document[field] = value
        elif isinstance(value, list):
            document[field] = {"in": value}
        else:
            document[field] = {"in": [value]}
    return conditions_from(document)


# What opens by itself must be worth somebody's hour.
_ROWS: tuple[dict[str, Any], ...] = (
    # Any fall to a detractor is in these two rows: the score decides, not where it fell from.
    {
        "rule_id": "detractor_0_3",
        "kind": DETRACTOR,
        "label": "Detractor",
        "event": ANSWERED,
        "conditions": _when(survey_type="nps", score=_between(0, 3)),
        "severity": "critical",
        "due": _hours(4),
        "recipient": "owner",
        "informs": ("sponsor",),
        "reason": "scored $score of 10: a deep detractor",
        "playbook": playbooks.DEEP_DETRACTOR,
    },
    {
        "rule_id": "detractor_4_6",
        "kind": DETRACTOR,
        "label": "Detractor",
        "event": ANSWERED,
        "conditions": _when(survey_type="nps", score=_between(4, 6)),
        "severity": "high",
        "due": _days(1),
        "recipient": "owner",
        "reason": "scored $score of 10: a detractor",
        "playbook": playbooks.DETRACTOR,
    },
    {
        "rule_id": "promoter_to_passive",
        "kind": "promoter_to_passive",
        "label": "Promoter became passive",
        "event": ANSWERED,
        "conditions": _when(change="promoter_to_passive"),
        "severity": "high",
        "due": _days(2),
        "recipient": "owner",
        "inhibited_by": (DETRACTOR,),
        "reason": "fell from promoter ($previous_score) to passive ($score)",
        "playbook": playbooks.PASSIVE,
    },
    {
        "rule_id": "follow_up_requested",
        "kind": "follow_up_requested",
        "label": "Asked for a follow-up",
        "event": ANSWERED,
        "conditions": _when(follow_up_requested=True),
        "severity": "high",
        "due": _days(1),
        "recipient": "sponsor",
        "reason": "asked for a follow-up",
        "playbook": playbooks.FOLLOW_UP_REQUESTED,
    },
    {
        "rule_id": "two_falls_in_a_row",
        "kind": "two_falls_in_a_row",
        "label": "Two falls in a row",
        "event": ANSWERED,
        "conditions": _when(falls_in_a_row=_at_least(2)),
        "severity": "medium",
        "due": _days(3),
        "recipient": "owner",
        "inhibited_by": (DETRACTOR, "promoter_to_passive"),
        "reason": "fell $falls_in_a_row times in a row, now at $score",
        "playbook": playbooks.TWO_FALLS,
    },
    {
        "rule_id": "low_csat_1",
        "kind": "low_csat",
        "label": "Very low satisfaction",
        "event": ANSWERED,
        "conditions": _when(survey_type="csat", score=_between(1, 1)),
        "severity": "critical",
        "due": _days(1),
        "recipient": "owner",
        "reason": "satisfaction $score of 5",
        "playbook": playbooks.LOW_SATISFACTION,
    },
    {
        "rule_id": "low_csat_2",
        "kind": "low_csat",
        "label": "Low satisfaction",
        "event": ANSWERED,
        "conditions": _when(survey_type="csat", score=_between(2, 2)),
        "severity": "high",
        "due": _days(1),
        "recipient": "owner",
        "reason": "satisfaction $score of 5",
        "playbook": playbooks.LOW_SATISFACTION,
    },
    {
        "rule_id": "high_effort",
        "kind": "high_effort",
        "label": "High effort",
        "event": ANSWERED,
        "conditions": _when(survey_type="ces", score=_between(1, 2)),
        "severity": "high",
        "due": _days(1),
        "recipient": "owner",
        "reason": "effort: $score of 7, where 7 is very easy",
        "playbook": playbooks.HIGH_EFFORT,
    },
    {
        "rule_id": "account_score_drop",
        "kind": ACCOUNT_DROP,
        "label": "Account score dropped",
        "event": SCORE_DROPPED,
        "conditions": (),
        "severity": "high",
        "due": _days(3),
        "recipient": "owner",
        "informs": ("sponsor",),
        "inhibited_by": (BURST, DETRACTOR),
        "reason": "the score of the account fell by $points points",
        "playbook": playbooks.ACCOUNT_DROP,
    },
    {
        "rule_id": "account_class_changed",
        "kind": "account_class_changed",
        "label": "Account class changed",
        "event": CLASS_CHANGED,
        # From `unknown` an account does not turn: its first answers say where it stands.
        "conditions": _when(
            account_class=["at_risk", "divided"], previous_class=["ambassador", "steady", "divided", "silent"]
        ),
        "severity": "high",
        "due": _days(3),
        "recipient": "owner",
        "informs": ("sponsor",),
        "inhibited_by": (BURST, DETRACTOR, ACCOUNT_DROP),
        "reason": "the account went from $previous_class to $account_class",
        "playbook": playbooks.ACCOUNT_CLASS,
    },
    {
        "rule_id": "renewal_risk_class",
        "kind": "renewal_risk",
        "label": "Renewal at risk",
        "event": RENEWAL_NEAR,
        "conditions": _when(days_to_renewal=_between(0, 120), account_class=["at_risk", "divided", "silent"]),
        "severity": "critical",
        "due": _days(2),
        "recipient": "owner",
        "informs": ("sponsor",),
        "reason": "renews in $days_to_renewal days and is $account_class",
        "playbook": playbooks.RENEWAL,
    },
    {
        "rule_id": "renewal_risk_unheard",
        "kind": "renewal_risk",
        "label": "Renewal at risk",
        "event": RENEWAL_NEAR,
        "conditions": _when(days_to_renewal=_between(0, 120), decision_maker_days=_at_least(180)),
        "severity": "critical",
        "due": _days(2),
        "recipient": "owner",
        "informs": ("sponsor",),
        "reason": "renews in $days_to_renewal days and no decision-maker was heard for $decision_maker_days days",
        "playbook": playbooks.RENEWAL,
    },
    {
        "rule_id": "segment_drop",
        "kind": "segment_drop",
        "label": "More detractors in a segment",
        "event": SEGMENT_DROPPED,
        "conditions": _when(rise=_at_least(5), z=_at_least(2.33), voices=_at_least(30)),
        "severity": "medium",
        "due": _days(5),
        "recipient": "leader",
        "reason": "$segment_by $segment: detractors went from $share_before to $share per cent",
        "playbook": playbooks.SEGMENT,
    },
    {
        "rule_id": "non_response_decision_maker",
        "kind": "non_response",
        "label": "Decision-maker is silent",
        "event": WENT_SILENT,
        "conditions": _when(stakeholder_type="decision_maker", tier=["key", "premium"]),
        "severity": "medium",
        "due": _days(5),
        "recipient": "owner",
        "inhibited_by": (DETRACTOR, BOUNCE),
        "reason": "no answer $days days after the invitation ($furthest)",
        "playbook": playbooks.SILENT,
    },
    {
        "rule_id": "non_response",
        "kind": "non_response",
        "label": "No answer",
        "event": WENT_SILENT,
        "conditions": (),
        "severity": "low",
        "due": _days(5),
        "recipient": "owner",
        "inhibited_by": (DETRACTOR, BOUNCE),
        "reason": "no answer $days days after the invitation ($furthest)",
        "playbook": playbooks.SILENT,
    },
    {
        "rule_id": "bounced_contact",
        "kind": BOUNCE,
        "label": "Contact lost",
        "event": BOUNCED,
        "conditions": (),
        "severity": "low",
        "due": _days(5),
        "recipient": "owner",
        "reason": "an invitation to them came back",
        "playbook": playbooks.BOUNCED,
    },
    {
        "rule_id": "new_promoter",
        "kind": "new_promoter",
        "label": "New promoter",
        "event": ANSWERED,
        "conditions": _when(change=["new_promoter", "passive_to_promoter"]),
        "severity": "low",
        "due": _days(10),
        "recipient": "owner",
        "inhibited_by": (DETRACTOR,),
        "growth": True,
        "reason": "is a promoter now ($score)",
        "playbook": playbooks.PROMOTER,
    },
    {
        "rule_id": "recovered",
        "kind": "recovered",
        "label": "Recovered",
        "event": ANSWERED,
        "conditions": _when(change=["detractor_to_passive", "detractor_to_promoter"]),
        "severity": "low",
        "due": _days(10),
        "recipient": "owner",
        "growth": True,
        "reason": "came back from detractor ($previous_score) to $score",
        "playbook": playbooks.RECOVERED,
    },
    # Eight calls do not fit into the four hours that one of them has: from there on it is about the account.
    {
        "rule_id": "detractor_burst",
        "kind": BURST,
        "label": "Several detractors at once",
        "event": ANSWERED,
        "conditions": _when(burst=_at_least(8)),
        "severity": "critical",
        "due": _hours(2),
        "recipient": "owner",
        "informs": ("sponsor",),
        "about": "account",
        "reason": "$burst people gave a detractor's score at about the same time",
        "playbook": playbooks.BURST,
    },
)


def _rule(position: int, row: dict[str, Any]) -> Rule:
    steps = row.pop("escalation", ESCALATION[row["severity"]])
    return Rule(version=1, position=position, informs=row.pop("informs", ()), escalation=steps, **row)


DEFAULT_RULES: tuple[Rule, ...] = tuple(_rule(position, dict(row)) for position, row in enumerate(_ROWS, start=1))
