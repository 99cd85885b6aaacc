"""Which rules hold on one past event, for dry-runs; open follow-ups are evaluated on all facts (`arrangement`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.alerting.domain.rules import Rule, Values
from services.alerting.domain.severity import Severity, rank, severity_at
from services.alerting.domain.wording import reasons_of
from shared.calendar import BusinessCalendar


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds, with the severity and the due time that it gives here."""

    rule: Rule
    severity: Severity
    due_at: datetime
    reasons: tuple[str, ...]


def matches_of(
    rules: Iterable[Rule], event: str, facts: Values, at: datetime, calendar: BusinessCalendar
) -> list[Match]:
    """Every rule that holds on an event of the moment `at`, the strongest first: severity, then the table's order."""
    matches = [_match(rule, facts, at, calendar) for rule in rules if rule.holds(event, facts)]
    return sorted(matches, key=_strength)


def _strength(match: Match) -> tuple[int, int]:
    return rank(match.severity), match.rule.position


def _match(rule: Rule, facts: Values, at: datetime, calendar: BusinessCalendar) -> Match:
    severity = severity_at(facts.get("tier"), rule.severity)
    return Match(rule, severity, calendar.add(at, rule.due), reasons_of(rule, severity, facts))
