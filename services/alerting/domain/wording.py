"""Why a follow-up is there, in words. What counts days holds the date, and says how many when it is read."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from string import Template

from services.alerting.domain.rules import Rule, Values
from services.alerting.domain.severity import Severity
from services.alerting.domain.tasks import Task

_FURTHEST = {"sent": "not opened", "delivered": "not opened", "started": "begun"}
"""How far an invitation came, in the words of an account manager where they differ from those of a mail sender."""
_COUNTED = re.compile(r"\{days (until|since) (\d{4}-\d{2}-\d{2})\}")


def reason_of(rule: Rule, values: Values, dates: Mapping[str, date] = {}) -> str:
    """The rule's sentence with the values filled in, e.g. `scored 2 of 10: a deep detractor`; a field of `dates` as
    what `on_day` turns into a number of days.
    """
    filled = {name: _shown(name, value) for name, value in values.items() if value is not None}
    for name, day in dates.items():
        filled[name] = _counted(name, day)
    return Template(rule.reason).safe_substitute(filled)


def reasons_of(rule: Rule, severity: Severity, values: Values, dates: Mapping[str, date] = {}) -> tuple[str, ...]:
    """The rule's sentence, and what made its severity another one here."""
    if severity == rule.severity:
        return (reason_of(rule, values, dates),)
    raised = f"premium account: severity raised from {rule.severity} to {severity}"
    return reason_of(rule, values, dates), raised


def on_day(text: str, today: date) -> str:
    """The sentence as it reads on a day."""

    def days(match: re.Match[str]) -> str:
        direction, day = match[1], date.fromisoformat(match[2])
        distance = day - today
        if direction == "since":
            distance = today - day
        return str(max(0, distance.days))

    return _COUNTED.sub(days, text)


def read_on(task: Task, today: date) -> Task:
    """The task as it reads on a day."""
    reasons = tuple(on_day(reason, today) for reason in task.reasons)
    if reasons == task.reasons:
        return task
    return replace(task, reasons=reasons)


def _counted(name: str, day: date) -> str:
    direction = "since"
    if name == "days_to_renewal":
        direction = "until"
    return f"{{days {direction} {day.isoformat()}}}"


def _shown(name: str, value: object) -> str:
    if name == "furthest":
        return _FURTHEST.get(str(value), str(value))
    if name in ("account_class", "previous_class"):
        return str(value).replace("_", " ")
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
