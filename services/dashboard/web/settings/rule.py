"""One rule: edited as a form, tried on the past before it is armed, with all its versions."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import rules as forms
from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    box,
    empty,
    facts,
    link,
    severity_chip,
    tab_title,
    table,
    when,
)
from services.dashboard.web.form_fields import Fields, Values, attempt, button, sure
from services.dashboard.web.names import NameBook, NameLookup, actors_of, pair_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.rules import conditions_of, state_of, time_of
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import CHANGE_RULE, TRY_RULE
from shared.api.questions import RULE, RULE_VERSIONS
from shared.api.rules import DryRunResult, RuleView, WouldOpen
from shared.http.client import Api, within

SEVERITIES = {name: wording.plain(name) for name in ("critical", "high", "medium", "low")}
PEOPLE = {"owner": "The owner", "sponsor": "The sponsor", "leader": "The leader"}
UNITS = {"business_hours": "business hours", "business_days": "business days"}
OPERATORS = {"in": "is one of", "min": "at least", "max": "at most"}
NO_STEP: dict[str, Any] = {"after": {"amount": "", "unit": "business_days"}, "to": "leader"}
SHOWN = 50


@page("/settings/rules/{rule_id}", "Rule", scope="manage")
async def rule(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/rules", "A change is a new version; follow-ups that are open keep the one they were opened under")
    parts = _Rule(visit)
    Section(visit, "", parts.load, parts.draw_head, classes="plain", subject="rule")
    Section(visit, "Change it", parts.load, parts.draw_form, classes="wide")
    with box("section", "card wide", aria_label="Tried on the past"):
        Text("h2", "Tried on the past")
        with box(role="status") as parts.trial:
            Text("p", "“Try on the past” shows which follow-ups the rule would have opened in 90 days.", "muted")
    Section(visit, "Versions", parts.load_versions, parts.draw_versions, classes="wide")


@dataclass(frozen=True)
class _History:
    """The versions of a rule, the newest first, and who acts with which key, by the keys' ids."""

    versions: list[RuleView]
    people: dict[str, str]


class _Rule:
    """The rule and its form."""

    trial: ui.element
    _current: RuleView

    def __init__(self, visit: Visit) -> None:
        self._visit, self._names = visit, NameLookup()
        self._rule_id = visit.path["rule_id"]
        self._fields = Fields()

    async def load(self, api: Api) -> RuleView:
        return await api.ask(RULE, rule=self._rule_id)

    def draw_head(self, rule: RuleView) -> None:
        tab_title(rule.label)
        Text("h2", rule.label)
        with box("p", "lead"):
            severity_chip(rule.severity)
            Text("span", f" due in {time_of(rule.due)} · {state_of(rule)} · version {rule.version}")
        Text("p", conditions_of(rule))

    def draw_form(self, rule: RuleView) -> None:
        self._current, self._fields = rule, Fields()
        fields = self._fields
        with box("div", "form"):
            fields.text("label", "Name", value=rule.label)
            with box("div", "filters"):
                fields.choice("severity", "Severity", SEVERITIES, rule.severity)
                fields.text("due_amount", "Due in", kind="number", value=str(rule.due["amount"]))
                fields.choice("due_unit", "Unit", UNITS, rule.due["unit"])
                fields.choice("recipient", "Goes to", PEOPLE, rule.recipient)
            fields.several("informs", "Told as well", PEOPLE, rule.informs)
            self._draw_conditions(rule)
            self._draw_steps(rule)
            fields.text("reason", "Why, in a sentence; $score and other facts are filled in", value=rule.reason)
            fields.text("playbook", "Playbook", long=True, value=rule.playbook)
            with box("div", "buttons"):
                button("Try on the past", self._try)
                button(f"Save as version {rule.version + 1}", self._save, "main")

    def _draw_conditions(self, rule: RuleView) -> None:
        with box("fieldset"):
            Text("legend", "All of this must hold; an emptied line is left out")
            with box("div", "filters"):
                for field, tests in rule.conditions.items():
                    for operator in (name for name in OPERATORS if name in tests):
                        label = f"{wording.sentence(forms.fact(field))} {OPERATORS[operator]}"
                        name = forms.condition_name(field, operator)
                        self._fields.text(name, label, value=forms.condition_text(tests[operator]))
            with box("div", "filters"):
                self._fields.text("new_field", "One more: fact, such as tier")
                self._fields.choice("new_operator", "Test", OPERATORS)
                self._fields.text("new_value", "Value; several by commas")

    def _draw_steps(self, rule: RuleView) -> None:
        with box("fieldset"):
            Text("legend", "Who hears of it when nobody takes it on; an emptied line is left out")
            for number, step in enumerate([*rule.escalation, NO_STEP]):
                after, to = step["after"], step["to"]
                name = f"{forms.STEP}:{number}"
                with box("div", "filters"):
                    label = f"Step {number + 1}: so long after it was due"
                    self._fields.text(f"{name}:amount", label, kind="number", value=str(after["amount"]))
                    self._fields.choice(f"{name}:unit", "Unit", UNITS, after["unit"])
                    self._fields.choice(f"{name}:to", "To", PEOPLE, to)

    def _changes(self) -> dict[str, Any]:
        steps = len(self._current.escalation) + 1
        return forms.changes(self._current.model_dump(), self._fields.values, steps)

    async def _try(self) -> None:
        made: list[tuple[DryRunResult, NameBook]] = []

        async def work() -> None:
            api = await self._visit.api()
            body: dict[str, Any] = {}
            if changes := self._changes():
                body = {"changes": changes}
            result = await api.call(TRY_RULE, body, rule=self._rule_id)
            made.append((result, await self._names.of(api, map(pair_of, result.items[-SHOWN:]))))

        if await attempt(work(), "Tried; nothing was opened"):
            self.trial.clear()
            with self.trial:
                _draw_trial(*made[0])

    async def _save(self) -> None:
        changes = self._changes()
        if not changes:
            ui.notify("Nothing was changed", position="top")
            return
        await self._patch(changes, "changed_rule", "Saved")

    async def _patch(self, values: Values, action: str, done: str) -> None:
        async def work() -> None:
            body = values | {"version": self._current.version}
            await (await self._visit.api()).call(CHANGE_RULE, body, rule=self._rule_id)
            await self._visit.resources.desk.note(self._visit.user, action, self._current.label)

        await attempt(work(), done)
        await self._visit.refresh()

    async def load_versions(self, api: Api) -> _History:
        versions = (await api.ask(RULE_VERSIONS, rule=self._rule_id)).items
        return _History(versions, await actors_of(api, self._visit.resources.desk, self._visit.user))

    def draw_versions(self, history: _History) -> None:
        rows: list[list[Cell]] = []
        for newer, older in zip(history.versions, [*history.versions[1:], None], strict=True):
            last: Cell = "in force"
            if rows:
                last = partial(self._draw_return, newer)
            rows.append(
                [
                    str(newer.version),
                    partial(when, newer.created_at, "time"),
                    told.actor(newer.created_by, history.people),
                    _changes_in_words(newer, older),
                    partial(_draw_version, newer),
                    last,
                ]
            )
        table(("Version", "When", "By", "Changed", "What it said", ""), rows, "Versions of the rule")

    def _draw_return(self, old: RuleView) -> None:
        async def back() -> None:
            values = old.model_dump(include={*forms.EDITABLE, "enabled"})
            await self._patch(values, "restored_rule", f"As in version {old.version} again")

        text = f"The rule says again what version {old.version} said, as a new version."
        button("Restore", lambda: sure(f"Restore version {old.version}?", text, "Restore it", back))


