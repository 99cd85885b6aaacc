"""Small things to build tests of alerting from."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.decisions import decide
from services.alerting.domain.default_rules import ANSWERED, DEFAULT_RULES
from services.alerting.domain.people import Account, Staff, Stakeholder
from services.alerting.domain.tasks import Contact, Task
from services.alerting.domain.triggers import Policy, Trigger, open_task

MONDAY_10 = datetime(2026, 6, 8, 10, 0, tzinfo=UTC)
OWNER = Contact("Olivia Owner", "olivia@supplier.example")
SPONSOR = Contact("Sam Sponsor", "sam@supplier.example")
NOBODY_ELSE = Contact("Front Desk", "desk@supplier.example")
POLICY = Policy(BusinessCalendar(ZoneInfo("UTC")), Staff(NOBODY_ELSE))
ACME = Account("acme", name="Acme", tier="key", owner=OWNER, sponsor=SPONSOR)
JANE = Stakeholder("acme", "jane@acme.example", name="Jane Doe", type="decision_maker")
FOLLOW_UP_ID = UUID(int=7)


def answered(score: int = 2, **facts: Any) -> Trigger:
    """An NPS answer of Jane's, on Monday at ten."""
    values: dict[str, Any] = {"survey_type": "nps", "score": score, "follow_up_requested": False} | facts
    return Trigger(UUID(int=1), ANSWERED, MONDAY_10, "acme", "jane@acme.example", "r1", values)


def opened(trigger: Trigger | None = None, account: Account = ACME, **changes: Any) -> Task:
    """The task that the shipped rules open for an answer; a deep detractor if nothing is said."""
    trigger = trigger or answered()
    decision = decide(DEFAULT_RULES, trigger.event, trigger.facts, trigger.at, POLICY.calendar)
    return replace(open_task(FOLLOW_UP_ID, trigger, decision, account, JANE, POLICY).task, **changes)
