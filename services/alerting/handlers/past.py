"""The events that rules were asked about, kept so that a changed rule can be tried on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.default_rules import ANSWERED, DEFAULT_RULES, RENEWAL_NEAR
from services.alerting.domain.facts import Facts
from services.alerting.domain.occasions import YEAR, beginnings, occasions, values_of
from services.alerting.domain.people import Account
from services.alerting.domain.rehearsal import Past, Trigger
from services.alerting.domain.rules import FactValue, Rule
from services.alerting.domain.tasks import Task
from services.alerting.store.facts import read_facts
from services.alerting.store.past import add_past, forget_past_answers
from services.alerting.store.watches import accounts_renewing
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid


@dataclass(frozen=True, slots=True)
class Asked:
    """An event about an occasion of somebody, None for the account itself."""

    event_id: UUID
    event: str
    at: datetime
    account_id: str
    stakeholder_id: str | None
    occasion: str
    response_id: str | None = None


async def remember(
    tx: WriteTx,
    asked: Sequence[Asked],
    unsaid: Sequence[tuple[str, str]],
    facts: Mapping[str, Facts],
    tasks: Sequence[Task],
) -> None:
    """Keep the events with the values that rules looked at; what was kept of corrected answers goes first."""
    if unsaid:
        await forget_past_answers(tx, unsaid)
    by_answer = {(task.account_id, task.response_id): task.follow_up_id for task in tasks}
    past = []
    for event in asked:
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
            past.append(Past(trigger, by_answer.get((event.account_id, event.response_id))))
    await add_past(tx, past)


async def renewals_as_past(
    tx: ReadTx, calendar: BusinessCalendar, now: datetime, owner_email: str | None
) -> list[Past]:
    """The contracts that end within a year, each as what a rule looks at; they are no events, but as they stand."""
    today = calendar.local_date(now)
    accounts = await accounts_renewing(tx, today, today + timedelta(days=YEAR), owner_email)
    if not accounts:
        return []
    bare = Facts(Account(""), now, calendar)
    facts = await read_facts(tx, [(account_id, None) for account_id in accounts], bare, None)
    past = []
    for account_id in accounts:
        for occasion in occasions(_ANYTHING[RENEWAL_NEAR], facts[account_id], None):
            event_id = derived_uuid(RENEWAL_NEAR, account_id, occasion.id)
            past.append(Past(Trigger(event_id, RENEWAL_NEAR, now, account_id, None, None, occasion.values)))
    return past


def _values(asked: Asked, facts: Facts) -> dict[str, FactValue] | None:
    """What rules may look at of the occasion; None where it is there no more."""
    if asked.event == ANSWERED:
        return _values_of_answer(asked, facts)
    for occasion in occasions(_ANYTHING[asked.event], facts, asked.stakeholder_id):
        if occasion.id == asked.occasion:
            return dict(occasion.values)
    return None


def _values_of_answer(asked: Asked, facts: Facts) -> dict[str, FactValue] | None:
    for story in facts.stories_of(asked.stakeholder_id or "").values():
        for given in story:
            answer = given.kept.live
            if answer.response_id == asked.occasion:
                values = values_of(given, facts)
                if values["category"] == "detractor":
                    values["burst"] = _unhappy_within(facts, answer.answered_at, facts.burst)
                return values
    return None


def _unhappy_within(facts: Facts, at: datetime, span: timedelta) -> int:
    """How many people's detractor runs began in the time up to a moment."""
    return len({beginning.stakeholder_id for beginning in beginnings(facts) if at - span < beginning.at <= at})


_ANYTHING: Mapping[str, Rule] = {rule.event: replace(rule, conditions=(), about="person") for rule in DEFAULT_RULES}
"""A rule for each kind of event that fits whatever it says."""