def _changes_in_words(newer: RuleView, older: RuleView | None) -> str:
    if older is None:
        return "as it began"
    changed = forms.differences(newer.model_dump(), older.model_dump())
    return ", ".join(wording.plain(name).lower() for name in changed) or "nothing"


def _draw_version(rule: RuleView) -> None:
    with box("details"):
        Text("summary", "Show")
        steps = [f"{time_of(step['after'])}: {step['to']}" for step in rule.escalation]
        facts(
            {
                "Name": rule.label,
                "When": conditions_of(rule),
                "Severity": rule.severity,
                "Due in": time_of(rule.due),
                "To": ", ".join([rule.recipient, *rule.informs]),
                "After that": "; ".join(steps) or wording.NOTHING,
                "State": state_of(rule),
                "Playbook": rule.playbook,
            }
        )


def _draw_trial(trial: DryRunResult, names: NameBook) -> None:
    with box("p"):
        Text("span", f"It {trial.sentence} from ")
        when(trial.since)
        Text("span", " to ")
        when(trial.until)
        Text("span", f", of {wording.count(trial.considered, 'event')}; as it is in force: {trial.opens_now}.")
    more = f"{trial.would_repeat} more would have been repeats of an open one"
    Text("p", f"{more}, {trial.would_inhibit} taken in by a stronger one.", "muted")
    if not trial.items:
        empty("It would have opened nothing.")
        return
    rows: list[list[Cell]] = [
        [
            partial(when, follow_up.at, "time"),
            partial(account_link, follow_up.account_id, names.account(pair_of(follow_up))),
            names.person(pair_of(follow_up)) or wording.NOTHING,
            partial(severity_chip, follow_up.severity),
            partial(when, follow_up.due_at, "time"),
            "; ".join(follow_up.reasons),
            partial(_draw_then, follow_up),
        ]
        for follow_up in reversed(trial.items[-SHOWN:])
    ]
    heads = ("When", "Account", "About", "Severity", "Due", "Why", "What came of it then")
    table(heads, rows, "What would have been opened")
    if trial.would_open > len(rows):
        Text("p", f"The newest {len(rows)} are shown.", "muted")


def _draw_then(follow_up: WouldOpen) -> None:
    if follow_up.follow_up_id:
        link("a follow-up", within("/follow-ups", str(follow_up.follow_up_id)))
    else:
        Text("span", "nothing")
