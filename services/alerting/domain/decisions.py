"""What rules would decide about one past event: the strongest that holds. For dry-runs; what is open is judged by all
facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.rules import Rule, Values
from services.alerting.domain.severity import Severity, raised, rank
from services.alerting.domain.wording import reason_of

PREMIUM = "premium"


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


def decide(rules: Iterable[Rule], event: str, facts: Values, at: datetime, calendar: BusinessCalendar) -> Decision:
    """The decision about an event that happened at `at`. Strength: severity, then earlier due, then the
    table's order.

    A premium account raises every severity by one step.
    """
    matches = [_match(rule, facts, at, calendar) for rule in rules if rule.holds(event, facts)]
    matches.sort(key=_strength)
    return Decision(matches[0], tuple(matches[1:])) if matches else Decision(None)


def _strength(match: Match) -> tuple[int, datetime, int]:
    return rank(match.severity), match.due_at, match.rule.position


def _match(rule: Rule, facts: Values, at: datetime, calendar: BusinessCalendar) -> Match:
    severity, reasons = rule.severity, [reason_of(rule, facts)]
    if facts.get("tier") == PREMIUM and raised(severity) != severity:
        severity = raised(severity)
        reasons.append(f"premium account: severity raised from {rule.severity} to {severity}")
    return Match(rule, severity, calendar.add(at, rule.due), tuple(reasons))
