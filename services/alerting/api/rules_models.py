"""What the calls about rules take."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from services.alerting.api.models import Input, Kind, Line, Text, Version
from services.alerting.domain.default_rules import EVENTS
from services.alerting.domain.rules import (
    FIELDS,
    EscalationStep,
    Reach,
    Rule,
    check_reason,
    conditions_from,
)
from shared.api.follow_ups import SeverityName
from shared.api.rules import RecipientName
from shared.calendar import Due as DueValue
from shared.http.params import Instant

Conditions = dict[str, dict[str, Any]]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
IGNORED = "Ignored: an answer ends what it makes untrue, whatever the rule."
FIELD_LIST = "; ".join(f"`{name}`: {meaning}" for name, meaning in FIELDS.items())
EXAMPLE: dict[str, Any] = {
    "kind": "detractor",
    "label": "Detractor",
    "event": "stakeholder.answered",
    "conditions": {"survey_type": {"in": ["nps"]}, "score": {"max": 3}},
    "severity": "critical",
    "due": {"amount": 2, "unit": "business_hours"},
    "recipient": "owner",
    "informs": ["sponsor"],
    "reason": "scored $score of 10: a deep detractor",
    "playbook": "Call within the morning, together with a leader.",
    "escalation": [{"after": {"amount": 2, "unit": "business_hours"}, "to": "leader"}],
}


class Due(Input):
    """A time in business hours or business days."""

    amount: int = Field(strict=True, ge=0, le=1000)
    unit: Literal["business_hours", "business_days"]


class Step(Input):
    """Who hears of a follow-up that nobody has taken on: `after` its due time."""

    after: Due
    to: RecipientName


class RuleFields(Input):
    """The fields of a rule that people write; all but these few have a default."""

    @field_validator("conditions", check_fields=False)
    @classmethod
    def _conditions_exist(cls, value: Conditions | None) -> Conditions | None:
        conditions_from(value or {})
        return value

    @field_validator("reason", check_fields=False)
    @classmethod
    def _reason_names_facts(cls, value: str | None) -> str | None:
        check_reason(value or "")
        return value

    @field_validator("event", check_fields=False)
    @classmethod
    def _event_is_one(cls, value: str | None) -> str | None:
        if value is not None and value not in EVENTS:
            raise ValueError(f"must be one of {', '.join(EVENTS)}")
        return value

    def values(self) -> dict[str, Any]:
        """What was given, as the domain has it."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name not in ("version", "rule_id")}
        if "conditions" in given:
            given["conditions"] = conditions_from(given["conditions"])
        if "due" in given:
            given["due"] = _due(given["due"])
        for name in ("informs", "inhibited_by"):
            if name in given:
                given[name] = tuple(given[name])
        if "escalation" in given:
            given["escalation"] = tuple(EscalationStep(_due(step.after), step.to) for step in given["escalation"])
        return given


class RuleBody(RuleFields):
    """A whole rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    kind: Kind = Field(description="What its follow-ups are called; rules of one kind share them.")
    label: Line = Field(description="Begins the title.")
    event: str = Field(max_length=100, description=f"One of {', '.join(EVENTS)}.")
    conditions: Conditions = Field(
        default={}, max_length=20, description=f"All must hold; `in`, `min`, `max` on facts. {FIELD_LIST}."
    )
    severity: SeverityName
    due: Due
    recipient: RecipientName = "owner"
    informs: list[RecipientName] = Field(default=[], max_length=3)
    reason: Sentence = Field(description="Why, in a sentence; `$score` and other facts are filled in.")
    playbook: Text
    inhibited_by: list[Kind] = Field(default=[], max_length=20, description="Kinds whose open follow-up takes it in.")
    inhibited_within: Reach = Field(default="person", description="Whether that follow-up must be the same person's.")
    escalation: list[Step] = Field(default=[], max_length=5, description="Who hears of it when nobody takes it on.")
    closes_on_answer: bool = Field(default=False, strict=True, description=IGNORED)
    growth: bool = Field(default=False, strict=True, description="A chance rather than a risk.")
    enabled: bool = Field(default=True, strict=True)
    about: Reach = Field(default="person", description="Whose follow-up it is: the person's, or one of the account.")
    position: int = Field(default=0, strict=True, ge=0, le=10_000, description="0: as it is, a new rule last.")

    def rule(self, rule_id: str) -> Rule:
        """As the domain has it, without a version."""
        whole: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields if name != "version"}
        named = type(self).model_construct(_fields_set=set(whole), **whole).values()
        return Rule(rule_id=rule_id, version=0, **named)


class VersionedRule(RuleBody):
    """A whole rule, and the version of it that was seen."""

    version: Version | None = None


class NamedRule(RuleBody):
    """A whole rule to try."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rule_id": "late_deliveries", **EXAMPLE}]})

    rule_id: Kind


class RulePatch(RuleFields):
    """Fields of a rule to change; what is absent stays, what is given is replaced as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"enabled": False}]})

    version: Version | None = None
    kind: Kind = ""
    label: Line = ""
    event: str = Field(default="", max_length=100)
    conditions: Conditions = Field(default={}, max_length=20, description="All of them; those left out are dropped.")
    severity: SeverityName = "medium"
    due: Due = Due(amount=0, unit="business_hours")
    recipient: RecipientName = "owner"
    informs: list[RecipientName] = Field(default=[], max_length=3)
    reason: Sentence = ""
    playbook: Text = ""
    inhibited_by: list[Kind] = Field(default=[], max_length=20)
    inhibited_within: Reach = "person"
    escalation: list[Step] = Field(default=[], max_length=5)
    closes_on_answer: bool = Field(default=False, strict=True, description=IGNORED)
    growth: bool = Field(default=False, strict=True)
    enabled: bool = Field(default=True, strict=True)
    about: Reach = "person"
    position: int = Field(default=1, strict=True, ge=1, le=10_000)


class DryRunTime(Input):
    """Which past events to look at."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-01-01T00:00:00Z"}]})

    since: Instant | None = Field(default=None, description="By default 90 days before `until`.")
    until: Instant | None = Field(default=None, description="By default now.")
    stays_open_days: float = Field(
        default=7, gt=0, le=365, description="How long a follow-up would have stayed open; more of it is the same one."
    )

    @property
    def stays_open(self) -> timedelta:
        """As a time."""
        return timedelta(days=self.stays_open_days)


class DryRun(DryRunTime):
    """All rules in force, with these in the place of those of the same id, or beside them."""

    rules: list[NamedRule] = Field(default=[], max_length=50)


class RuleDryRun(DryRunTime):
    """One rule, with changes that are not stored."""

    changes: RulePatch | None = None


def _due(due: Due) -> DueValue:
    return DueValue(due.amount, due.unit)
