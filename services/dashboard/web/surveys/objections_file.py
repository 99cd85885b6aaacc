"""A file of objections: the list of a former tool, sent to outreach as it is."""

import base64
from typing import Any

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, table
from services.dashboard.web.form_fields import attempt, button, over_the_page, refuse
from services.dashboard.web.section import Visit
from shared.api.asks import SuppressionsAdded

MOST_BYTES = 500_000
CONTENT = f"""(event) => {{
  const file = event.target.files[0];
  if (!file) return;
  if (file.size > {MOST_BYTES}) {{ emit(''); return; }}
  const reader = new FileReader();
  reader.onload = () => emit(reader.result.split(',')[1] || '');
  reader.readAsDataURL(file);
}}"""
"""Emits the content of the chosen file in base64; nothing of one that is empty or too large."""
ABOUT = "A CSV or text file with an e-mail address in the first column of each line; what stands behind it is not read."
WRONG_SIZE = "The file is empty, or larger than 500 kB: bring a longer list in parts of at most 10,000 lines."
SHOWN = 50


def bring_file(visit: Visit) -> None:
    """Ask for a file in a dialog, and show what became of its lines."""
    with over_the_page("Bring a file of objections") as dialog, box("div", "dialog"):
        Text("h2", "Bring a file of objections")
        Text("p", ABOUT, "muted")
        result = box("div", "result", role="status")

        async def take(told: Any) -> None:
            made: list[SuppressionsAdded] = []

            async def work() -> None:
                if not told.args:
                    await refuse(WRONG_SIZE)
                made.append(await _send(visit, base64.b64decode(told.args)))

            if await attempt(work(), ""):
                _show(result, made[0])
                await visit.refresh()

        with box("label"):
            Text("span", "File: CSV or text")
            box("input", type="file", accept=".csv,.txt,text/csv,text/plain").on("change", take, js_handler=CONTENT)
        with box("div", "buttons"):
            button("Done", dialog.close, "main")
    dialog.open()


async def _send(visit: Visit, content: bytes) -> SuppressionsAdded:
    api = await visit.api()
    headers = {"content-type": "text/csv"}
    added = await api.post("outreach", "/v1/suppressions", content=content, headers=headers)
    found = SuppressionsAdded.model_validate(added)
    await visit.resources.desk.note(visit.user, "added_objections", wording.count(found.added, "address", "addresses"))
    return found


def _show(place: ui.element, found: SuppressionsAdded) -> None:
    place.clear()
    with place:
        added = wording.count(found.added, "address is", "addresses are")
        Text("p", f"{added} new on the list, {wording.grouped(found.known)} were there already.", "notice good")
        if not found.refused:
            return
        Text("p", f"{wording.count(len(found.refused), 'line was', 'lines were')} passed over:")
        rows: list[list[Cell]] = [[f"Line {refused.line}", refused.detail] for refused in found.refused[:SHOWN]]
        table(("Where", "Why"), rows, "Lines that were passed over")
