"""Dry-run: what a table of rules would have done with past events, without touching anything.

It decides as the real thing does: of each kind that holds the strongest rule makes a follow-up, and a stronger
follow-up takes in those that stand back for it. What people did then cannot be known, so a follow-up is taken to stay
open for a set time; while it is, more of the same is an occurrence of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.alerting.domain.decisions import Match, matches_of
from services.alerting.domain.default_rules import ANSWERED, BOUNCED, DETRACTOR, WENT_SILENT
from services.alerting.domain.rules import Rule, Values
from shared.calendar import BusinessCalendar

FollowUpKey = tuple[str, str | None, str]
"""An account, a person, None for the account itself, and a kind."""
ABOUT_ACCOUNTS = frozenset({"tier", "industry", "region", "known_days", "burst"})
"""What there is to say of a whole account rather than of one person."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that rules are evaluated on, with the values that conditions see. `at` is when it happened."""

    event_id: UUID
    event: str
    at: datetime
    account_id: str
    stakeholder_id: str | None
    response_id: str | None
    facts: Values


def seen_by(rule: Rule, trigger: Trigger) -> Trigger:
    """The trigger as the rule's follow-up shows it: without the person, where it is one of the whole account."""
    if rule.about == "person":
        return trigger
    facts = {name: value for name, value in trigger.facts.items() if name in ABOUT_ACCOUNTS}
    return replace(trigger, stakeholder_id=None, response_id=None, facts=facts)


@dataclass(frozen=True, slots=True)
class PastTrigger:
    """A trigger of the past, and the follow-up that it opened or was added to, if any."""

    trigger: Trigger
    follow_up_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DryRunOutcome:
    """What would have become of one rule on one event: a follow-up opened, an occurrence added, or taken in by
    another.
    """

    past: PastTrigger
    role: Literal["opened", "repeated", "inhibited"]
    match: Match


@dataclass(slots=True)
class _OpenFollowUps:
    """The follow-ups that would be open at a moment of the dry-run."""

    stays_open: timedelta
    open: dict[FollowUpKey, datetime] = field(default_factory=dict)

    def apply(self, past: PastTrigger, matches: Sequence[Match]) -> list[DryRunOutcome]:
        """What becomes of the rules that hold on one event, given the strongest first."""
        outcomes: dict[FollowUpKey, DryRunOutcome] = {}
        in_burst = any(match.rule.tests("burst") for match in matches)
        for match in _hosts_first(matches):
            seen = seen_by(match.rule, past.trigger)
            key = (seen.account_id, seen.stakeholder_id, match.rule.kind)
            if key in outcomes:
                continue
            if (in_burst and match.rule.kind == DETRACTOR) or self._stands_back(match.rule, seen):
                outcomes[key] = DryRunOutcome(past, "inhibited", match)
            elif self._is_open(key, seen.at):
                outcomes[key] = DryRunOutcome(past, "repeated", match)
            else:
                self.open[key] = seen.at
                outcomes[key] = DryRunOutcome(past, "opened", match)
        return list(outcomes.values())

    def close_answered(self, trigger: Trigger, rules: Sequence[Rule]) -> None:
        """What waits for an answer closes with it."""
        for rule in rules:
            if rule.event in (WENT_SILENT, BOUNCED):
                self.open.pop((trigger.account_id, trigger.stakeholder_id, rule.kind), None)

    def _is_open(self, key: FollowUpKey, at: datetime) -> bool:
        opened = self.open.get(key)
        return opened is not None and at < opened + self.stays_open

    def _stands_back(self, rule: Rule, seen: Trigger) -> bool:
        """Whether an open follow-up takes it in, of the person or of anybody at the account."""
        if rule.inhibited_within == "person" and seen.stakeholder_id is not None:
            keys: list[FollowUpKey] = [(seen.account_id, seen.stakeholder_id, kind) for kind in rule.inhibited_by]
        else:
            keys = [key for key in self.open if key[0] == seen.account_id and key[2] in rule.inhibited_by]
        return any(self._is_open(key, seen.at) for key in keys)


def _hosts_first(matches: Sequence[Match]) -> list[Match]:
    """Rules that others stand back for come first, so that their follow-ups are open when the others are looked at."""
    kinds = {match.rule.kind for match in matches}

    def stands_back(match: Match) -> bool:
        return not kinds.isdisjoint(match.rule.inhibited_by)

    return sorted(matches, key=stands_back)


def dry_run(
    rules: Sequence[Rule], past: Iterable[PastTrigger], calendar: BusinessCalendar, stays_open: timedelta
) -> list[DryRunOutcome]:
    """What these rules would have made of the events, in the order of the events."""
    open_follow_ups = _OpenFollowUps(stays_open)
    outcomes: list[DryRunOutcome] = []
    for event in sorted(past, key=lambda event: (event.trigger.at, event.trigger.event_id)):
        trigger = event.trigger
        if trigger.event == ANSWERED:
            open_follow_ups.close_answered(trigger, rules)
        outcomes += open_follow_ups.apply(event, matches_of(rules, trigger.event, trigger.facts, trigger.at, calendar))
    return outcomes
