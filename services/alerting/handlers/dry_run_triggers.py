"""Keeps the events that rules were evaluated on, so that a changed rule can be tried on them in a dry-run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerting.domain.answers import AnswerKey
from services.alerting.domain.default_rules import ANSWERED, DEFAULT_RULES, RENEWAL_NEAR
from services.alerting.domain.dry_run import PastTrigger, Trigger
from services.alerting.domain.occasions import YEAR, occasions
from services.alerting.domain.people import Account
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import FactValue, Rule
from services.alerting.domain.tasks import Task
from services.alerting.store.account_facts import read_accounts
from services.alerting.store.dry_run_triggers import add_triggers, forget_triggers_of_answers
from services.alerting.store.watches import accounts_renewing
from shared.calendar import BusinessCalendar
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """An event that rules were evaluated on, and its occasion; without a person where it is about the account."""

    event_id: UUID
    event: str
    at: datetime
    account_id: str
    stakeholder_id: str | None
    occasion: str
    response_id: str | None = None


async def save_triggers(
    tx: WriteTx,
    rule_events: Sequence[RuleEvent],
    corrected_answers: Sequence[AnswerKey],
    facts: Mapping[str, Facts],
    tasks: Sequence[Task],
) -> None:
    """Keep the events with the values that conditions saw. What was kept of `corrected_answers` is deleted first."""
    if corrected_answers:
        await forget_triggers_of_answers(tx, corrected_answers)
    by_answer = {(task.account_id, task.response_id): task.follow_up_id for task in tasks}
    past = []
    for event in rule_events:
        if event.account_id not in facts:
            continue
        values = _values(event, facts[event.account_id])
        if values is not None:
            trigger = Trigger(
                event.event_id,
                event.event,
                event.at,
                event.account_id,
                event.stakeholder_id,
                event.response_id,
                values,
            )
            past.append(PastTrigger(trigger, by_answer.get((event.account_id, event.response_id))))
    await add_triggers(tx, past)


async def renewal_triggers(
    tx: ReadTx, calendar: BusinessCalendar, now: datetime, owner_email: str | None
) -> list[PastTrigger]:
    """A trigger for every contract that ends within a year, with current facts: no event is published about these."""
    today = calendar.local_date(now)
    accounts = await accounts_renewing(tx, today, today + timedelta(days=YEAR), owner_email)
    if not accounts:
        return []
    bare = Facts(Account(""), now, calendar)
    known = await read_accounts(tx, accounts, bare)
    past = []
    for account_id in accounts:
        for occasion in occasions(_ANYTHING[RENEWAL_NEAR], known[account_id].facts, None):
            event_id = derived_uuid(RENEWAL_NEAR, account_id, occasion.id)
            past.append(PastTrigger(Trigger(event_id, RENEWAL_NEAR, now, account_id, None, None, occasion.values)))
    return past


def _values(rule_event: RuleEvent, facts: Facts) -> dict[str, FactValue] | None:
    """The values of the occasion that conditions see; None where the occasion holds no more."""
    if rule_event.event == ANSWERED:
        return _values_of_answer(rule_event, facts)
    for occasion in occasions(_ANYTHING[rule_event.event], facts, rule_event.stakeholder_id):
        if occasion.id == rule_event.occasion:
            return dict(occasion.values)
    return None


def _values_of_answer(rule_event: RuleEvent, facts: Facts) -> dict[str, FactValue] | None:
    for series in facts.series_of(rule_event.stakeholder_id or "").values():
        for given_answer in series:
            answer = given_answer.stored.live
            if answer.response_id == rule_event.occasion:
                values = dict(facts.values_of(given_answer))
                if values["category"] == "detractor":
                    values["burst"] = _unhappy_within(facts, answer.answered_at, facts.burst)
                return values
    return None


def _unhappy_within(facts: Facts, at: datetime, span: timedelta) -> int:
    """How many people's detractor runs began in the time up to a moment."""
    return len(
        {
            first_answer.stakeholder_id
            for first_answer in facts.first_detractor_answers
            if at - span < first_answer.at <= at
        }
    )


_ANYTHING: Mapping[str, Rule] = {rule.event: replace(rule, conditions=(), about="person") for rule in DEFAULT_RULES}
"""A rule for each kind of event that fits whatever it says."""
