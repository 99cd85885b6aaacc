"""A file that was brought: how far it is, what became of its rows, the rows to mend, and its undoing."""

from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import bringing, wording
from services.dashboard.web.bring.page import TITLE
from services.dashboard.web.elements import Cell, Text, box, empty, facts, figure, link, table, when
from services.dashboard.web.form_fields import attempt, button, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.calls import UNDO_IMPORT
from shared.api.imports import ImportedRows, ImportView
from shared.api.questions import IMPORT, IMPORTED_ROWS
from shared.http.client import Api, Away

KEPT_DAYS = 7
MEND = "Mend them in the file below and bring that one: rows that were taken before do not come twice."
WAITS = "The file waits for its turn: of the files of answers one is read at a time."
ENDED = ("done", "failed")


@dataclass(frozen=True)
class Brought:
    """Both halves of a report: the collector's, and the scorer's, which is None where it does not answer or where the
    rows are no answers."""

    job: ImportView
    rows: ImportedRows | None

    @property
    def under_way(self) -> bool:
        """Whether it changes by itself in a moment."""
        if self.job.state not in ENDED:
            return True
        if self.job.kind != "responses":
            return False
        return self.rows is None or self.rows.read < self.job.taken

    @property
    def counted(self) -> float:
        """From 0 to 1: how much of the file counts in the figures; never more than what is read of it."""
        if self.rows is None or not self.job.taken:
            return float(self.job.state in ENDED and not self.job.taken)
        share = min(1.0, self.rows.read / self.job.taken)
        if self.job.state in ENDED:
            return share
        return share * self.job.progress


@page("/bring/imports/{import_id}", TITLE, scope="ingest")
async def brought(visit: Visit) -> None:
    """Draw the page."""
    import_id = visit.path["import_id"]

    async def load(api: Api) -> Brought:
        job = await api.ask(IMPORT, import_id=import_id)
        if job.kind != "responses":
            return Brought(job, None)
        try:
            return Brought(job, await api.ask(IMPORTED_ROWS, import_id=import_id))
        except Away:
            return Brought(job, None)

    with box("div", "head"):
        with box():
            Text("h1", "What became of the file")
        link("Bring another file", "/bring", "button")
    with box("div", "stack"):
        Section(visit, "How far it is", load, _draw_progress, under_way=lambda found: found.under_way)
        Section(visit, "What became of its rows", load, _draw_rows)
        Section(visit, "Rows that were not taken", load, partial(_draw_problems, import_id))
        Section(visit, "How it was read", load, _draw_reading)
        Section(visit, "Undo", load, partial(_draw_undo, visit, import_id))


def _draw_progress(found: Brought) -> None:
    job = found.job
    _bar("Read", job.progress)
    if job.kind == "responses":
        _bar("Counted", found.counted)
    Text("p", _sentence(found), role="status")
    if job.error is not None:
        Text("p", f"It stopped early: {job.error.detail or job.error.code}.", "notice bad")
    if job.same_as is not None:
        with box("p", "notice warn"):
            Text("span", "The very same file was brought before, so nothing doubles: ")
            link("that time", f"/bring/imports/{job.same_as}")


def _bar(name: str, share: float) -> None:
    with box("label", "how-far"):
        Text("span", f"{name}: {wording.share(share)}")
        box("progress", max=1, value=round(share, 3))


def _sentence(found: Brought) -> str:
    job = found.job
    if job.undone_at is not None:
        return "It was undone: what it had brought counts no longer."
    if job.state == "queued":
        return WAITS
    if job.state == "running":
        return f"{wording.count(job.rows_read, 'row')} read so far."
    if job.kind != "responses":
        return "It has ended."
    if found.rows is None:
        return "All rows are read. Whether they count already cannot be asked right now."
    if found.under_way:
        return f"All rows are read; {wording.count(job.taken - found.rows.read, 'row')} on their way into the figures."
    return "All rows are read, and those that were taken count in the figures."


