"""People change rules: each change is a new version, the one before stays readable; and try them on past events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.alerting.domain.default_rules import RENEWAL_NEAR
from services.alerting.domain.dry_run import DryRunOutcome, dry_run
from services.alerting.domain.occasions import is_of_people
from services.alerting.domain.rules import Rule
from services.alerting.handlers.dry_run_triggers import renewal_triggers
from services.alerting.handlers.rules import rules_in_force
from services.alerting.store.dry_run_triggers import triggers_between
from services.alerting.store.rules import add_versions, current_rules, hold_rules
from shared.calendar import BusinessCalendar
from shared.clock import Clock
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound

MAX_RULES = 200
MAX_TRIGGERS = 50_000


@dataclass(frozen=True, slots=True)
class RuleChange:
    """Who changes which rule; `version` is the one they saw, if they say so."""

    rule_id: str
    actor: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The past events that a dry-run looks at; an owner's accounts only, where the caller is limited to them."""

    since: datetime
    until: datetime
    owner_email: str | None
    stays_open: timedelta


@dataclass(frozen=True, slots=True)
class DryRunComparison:
    """What rules would have done, beside what the rules in force would have done with the same events."""

    considered: int
    would: list[DryRunOutcome]
    now: list[DryRunOutcome]


async def put_rule(tx: WriteTx, clock: Clock, change: RuleChange, wanted: Rule) -> tuple[Rule, bool]:
    """Store the whole rule as its next version; also says whether it is new. A rule that is in force as it is makes no
    version.

    A `position` of 0 keeps the place, or takes the last one. Raises `Conflict` when the version seen is stale, and
    `Invalid` for a follow-up of the account about what single people do: it takes a burst of them.
    """
    _require_burst(wanted)
    await hold_rules(tx)
    rules = await rules_in_force(tx, clock)
    current = next((rule for rule in rules if rule.rule_id == change.rule_id), None)
    _require_seen(current, change)
    if current is None:
        if len(rules) >= MAX_RULES:
            raise Conflict("too_many_rules", f"there are {MAX_RULES} rules")
        rule = replace(wanted, version=1, position=wanted.position or rules[-1].position + 1)
    else:
        rule = replace(wanted, version=current.version + 1, position=wanted.position or current.position)
        if replace(rule, version=current.version) == current:
            return current, False
    await add_versions(tx, [rule], clock.now(), change.actor)
    return rule, current is None


def _require_burst(rule: Rule) -> None:
    if rule.about == "account" and is_of_people(rule.event) and not rule.tests("burst"):
        detail = "what single people do is theirs; a follow-up of the account about it needs a condition on burst"
        raise Invalid("invalid_rule", detail, errors=[{"field": "about", "code": "needs_burst", "detail": detail}])


async def patch_rule(tx: WriteTx, clock: Clock, change: RuleChange, values: Mapping[str, Any]) -> Rule:
    """Change some fields of a rule, `enabled` for one. Raises `NotFound` and `Conflict`."""
    await hold_rules(tx)
    current = found_rule(await rules_in_force(tx, clock), change.rule_id)
    rule, _ = await put_rule(tx, clock, change, replace(current, **values))
    return rule


async def compare_rules(
    tx: ReadTx, calendar: BusinessCalendar, span: Span, wanted: Sequence[Rule], only: str | None = None
) -> DryRunComparison:
    """Dry-run the rules in force without and with `wanted` in their places. `only` names the rule whose outcomes count.

    Renewals are no events: they are taken as they are at the end of the time.
    """
    past = await triggers_between(tx, span.since, span.until, span.owner_email, MAX_TRIGGERS + 1)
    past = [event for event in past if event.trigger.event != RENEWAL_NEAR]
    past += await renewal_triggers(tx, calendar, span.until, span.owner_email)
    if len(past) > MAX_TRIGGERS:
        detail = f"more than {MAX_TRIGGERS} events; choose a shorter time"
        raise Invalid("too_many_events", detail, errors=[{"field": "since", "code": "too_many", "detail": detail}])
    now = await current_rules(tx)
    changed = {rule.rule_id: rule for rule in now} | {rule.rule_id: rule for rule in wanted}

    def outcomes_of(rules: Sequence[Rule]) -> list[DryRunOutcome]:
        outcomes = dry_run(rules, past, calendar, span.stays_open)
        return [outcome for outcome in outcomes if only in (None, outcome.match.rule.rule_id)]

    return DryRunComparison(len(past), outcomes_of(list(changed.values())), outcomes_of(now))


def found_rule(rules: Sequence[Rule], rule_id: str) -> Rule:
    """The rule of this id. Raises `NotFound`."""
    for rule in rules:
        if rule.rule_id == rule_id:
            return rule
    raise NotFound("rule_not_found", "there is no such rule")


def _require_seen(current: Rule | None, change: RuleChange) -> None:
    if change.version is None:
        return
    if current is None or change.version != current.version:
        raise Conflict("stale_version", "somebody else changed it meanwhile; read it again")
