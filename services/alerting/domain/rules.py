"""Rules as data: which event opens which follow-up, how bad it is, when it is due and to whom it goes.

A rule holds when its event came and every condition holds. Rules of one kind are rows of one family
(detractor 0–3 and detractor 4–6): they share one open task a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any, Literal

from services.alerting.domain.severity import Severity
from services.alerting.domain.tasks import Recipient
from shared.calendar import Due

Operator = Literal["in", "min", "max"]
FactValue = str | int | float | bool | None
Values = Mapping[str, FactValue]
"""What a rule may look at; see FIELDS."""

OPERATORS: tuple[Operator, ...] = ("in", "min", "max")
Reach = Literal["person", "account"]
MAX_VALUES = 50
FIELDS = {
    "survey_type": "nps, csat or ces",
    "nps_kind": "relationship, transactional or project",
    "score": "the score given",
    "category": "promoter, passive or detractor",
    "change": "the category change from the answer before, to the same question (survey type and nps_kind)",
    "previous_score": "the score of the answer before, to the same question (survey type and nps_kind)",
    "falls_in_a_row": "how many answers in a row to the same question were lower than the one before",
    "follow_up_requested": "whether the person asked for a call",
    "touchpoint": "the touchpoint that was asked about",
    "product": "the product that was asked about",
    "stakeholder_type": "decision_maker, user or influencer",
    "tier": "small, key or premium",
    "industry": "the industry of the account",
    "region": "the region of the account",
    "days": "days of silence since the person was asked",
    "furthest": "how far a silent person came: bounced, sent, delivered, opened or started",
    "points": "points that the score of the account fell by",
    "account_class": "the class of the account now",
    "previous_class": "the class of the account before",
    "known_days": "days since the first answer of the account was recorded",
    "burst": "people of the account who gave a detractor's score within `TELLBACK_ALERTING_BURST_HOURS`, with this one",
    "channel": "how an invitation was sent",
    "days_to_renewal": "days until the contract ends",
    "decision_maker_days": "days since a decision-maker was heard, or since the account is known",
    "segment_by": "industry, tier or region",
    "segment": "the industry, tier or region that moved",
    "share": "per cent of detractors in the segment",
    "share_before": "the same in the 90 days before",
    "rise": "points by which it went up",
    "voices": "respondents of the segment in the smaller of both windows",
    "z": "how far the rise is beyond chance, in standard errors",
}
"""Every field that a condition may name, with its meaning."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one field; a field without a value never passes."""

    field: str
    operator: Operator
    value: Any

    def holds(self, facts: Values) -> bool:
        """Whether the facts pass."""
        actual = facts.get(self.field)
        if actual is None:
            return False
        if self.operator == "in":
            return actual in self.value
        if isinstance(actual, bool) or not isinstance(actual, int | float):
            return False
        if self.operator == "min":
            return bool(actual >= self.value)
        return bool(actual <= self.value)


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Who is notified when there was no first touch, `after` the due time in business time."""

    after: Due
    to: Recipient


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of rules. `position` is the table's order and breaks the last ties.

    `inhibited_by`: kinds whose open task takes this one in, of the same person or, where `inhibited_within` says so
    and for what is about the account itself, of anybody at the account. `closes_on_answer` is ignored: an answer ends
    what it answers. `growth`: a chance rather than a risk. `about`: whose follow-up it is, the person's or one of the
    whole account.
    """

    rule_id: str
    version: int
    position: int
    kind: str
    label: str
    event: str
    conditions: tuple[Condition, ...]
    severity: Severity
    due: Due
    recipient: Recipient
    informs: tuple[Recipient, ...]
    reason: str
    playbook: str
    inhibited_by: tuple[str, ...] = ()
    inhibited_within: Reach = "person"
    escalation: tuple[EscalationStep, ...] = ()
    closes_on_answer: bool = False
    growth: bool = False
    enabled: bool = True
    about: Reach = "person"

    def holds(self, event: str, facts: Values) -> bool:
        """Whether this rule wants a follow-up for the event."""
        return self.enabled and self.event == event and self.fits(facts)

    def fits(self, values: Values) -> bool:
        """Whether every condition holds."""
        return all(condition.holds(values) for condition in self.conditions)

    def tests(self, field: str) -> tuple[Condition, ...]:
        """The conditions about one field."""
        return tuple(condition for condition in self.conditions if condition.field == field)

    @property
    def is_call_request(self) -> bool:
        """Whether it is about people who ask for a call: a better score does not answer that."""
        return any(
            condition.field == "follow_up_requested" and condition.holds({"follow_up_requested": True})
            for condition in self.conditions
        )


def latest(rules: Iterable[Rule], field: str, default: float) -> float:
    """The greatest `max` that any of the rules sets to a field; `default` where one sets none."""
    bounds = []
    for rule in rules:
        limits = [condition.value for condition in rule.tests(field) if condition.operator == "max"]
        bounds.append(min([*limits, default]))
    return max(bounds, default=default)


def conditions_from(document: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Read `{"score": {"min": 0, "max": 3}}`, in one order whatever the document's. Raises ValueError for a field or an
    operator that does not exist.
    """
    conditions = []
    for field, tests in document.items():
        if field not in FIELDS:
            raise ValueError("a condition names a field that does not exist")
        for operator, value in tests.items():
            if operator not in OPERATORS:
                raise ValueError("a condition uses an operator that does not exist")
            conditions.append(Condition(field, operator, _checked_value(operator, value)))
    return tuple(sorted(conditions, key=lambda condition: (condition.field, condition.operator)))


def conditions_document(conditions: tuple[Condition, ...]) -> dict[str, dict[str, Any]]:
    """The conditions as JSON, the inverse of `conditions_from`."""
    document: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        value = condition.value
        if condition.operator == "in":
            value = list(value)
        document.setdefault(condition.field, {})[condition.operator] = value
    return document


def escalation_from(document: list[dict[str, Any]]) -> tuple[EscalationStep, ...]:
    """Read `[{"after": {"amount": 4, "unit": "business_hours"}, "to": "leader"}]`."""
    return tuple(EscalationStep(Due(**step["after"]), step["to"]) for step in document)


def escalation_document(steps: tuple[EscalationStep, ...]) -> list[dict[str, Any]]:
    """The steps as JSON, the inverse of `escalation_from`."""
    return [{"after": {"amount": step.after.amount, "unit": step.after.unit}, "to": step.to} for step in steps]


def _checked_value(operator: str, value: Any) -> Any:
    if operator == "in":
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_VALUES:
            raise ValueError(f"in takes a list of 1 to {MAX_VALUES} values")
        if not all(isinstance(item, str | int | float) for item in value):
            raise ValueError("in takes a list of texts, numbers, true and false")
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("min and max take a number")
    return value


def check_reason(text: str) -> None:
    """Raise ValueError unless the sentence names only facts that exist, as `$score`."""
    template = Template(text)
    if not template.is_valid():
        raise ValueError("a $ begins the name of a fact; write $$ for the sign itself")
    if not set(template.get_identifiers()) <= FIELDS.keys():
        raise ValueError("names a fact that does not exist")