def _draw_rows(found: Brought) -> None:
    job = found.job
    with box("div", "figures"):
        figure("Read", wording.grouped(job.rows_read))
        figure("Taken", wording.grouped(job.taken))
        figure("Passed over", wording.grouped(job.skipped))
        figure("Not taken", wording.grouped(job.bad))
    if found.rows is None:
        return
    rows: list[list[Cell]] = []
    for name, words in bringing.OUTCOMES.items():
        number = getattr(found.rows, name)
        if number:
            rows.append([words, wording.grouped(number)])
    if rows:
        Text("h3", "Of those that were taken")
        table(("What became of them", "Rows"), rows, "What became of the rows that were taken")
    for line in found.rows.lines:
        fields = ", ".join(map(bringing.field_name, line.fields))
        words = bringing.OUTCOMES.get(line.outcome, line.outcome)
        Text("p", f"Line {line.line}: {words} {fields}".rstrip(), "muted")


def _draw_problems(import_id: str, found: Brought) -> None:
    job = found.job
    if not job.problems:
        empty("None.", "Rows that break a rule are listed here with their line and the reason.")
        return
    words = {"bad": "▼ not taken", "skipped": "○ passed over", "noted": "● taken"}
    rows: list[list[Cell]] = []
    for problem in job.problems:
        named = ""
        if problem.field is not None:
            named = bringing.field_name(problem.field)
        rows.append([f"Line {problem.line}", words[problem.outcome], named, problem.reason])
    table(("Where", "", "Field", "Why"), rows, "Rows that were not taken")
    if job.to_mend:
        rows_to_mend = wording.count(job.to_mend, "row")
        Text("p", f"{MEND} It holds {rows_to_mend}, for {KEPT_DAYS} days, with the reason beside each.", "muted")
    with box("div", "buttons"):
        if job.to_mend:
            link("Download the rows to mend", f"/bring/imports/{import_id}/bad-rows.csv", "button main")
        link("Download the whole list", f"/bring/imports/{import_id}/report.csv", "button")


def _draw_reading(found: Brought) -> None:
    job = found.job
    named: dict[str, Cell] = {
        "File": job.file_name or wording.NOTHING,
        "Brought": partial(when, job.created_at.isoformat(), "time"),
        "Its rows are": bringing.ROWS[job.kind],
        "Time zone": job.time_zone,
    }
    for field, column in sorted(job.columns.items()):
        words = column
        if column.startswith("="):
            words = f"for all rows: {column[1:]}"
        named[bringing.field_name(field)] = words
    if job.ignored_columns:
        named["Not taken"] = ", ".join(job.ignored_columns)
    facts(named)
    for remark in job.remarks:
        Text("p", f"{wording.sentence(remark.detail)}.", "muted")
    if job.older_than is not None:
        Text(
            "p",
            "It is older than the newest file of its survey: answers that are known stay as they are.",
            "muted",
        )


def _draw_undo(visit: Visit, import_id: str, found: Brought) -> None:
    job = found.job
    if job.kind != "responses":
        empty("Files of accounts and people cannot be undone: bring the earlier file again.")
        return
    if job.undone_at is not None:
        with box("p"):
            Text("span", "Undone ")
            when(job.undone_at.isoformat(), "time")
        return
    if job.state not in ENDED:
        empty("It can be undone when it has ended.")
        return
    if not job.taken:
        empty("It brought nothing, so there is nothing to undo.")
        return

    file_name = job.file_name

    async def undo() -> None:
        async def work() -> None:
            await (await visit.api()).call(UNDO_IMPORT, import_id=import_id)
            await visit.resources.desk.note(visit.user, "undid_import", file_name or import_id)

        await attempt(work(), "Undone: the figures follow within seconds")
        await visit.refresh()

    Text("p", _undoing(found))
    with box("div", "buttons"):
        button("Undo this file", lambda: sure("Undo this file?", _undoing(found), "Undo it", undo))


def _undoing(found: Brought) -> str:
    text = "Answers that it brought first count no longer, and what it changed of others is as before"
    if found.rows is None:
        return f"{text}."
    new, amended = wording.count(found.rows.new, "answer"), wording.count(found.rows.amended, "change")
    return f"{text}: {new}, {amended}."
