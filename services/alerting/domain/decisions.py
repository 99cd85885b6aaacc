"""One event, one decision: the strongest rule opens the follow-up, the others stand in it as inhibited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from string import Template

from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.rules import Facts, Rule
from services.alerting.domain.severity import Severity, raised, rank

PREMIUM = "premium"
FURTHEST = {"sent": "not opened", "delivered": "not opened", "started": "begun"}
"""How far an invitation came, in the words of an account manager where they differ from those of a mail sender."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds, with the severity and the due time that it gives here."""

    rule: Rule
    severity: Severity
    due_at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one event."""

    chosen: Match | None
    inhibited: tuple[Match, ...] = ()

    @property
    def matches(self) -> tuple[Match, ...]:
        """Every rule that held, the strongest first."""
        return (self.chosen, *self.inhibited) if self.chosen else ()

    @property
    def inhibited_kinds(self) -> tuple[str, ...]:
        """The kinds that stand back, each once, without the chosen one's own."""
        own = self.chosen.rule.kind if self.chosen else None
        return tuple(dict.fromkeys(one.rule.kind for one in self.inhibited if one.rule.kind != own))


def decide(rules: Iterable[Rule], event: str, facts: Facts, at: datetime, calendar: BusinessCalendar) -> Decision:
    """The decision about an event that happened at `at`. Strength: severity, then earlier due, then the
    table's order.

    A premium account raises every severity by one step.
    """
    matches = [_match(rule, facts, at, calendar) for rule in rules if rule.holds(event, facts)]
    matches.sort(key=_strength)
    return Decision(matches[0], tuple(matches[1:])) if matches else Decision(None)


def _strength(match: Match) -> tuple[int, datetime, int]:
    return rank(match.severity), match.due_at, match.rule.position


def _match(rule: Rule, facts: Facts, at: datetime, calendar: BusinessCalendar) -> Match:
    severity, reasons = rule.severity, [reason_of(rule, facts)]
    if facts.get("tier") == PREMIUM and raised(severity) != severity:
        severity = raised(severity)
        reasons.append(f"premium account: severity raised from {rule.severity} to {severity}")
    return Match(rule, severity, calendar.add(at, rule.due), tuple(reasons))


def reason_of(rule: Rule, facts: Facts) -> str:
    """The rule's sentence with the facts filled in, e.g. `scored 2 of 10: a deep detractor`."""
    filled = {name: _shown(name, value) for name, value in facts.items() if value is not None}
    return Template(rule.reason).safe_substitute(filled)


def _shown(name: str, value: object) -> str:
    if name == "furthest":
        return FURTHEST.get(str(value), str(value))
    if name in ("account_class", "previous_class"):
        return str(value).replace("_", " ")
    return f"{value:g}" if isinstance(value, float) else str(value)
