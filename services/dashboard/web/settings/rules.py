"""Rules: which events open follow-ups. Tried on the past before they are switched."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.bits import Cell, Text, box, severity_chip, table
from services.dashboard.web.controls import attempt, button, over_the_page
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs

Json = dict[str, Any]


@page("/settings/rules", "Rules", scope="manage")
async def rules(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/rules", "One event, one decision: the strongest rule that holds opens the follow-up")

    async def load(api: Api) -> list[Json]:
        return await api.items("alerting", "/v1/rules")

    Section(visit, "Rules", load, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, found: list[Json]) -> None:
    rows: list[list[Cell]] = [
        [
            one["label"],
            _conditions(one),
            partial(severity_chip, one["severity"]),
            f"{one['due']['amount']} {one['due']['unit'].replace('_', ' ')}",
            ", ".join([one["recipient"], *one["informs"]]),
            "on" if one["enabled"] else "off",
            partial(_buttons, visit, one),
        ]
        for one in found
    ]
    table(("Rule", "When", "Severity", "Due in", "To", "", ""), rows, "Rules")


def _conditions(one: Json) -> str:
    parts = [f"{name.replace('_', ' ')} {_wanted(wanted)}" for name, wanted in one["conditions"].items()]
    return f"{wording.plain(one['event'].replace('.', ' '))}: {', '.join(parts) or 'always'}"


def _wanted(condition: Json) -> str:
    """A condition in words: a range, or some values."""
    low, high = condition.get("min"), condition.get("max")
    if "in" in condition:
        words = ["yes" if value is True else str(value).replace("_", " ") for value in condition["in"]]
        return f"is {' or '.join(words)}"
    if low is not None and high is not None:
        return f"is {low}" if low == high else f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _buttons(visit: Visit, one: Json) -> None:
    path = within("/v1/rules", one["rule_id"])

    async def test() -> None:
        said: list[str] = []

        async def work() -> None:
            said.append((await (await visit.api()).post("alerting", f"{path}/dry-run", {}))["sentence"])

        if await attempt(work(), "Tried on the last 90 days; nothing was opened"):
            with over_the_page("Tried on the past") as dialog, box("div", "dialog"):
                Text("h2", f"{one['label']}: tried on the past")
                Text("p", said[0])
                button("Close", dialog.close, "main")
            dialog.open()

    async def switch() -> None:
        async def work() -> None:
            body = {"version": one["version"], "enabled": not one["enabled"]}
            await (await visit.api()).patch("alerting", path, body)
            await visit.resources.desk.note(visit.user, "switched_rule", one["rule_id"])

        await attempt(work(), "Switched")
        await visit.refresh()

    with box("div", "buttons tight"):
        button("Try on the past", test)
        button("Switch off" if one["enabled"] else "Switch on", switch)
