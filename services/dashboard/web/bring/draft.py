"""A file that was sent and is not taken yet: what it would become, what is asked, and the button that begins it."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import bringing, wording
from services.dashboard.web.bring.columns import ColumnChoices
from services.dashboard.web.bring.page import TITLE
from services.dashboard.web.elements import Cell, Text, box, empty, facts, table, when
from services.dashboard.web.form_fields import Fields, attempt, button, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.calls import DELETE_DRAFT, LOOK_AT_DRAFT, START_DRAFT
from shared.api.imports import DraftRow, DraftView, ImportView
from shared.errors import NotFound
from shared.http.client import Api

MODES = {
    "upsert": "They change, but for what was corrected here",
    "only_new": "They stay as they are",
    "overwrite": "They change, also what was corrected here",
}
GONE = "This file was begun, put away or is older than a day. See under Bring your answers what became of it."
OUTCOMES = {"taken": "● taken", "skipped": "○ passed over", "bad": "▼ not taken"}
PLAIN_FIELDS = ("account_id", "email", "stakeholder_id", "survey_type", "score", "answered_at", "comment")
"""What a row shows first."""


@page("/bring/files/{draft_id}", TITLE, scope="ingest")
async def draft(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "What the file would become")
    Text("p", "Nothing is taken yet: change how it is read until the rows are right", "lead")
    desk = DraftDesk(visit)
    with box("div", "stack"):
        Section(visit, "The file", desk.load, desk.draw_file)
        Section(visit, "What each column means", desk.load, desk.draw_columns)
        Section(visit, "The first rows, as they would be taken", desk.load, desk.draw_rows)
        Section(visit, "What happens", desk.load, desk.draw_end)


class DraftDesk:
    """The draft of one page: how the person would have it read, and what it then would become."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.draft_id = visit.path["draft_id"]
        self.wanted: dict[str, Any] = {"columns": {}}
        self.doing = Fields({"mode": "upsert", "own_date": True})
        self._looked: tuple[dict[str, Any], DraftView] | None = None

    async def load(self, api: Api) -> DraftView:
        """Look at the draft, again only where it is to be read in another way."""
        if self._looked is None or self._looked[0] != self.wanted:
            wanted = copy.deepcopy(self.wanted)
            self._looked = wanted, await api.call(LOOK_AT_DRAFT, wanted, draft_id=self.draft_id)
        return self._looked[1]

    async def change(self, name: str, value: str) -> None:
        """Read the file in another way; an empty value is left to the file."""
        if value:
            self.wanted[name] = value
        else:
            self.wanted.pop(name, None)
        if name == "sheet":
            self.wanted["columns"] = {}
        await self.visit.refresh()

    async def map(self, field: str, column: str) -> None:
        """Read a field from another column, from none, or from a text for all rows."""
        self.wanted["columns"] = {**self.wanted["columns"], field: column}
        await self.visit.refresh()

    def draw_file(self, view: DraftView) -> None:
        """What is known of the file, and what all its rows share."""
        tool = "no tool that is known: the columns are recognised by their names"
        if view.format is not None:
            tool = bringing.FORMAT_NAMES.get(view.format, view.format.capitalize())
        rows = "not counted yet"
        if view.rows is not None:
            rows = wording.count(view.rows, "row")
        named: dict[str, Cell] = {
            "Name": view.file_name or wording.NOTHING,
            "Its rows are": bringing.ROWS[view.kind],
            "Written by": tool,
            "Holds": rows,
            "Kept until": partial(when, view.expires_at.isoformat(), "time"),
        }
        facts(named)
        for remark in view.remarks:
            Text("p", f"{wording.sentence(remark.detail)}.", "notice warn")
        for question in view.asks:
            words = bringing.ASKED.get(question.code, question.detail)
            name = bringing.field_name(question.field)
            if question.field in ("file", "date_format", "columns"):
                name = "Asked"
            Text("p", f"{name}: {words}", "notice warn", role="status")
            if question.code == "several_sheets":
                Text("p", question.detail, "muted")

    def draw_columns(self, view: DraftView) -> None:
        """The choices of columns, of the sheet, of the order of dates and of the zone."""
        ColumnChoices(view, self.wanted, self.map, self.change, self.visit.query.get("zone", "")).draw()

    def draw_rows(self, view: DraftView) -> None:
        """The first rows with their meaning."""
        if not view.preview:
            empty("They are shown once it is said what is asked above.")
            return
        names: dict[str, None] = dict.fromkeys(PLAIN_FIELDS)
        for row in view.preview:
            names |= dict.fromkeys(row.values)
        shown = [name for name in names if any(name in row.values for row in view.preview)]
        heads = ["Where", "", *map(bringing.field_name, shown), "Why"]
        table(heads, [_row(row, shown) for row in view.preview], "The first rows", "preview")

    def draw_end(self, view: DraftView) -> None:
        """What begins when the person says so."""
        many = bringing.ROWS[view.kind]
        with box("ul"):
            Text("li", "Every row is taken or refused by itself; the report says which, why, and lets you mend them.")
            if view.kind == "responses":
                Text("li", "The same file again doubles nothing, and what a file has brought can be undone.")
            else:
                Text(
                    "li",
                    f"Empty cells change nothing. A file of {many} cannot be undone: bring the earlier file again.",
                )
        with box("div", "form"):
            if view.kind == "responses":
                self._draw_choices()
            with box("div", "buttons"):
                begin = button(f"Bring {many}", self._begin, "main")
                if view.asks:
                    begin.props["disabled"] = ""
                button("Put it away", self._put_away)
        if view.asks:
            Text("p", "It can begin when nothing is asked any more.", "muted")

    def _draw_choices(self) -> None:
        self.doing.choice("mode", "Answers that are known already", MODES, self.doing.values["mode"])
        alerts = bool(self.doing.values.get("alerts"))
        self.doing.tick("alerts", "Answers of the last 30 days may open follow-ups", value=alerts)
        if self.visit.query.get("written"):
            own = "The file is as old as its own date says: an older one than the last of its survey only adds answers"
            self.doing.tick("own_date", own, value=bool(self.doing.values.get("own_date")))

    async def _begin(self) -> None:
        begun: list[ImportView] = []

        async def work() -> None:
            api = await self.visit.api()
            try:
                begun.append(await api.call(START_DRAFT, self._all(), draft_id=self.draft_id))
            except NotFound:
                raise NotFound("no_draft", GONE) from None

        if await attempt(work(), ""):
            ui.navigate.to(f"/bring/imports/{begun[0].import_id}")

    def _all(self) -> Mapping[str, Any]:
        chosen = self.doing.values
        body = {**self.wanted, "mode": chosen["mode"], "alerts": bool(chosen.get("alerts"))}
        if chosen.get("own_date") and self.visit.query.get("written"):
            body["written_at"] = self.visit.query["written"]
        return body

    async def _put_away(self) -> None:
        async def go() -> None:
            async def work() -> None:
                await (await self.visit.api()).call(DELETE_DRAFT, draft_id=self.draft_id)

            if await attempt(work(), ""):
                ui.navigate.to("/bring")

        sure("Put the file away?", "It is deleted here; nothing of it was taken.", "Put it away", go)


def _row(row: DraftRow, names: list[str]) -> list[Cell]:
    cells: list[Cell] = [f"Line {row.line}", OUTCOMES[row.outcome]]
    for name in names:
        value = row.values.get(name, "")
        if name == "answered_at" and value:
            cells.append(partial(when, value, "time"))
        else:
            cells.append(value)
    told = row.reason or ""
    if row.field is not None:
        told = f"{bringing.field_name(row.field)}: {told}"
    return [*cells, told]
