"""Bring your answers: the form that sends a file, and the files that were brought."""

from functools import partial

from nicegui import ui

from services.dashboard.domain import bringing, wording
from services.dashboard.web.assets import asset
from services.dashboard.web.elements import Cell, Text, box, empty, link, table, when
from services.dashboard.web.form_fields import options_of
from services.dashboard.web.page import page
from services.dashboard.web.resources import resources
from services.dashboard.web.section import Section, Visit
from shared.api.imports import ImportRules, ImportView
from shared.api.questions import IMPORT_RULES, IMPORTS
from shared.http.client import Api

TITLE = "Bring your answers"
LEAD = "From the tool that you used until now, or from a sheet. You see what it becomes before anything is taken"
STATES = {"queued": "○ waits", "running": "◔ is being read", "done": "● done", "failed": "▼ stopped"}
TYPES = ".csv,.tsv,.txt,.gz,.xlsx,.xlsm"
SHOWN = 20
TOOLS = ("SurveyMonkey, Delighted, Typeform, Qualtrics, HubSpot, Google Forms and nine more are recognised by their"
         " columns; other files are mapped on the next page.")  # fmt: skip


@page("/bring", TITLE, scope="ingest")
async def bring(visit: Visit) -> None:
    """Draw the page."""
    ui.add_head_html(f'<script src="{asset("bring.js")}" defer></script>')
    Text("h1", TITLE)
    Text("p", LEAD, "lead")
    with box("div", "stack"):
        Section(visit, "A file", _load_rules, partial(_draw_form, visit))
        with box("p"):
            link("Post one by API instead", "/bring/api")
        Section(visit, "Brought so far", _load_imports, _draw_imports)


async def _load_rules(api: Api) -> ImportRules:
    return await api.ask(IMPORT_RULES)


async def _load_imports(api: Api) -> list[ImportView]:
    return await api.ask_all(IMPORTS, most=SHOWN)


def _draw_form(visit: Visit, rules: ImportRules) -> None:
    token = resources().forms.token(visit.visitor.token)
    most, workbook = rules.most_bytes, rules.most_workbook_bytes
    with box("form", "form", data_bring="", data_token=token, data_most=most, data_most_workbook=workbook):
        with box("label"):
            Text("span", "What its rows are")
            options_of(bringing.KINDS, visit.chosen("kind", bringing.KINDS, "responses"))
        with box("label"):
            Text("span", "The file")
            box("input", type="file", accept=TYPES)
        limits = f"CSV up to {bringing.size(most)}, packed or not; Excel (.xlsx) up to {bringing.size(workbook)}"
        Text("p", f"{limits}. {TOOLS}", "muted")
        box("progress", hidden="", aria_label="How much of the file is sent")
        Text("p", "", "muted", data_said="", role="status")
        with box("div", "buttons"):
            Text("button", "See what it would become", "main", type="submit")


def _draw_imports(imports: list[ImportView]) -> None:
    if not imports:
        empty("Nothing yet.", "Every file that is brought is listed here, with what became of its rows.")
        return
    rows: list[list[Cell]] = [
        [
            partial(link, job.file_name or "A file", f"/bring/imports/{job.import_id}"),
            bringing.KINDS[job.kind],
            partial(when, job.created_at.isoformat(), "time"),
            _state(job),
            wording.count(job.taken, "row"),
            wording.count(job.bad, "row"),
        ]
        for job in imports
    ]
    table(("File", "Rows are", "Brought", "State", "Taken", "Not taken"), rows, "Files brought so far")


def _state(job: ImportView) -> str:
    if job.undone_at is not None:
        return "↶ undone"
    return STATES[job.state]
