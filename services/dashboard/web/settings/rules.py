"""Rules: which events open follow-ups."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.domain.rules import EVENTS, fact
from services.dashboard.web.elements import Cell, link, severity_chip, table
from services.dashboard.web.form_fields import attempt, button
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import CHANGE_RULE
from shared.api.questions import RULES
from shared.api.rules import RuleView
from shared.http.client import Api, within

STATE_SIGNS = {True: "●", False: "○"}


@page("/settings/rules", "Rules", scope="manage")
async def rules(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/rules", "One event, one decision: the most severe rule that matches opens the follow-up")

    async def load(api: Api) -> list[RuleView]:
        return (await api.ask(RULES)).items

    Section(visit, "Rules", load, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, rules: list[RuleView]) -> None:
    rows: list[list[Cell]] = [
        [
            partial(link, rule.label, within("/settings/rules", rule.rule_id)),
            conditions_of(rule),
            partial(severity_chip, rule.severity),
            time_of(rule.due),
            ", ".join([rule.recipient, *rule.informs]),
            f"{STATE_SIGNS[rule.enabled]} {state_of(rule)}",
            partial(_switch, visit, rule),
        ]
        for rule in rules
    ]
    table(("Rule", "When", "Severity", "Due in", "To", "State", ""), rows, "Rules")


def state_of(rule: RuleView) -> str:
    """Whether a rule is on."""
    if rule.enabled:
        return "on"
    return "off"


def conditions_of(rule: RuleView) -> str:
    """The conditions of a rule, in words."""
    parts = [f"{fact(name)} {_wanted(wanted)}" for name, wanted in rule.conditions.items()]
    return f"{EVENTS.get(rule.event, rule.event)}: {', '.join(parts) or 'always'}"


def _wanted(condition: Mapping[str, Any]) -> str:
    """The value of a condition in words: a range, or some values."""
    low, high = condition.get("min"), condition.get("max")
    if "in" in condition:
        return f"is {' or '.join(map(_value, condition['in']))}"
    if low is not None and high is not None:
        if low == high:
            return f"is {low}"
        return f"from {low} to {high}"
    if low is not None:
        return f"at least {low}"
    return f"at most {high}"


def _value(value: Any) -> str:
    if value is True:
        return "yes"
    said = str(value).replace("_", " ")
    return wording.SHORT.get(said, said)


def time_of(due: Mapping[str, Any]) -> str:
    """`4 business hours`, `1 business day`."""
    unit = due["unit"].replace("_", " ")
    if due["amount"] == 1:
        unit = unit.removesuffix("s")
    return f"{due['amount']}\u00a0{unit}"


def _switch(visit: Visit, rule: RuleView) -> None:
    async def switch() -> None:
        async def work() -> None:
            body = {"version": rule.version, "enabled": not rule.enabled}
            await (await visit.api()).call(CHANGE_RULE, body, rule=rule.rule_id)
            await visit.resources.desk.note(visit.user, "switched_rule", rule.label)

        await attempt(work(), "Switched")
        await visit.refresh()

    if rule.enabled:
        button("Switch off", switch)
    else:
        button("Switch on", switch)
