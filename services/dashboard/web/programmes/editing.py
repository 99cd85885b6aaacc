"""A programme as a form. It is saved as a whole, since a change lets a running programme rest until somebody has seen
what it would do now; what was typed is never lost to somebody else's change."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from services.dashboard.domain import programmes as told
from services.dashboard.domain import wording
from services.dashboard.domain.programmes import Json
from services.dashboard.web.accounts_json import TIERS
from services.dashboard.web.elements import Text, box, link, tab_title
from services.dashboard.web.form_fields import VALUE, Fields, button, options_of
from services.dashboard.web.page import page
from services.dashboard.web.programmes.listing import PATH, programme_address
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.sentences import why_not_done
from services.dashboard.web.surveys.linking import names_of
from shared.api.calls import CHANGE_PROGRAMME
from shared.api.programmes import Programme
from shared.api.questions import PROGRAMME, SURVEYS
from shared.errors import Conflict, Invalid, TellbackError
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES

ALL = {"": "All"}
DEFAULTS: Json = {"users_days": 91, "decision_makers_days": 182, "days_before": 90, "after_days": 0}
CHOICES: Mapping[str, Mapping[str, str]] = {"type": wording.TYPE_NAMES, "tier": TIERS, "industry": INDUSTRIES}
RUNNING = (
    "This programme asks now. Saving a change lets it rest: what is planned and not sent is planned anew once you have"
    " seen what it would do and have started it again. Who was asked keeps the version they were asked with."
)
WHEN = "All people of an account are asked in the same week, so that its score is of one moment."
HOURS = "By the clock of the recipient: their own time zone, their account’s, that of its region, else yours."
REMINDERS = "Days after the invitation; an emptied line is left out. Nobody is reminded who has finished."
SENDERS = (
    "Addresses must be of your sending domain. Who is named here also writes where an account has no owner or sponsor."
)
STALE = "Somebody else has changed this programme meanwhile. What you typed is still here: save again to keep it."


@page(f"{PATH}/{{programme_id}}/edit", "Change a programme", scope="manage")
async def editing(visit: Visit) -> None:
    """Draw the page."""
    form = _Form(visit, visit.path["programme_id"])
    Section(visit, "", form.load, form.draw, classes="plain", subject="programme")


class _Form:
    """The form of one programme. It is drawn once: what comes later would overwrite what was typed."""

    _when: ui.element
    _notice: ui.element
    _programme: Programme
    _surveys: Mapping[str, str]

    def __init__(self, visit: Visit, programme_id: str) -> None:
        self._visit, self._programme_id = visit, programme_id
        self._fields = Fields()
        self._before: Json = {}
        self._loaded = False

    async def load(self, api: Api) -> str:
        """Load the programme, the first time."""
        if not self._loaded:
            self._programme = await api.ask(PROGRAMME, programme_id=self._programme_id)
            self._surveys = names_of(await api.ask_all(SURVEYS))
            self._loaded = True
        return self._programme_id

    def draw(self, _programme_id: str) -> None:
        """Draw all fields."""
        programme = self._programme
        values = told.values_of(programme.model_dump(mode="json"))
        self._before, self._fields = values, Fields(dict(values))
        tab_title(programme.name)
        link("Back to the programme", programme_address(self._programme_id))
        Text("h1", f"Change {programme.name}")
        if programme.state == "running":
            Text("p", RUNNING, "notice warn")
        with box("section", "card form"):
            self._draw_survey()
            self._draw_when()
            self._draw_whom()
            self._draw_hours()
            self._draw_reminders()
            self._draw_sender()
            self._draw_limits()
            self._notice = box("div", "notice bad", role="alert")
            self._notice.set_visibility(False)
            with box("div", "buttons"):
                button("Save", self._save, "main")
                link("Leave it as it was", programme_address(self._programme_id), "button")

    def _text(self, name: str, label: str, *, kind: str = "text", long: bool = False) -> None:
        value = self._before.get(name)
        if value is None:
            value = ""
        self._fields.text(name, label, kind=kind, long=long, value=str(value))

    def _choice(self, name: str, label: str, options: Mapping[str, str]) -> None:
        value = str(self._before.get(name) or "")
        if value not in options:
            options = dict(options) | {value: value}
        self._fields.choice(name, label, options, value)

    def _tick(self, name: str, label: str) -> None:
        self._fields.tick(name, label, value=bool(self._before.get(name)))

    def _draw_survey(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "What is asked")
            with box("div", "pairs"):
                self._text("name", "Name, for you only")
                self._choice("survey_id", "Survey; its published version is asked", self._surveys)
                self._choice("objective", "What it is for", told.OBJECTIVES)

    def _draw_when(self) -> None:
        kind = self._before["when"]
        with box("fieldset", "area"):
            Text("legend", "When")
            Text("p", WHEN, "muted")
            with box("label"):
                Text("span", "It asks")
                options_of(told.WHENS, kind).on("change", self._other_when, js_handler=VALUE)
            self._when = box("div", "pairs")
            self._draw_when_of(kind)

    def _other_when(self, chosen: Any) -> None:
        self._fields.values["when"] = chosen.args
        self._draw_when_of(str(chosen.args))

    def _draw_when_of(self, kind: str) -> None:
        """The fields of one kind; what was typed for another comes back when that is chosen again."""
        self._before = DEFAULTS | self._before | self._fields.values
        self._when.clear()
        with self._when:
            if kind == "cadence":
                self._text("users_days", told.LABELS["users_days"], kind="number")
                self._text("decision_makers_days", told.LABELS["decision_makers_days"], kind="number")
            elif kind == "once":
                self._text("on", told.LABELS["on"], kind="date")
            elif kind == "renewal":
                self._text("days_before", told.LABELS["days_before"], kind="number")
            else:
                self._draw_event()

    def _draw_event(self) -> None:
        self._choice("kind", told.LABELS["kind"], told.EVENTS)
        self._text("after_days", told.LABELS["after_days"], kind="number")
        self._choice("whom", told.LABELS["whom"], told.WHOM)
        self._text("repeat_days", told.LABELS["repeat_days"], kind="number")
        self._choice("until", told.LABELS["until"], {"": "–"} | dict(told.EVENTS))
        self._tick("only_first", "The first time at an account only")

    def _draw_whom(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "Whom: people for whom all of this holds; empty is everybody")
            with box("div", "pairs"):
                for name, label in told.WHO_LABELS.items():
                    if name in CHOICES:
                        self._choice(f"who_{name}", label, ALL | dict(CHOICES[name]))
                    else:
                        self._text(f"who_{name}", label)
                self._text("who_not_before_days", told.LABELS["not_before_days"], kind="number")
            self._tick("only_with_permission", "Only people who have said that they may be asked by mail")

    def _draw_hours(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "In which hours")
            Text("p", HOURS, "muted")
            for name in ("days", "first_days"):
                self._fields.several(name, told.LABELS[name], told.DAY_NAMES, self._before[name])
            with box("div", "pairs"):
                self._choice("opens", told.LABELS["opens"], told.CLOCK)
                self._choice("closes", told.LABELS["closes"], told.CLOCK)

    def _draw_reminders(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "The link and reminders")
            Text("p", REMINDERS, "muted")
            with box("div", "pairs"):
                self._text("open_days", told.LABELS["open_days"], kind="number")
                self._text("reminder_0", "First reminder after so many days", kind="number")
                self._text("reminder_1", "Second reminder after so many days", kind="number")

    def _draw_sender(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "Who writes")
            Text("p", SENDERS, "muted")
            with box("div", "pairs"):
                self._choice("sender_kind", "Mails come from", told.SENDERS)
                self._text("sender_name", "Sender’s name")
                self._text("sender_email", told.LABELS["email"], kind="email")
                self._text("sender_reply_to", told.LABELS["reply_to"], kind="email")

    def _draw_limits(self) -> None:
        with box("fieldset", "area"):
            Text("legend", "Limits and texts")
            with box("div", "pairs"):
                self._text("cap_programme", told.LABELS["programme"], kind="number")
                self._text("cap_account", told.LABELS["account"], kind="number")
            self._text("incentive", told.LABELS["incentive"], long=True)
            self._text("legal_basis", told.LABELS["legal_basis"], long=True)

    async def _save(self) -> None:
        body = told.document_of(self._fields.values) | {"revision": self._programme.revision}
        try:
            api = await self._visit.api()
            saved = await api.call(CHANGE_PROGRAMME, body, programme_id=self._programme_id)
            await self._visit.resources.desk.note(self._visit.user, "changed_programme", saved.name)
        except Conflict as conflict:
            await self._refused(conflict)
        except Invalid as error:
            self._say(_faults(error))
        except TellbackError as error:
            self._say([why_not_done(error)])
        else:
            ui.navigate.to(programme_address(self._programme_id))

    async def _refused(self, conflict: Conflict) -> None:
        """Say why; where somebody else was faster, the next save goes on from what they saved."""
        if conflict.code != "stale_version":
            self._say([why_not_done(conflict)])
            return
        try:
            theirs = await (await self._visit.api()).ask(PROGRAMME, programme_id=self._programme_id)
        except TellbackError as error:
            self._say([why_not_done(error)])
            return
        self._programme = theirs
        self._say([STALE])

    def _say(self, sentences: list[str]) -> None:
        self._notice.clear()
        with self._notice:
            for sentence in sentences:
                Text("p", sentence)
        self._notice.set_visibility(True)


def _faults(error: Invalid) -> list[str]:
    """What is wrong, by the labels of the form."""
    sentences = []
    for fault in error.errors or ():
        sentences.append(f"{told.label_of(str(fault.get('field') or ''))}: {fault.get('detail')}.")
    return sentences or [why_not_done(error)]
