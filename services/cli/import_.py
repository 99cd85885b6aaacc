"""`tellback import FILE`: sends a file to the collector, shows the progress, and reports the rows that were not
taken."""

import asyncio
import json as json_format
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from shared.errors import Forbidden, TellbackError, Unavailable

if TYPE_CHECKING:
    from rich.progress import Progress

    from shared.http.client import Api, ServiceName

Json = dict[str, Any]
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
"""How long the collector may be away during an import."""
SETTLE_SECONDS = 10.0
"""How long the scorer may take to read the last rows until the command ends without their counts."""
ROW_OUTCOMES = ("new", "amended", "same", "kept", "conflict", "gone", "dropped")
SHOWN_ROWS = 50
REQUEST_SECONDS = 180.0
"""A file is read to its end before the answer comes."""
KINDS = ("responses", "accounts", "stakeholders")


ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="FIELD=COLUMN",
        help="Where a field is when its column is not recognised, such as `account_id=Airline`; `FIELD==TEXT` is a"
        " constant, `FIELD=` leaves it out. May be given often, or separated by commas.",
    ),
]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="The tool that wrote the file, where its columns do not tell.")
]
SheetOption = Annotated[str | None, typer.Option("--sheet", help="The sheet of a workbook that has several.")]
DateFormatOption = Annotated[
    str | None, typer.Option("--date-format", help="Order of dates that could be read in two ways: DD/MM/YYYY.")
]
TimeZoneOption = Annotated[
    str | None,
    typer.Option("--time-zone", help="Of times without an offset: Europe/Berlin. Default: TELLBACK_TIME_ZONE."),
]


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or .xlsx.")],
    *,
    kind: Annotated[str, typer.Option(help=f"What the rows are: {', '.join(KINDS)}.")] = KINDS[0],
    columns: ColumnsOption = None,
    format_name: FormatOption = None,
    sheet: SheetOption = None,
    date_format: DateFormatOption = None,
    time_zone: TimeZoneOption = None,
    answered_at: Annotated[str | None, typer.Option(help="For rows without a date: 2026-03-31T00:00:00Z.")] = None,
    alerts: Annotated[bool, typer.Option("--alerts", help="Let fresh answers open tasks; default quiet.")] = False,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Change no answer that is known; default: rows change what they name.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Change also what calls have amended since; default: these stand.")
    ] = False,
    written_at: Annotated[
        str | None, typer.Option(help="When the file was written, if not now; an older file changes nothing.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write all rows that were not taken to this CSV file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when a row is bad.")] = False,
    url: Annotated[str | None, typer.Option(help="The collector; default TELLBACK_COLLECTOR_URL, else `up`'s.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Import answers, accounts or people from a file. The same file twice doubles nothing.

    The key is TELLBACK_API_KEY, else the first key of `up`.
    """
    mapping = mapping_of(columns or [], _kind(kind))
    form = {
        "kind": kind,
        "format": format_name,
        "sheet": sheet,
        "date_format": date_format,
        "time_zone": time_zone,
        "answered_at": answered_at,
        "alerts": str(alerts).lower(),
        "mode": _mode(only_new=only_new, overwrite=overwrite),
        "written_at": written_at,
    }
    if mapping:
        form["columns"] = json_format.dumps(mapping)
    job = asyncio.run(
        _imported(file, {name: value for name, value in form.items() if value is not None}, report, url, data)
    )
    if json:
        as_json(job)
    else:
        _show(job, report)
    if job["state"] == "failed" or (strict and job["bad"]):
        raise typer.Exit(Exit.FAILED)


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise typer.BadParameter(f"must be one of: {', '.join(KINDS)}", param_hint="--kind")
    return kind


def _mode(*, only_new: bool, overwrite: bool) -> str:
    if only_new and overwrite:
        raise typer.BadParameter("is the opposite of --only-new", param_hint="--overwrite")
    if overwrite:
        return "overwrite"
    if only_new:
        return "only_new"
    return "upsert"


def mapping_of(pairs: Sequence[str], kind: str) -> dict[str, str]:
    """Field -> column, as the collector takes them."""
    from services.collector.domain.columns import SYNONYMS
    from services.collector.domain.mapping import MappingError, written_mapping

    mapping: dict[str, str] = {}
    try:
        for text in pairs:
            if text.lstrip().startswith("{"):
                mapping |= json_format.loads(text)
            else:
                mapping |= written_mapping(text, SYNONYMS[kind])
    except (MappingError, ValueError, TypeError):
        raise typer.BadParameter("write field=column", param_hint="--columns") from None
    return mapping


async def _imported(
    file: Path, form: Mapping[str, str], report: Path | None, url: str | None, data: Path | None
) -> Json:
    """The finished job; its report is written to a file if one was named."""
    urls = addresses(url, data)
    async with asking(urls, data, REQUEST_SECONDS) as api:
        job = await _ended(api, file, form)
        if job["kind"] == KINDS[0] and "scorer" in urls:
            job["rows"] = await rows_of(api, job)
        if report is not None:
            with report.open("wb") as written:
                async for chunk in api.chunks("collector", job["report"]):
                    written.write(chunk)
    return job


def addresses(url: str | None, data: Path | None) -> "dict[ServiceName, str]":
    """The addresses of the collector and, where its own is known as well, of the scorer."""
    if url is not None:
        return {"collector": url.rstrip("/")}
    urls: dict[ServiceName, str] = {"collector": service_url("collector", data)}
    with suppress(Unavailable):
        urls["scorer"] = service_url("scorer", data)
    return urls


async def rows_of(api: "Api", job: Json) -> Json | None:
    """What the scorer says of the rows, once it has read all of them or after some seconds; None where it says nothing:
    it is away, or the key may not read."""
    deadline = time.monotonic() + SETTLE_SECONDS
    try:
        while True:
            rows: Json = await api.get("scorer", f"/v1/imports/{job['id']}")
            if rows["read"] >= job["taken"] or time.monotonic() > deadline:
                return rows
            await asyncio.sleep(POLL_SECONDS)
    except (Unavailable, Forbidden):
        return None


async def _ended(api: "Api", file: Path, form: Mapping[str, str]) -> Json:
    """Send the file and wait for the end of the job."""
    with _progress() as progress:
        with progress.open(file, "rb", description="sending") as content:
            job = await _sent(api, file, {"data": dict(form), "files": {"file": (file.name, content)}})
        task = progress.add_task("taking rows", total=1.0)
        while job["state"] in ("queued", "running"):
            await asyncio.sleep(POLL_SECONDS)
            job = await _job(api, job["id"])
            progress.update(task, completed=job["progress"], description=f"taking rows: {job['rows_read']:,}")
    return job


async def _sent(api: "Api", file: Path, form: Json) -> Json:
    """The job made of the file. Where the file is refused for its columns, print the columns that it has."""
    try:
        return await api.post("collector", "/v1/imports", **form)
    except TellbackError as refused:
        if any("column" in fault["code"] for fault in refused.errors or []):
            say(f"The columns of {file.name}: {', '.join(_header(file, form['data'].get('sheet')))}")
            say("Name them with --columns, such as --columns account_id=NAME,score=NAME")
        raise


async def _job(api: "Api", job_id: str) -> Json:
    """The present state of the job. A collector that restarts resumes the job, so it is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await api.get("collector", f"/v1/imports/{job_id}")
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(5 * POLL_SECONDS)


def _progress() -> "Progress":
    """Progress bars on standard error; none where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _header(file: Path, sheet: str | None) -> Sequence[str]:
    from shared.files.opening import opened
    from shared.files.table import Table

    with file.open("rb") as content, opened(content, sheet) as found:
        table = Table(found.file)
        table.release()
        return table.header


def _show(job: Mapping[str, Any], report: Path | None) -> None:
    """Print the final report for people."""
    _show_problems(job, report)
    if job["format"]:
        say(f"format   {job['format']}")
    for remark in job["remarks"]:
        say(f"note     {remark['detail']}")
    say("columns  " + ", ".join(f"{field} ← {column}" for field, column in sorted(job["columns"].items())))
    if job["ignored_columns"]:
        say("ignored  " + ", ".join(job["ignored_columns"]))
    if job["kind"] == "responses":
        _show_answers(job)
    if job["error"]:
        say(f"stopped  {job['error']['detail']} ({job['error']['code']})")
    taken, rows = "taken", "rows"
    if job["same_as"]:
        taken = "already there"
        say(f"again    the same file as import {job['same_as']}: nothing doubles")
    if job["rows_read"] == 1:
        rows = "row"
    say(f"{job['rows_read']:,} {rows}: {job['taken']:,} {taken}, {job['skipped']:,} skipped, {job['bad']:,} bad")


def _show_answers(job: Mapping[str, Any]) -> None:
    """Print what files of answers alone have."""
    alerts = "none: quiet unless --alerts"
    if job["alerts"]:
        alerts = "fresh answers may open tasks"
    say(f"alerts   {alerts}")
    if job["older_than"]:
        say(f"order    written before a file of {job['older_than']}: answers that are known stay as they are")
    if job.get("rows"):
        show_rows(job["rows"], job["taken"])


def _show_problems(job: Mapping[str, Any], report: Path | None) -> None:
    """Print the first rows that were not taken, and where all of them are."""
    problems = job["problems"]
    shown = problems[:SHOWN_ROWS]
    if shown:
        table(("line", "", "field", "reason"), map(_problem_row, shown))
    told = sum(problem["outcome"] == "noted" for problem in problems)
    left = job["bad"] + job["skipped"] + told - len(shown)
    if left > 0:
        where = "--report FILE.csv writes all of them"
        if report:
            where = f"they are in {report}"
        say(f"… and {left:,} more: {where}")


def _problem_row(problem: Mapping[str, Any]) -> tuple[str, ...]:
    return str(problem["line"]), problem["outcome"], problem["field"], problem["reason"]


def show_rows(rows: Mapping[str, Any], taken: int) -> None:
    """Print what became of the rows that were taken."""
    counts = []
    for name in ROW_OUTCOMES:
        if rows[name]:
            counts.append(f"{rows[name]:,} {name}")
    settled = "settled"
    if rows["read"] < taken:
        settled = f"{taken - rows['read']:,} on their way"
    say(f"rows     {', '.join([*counts, settled])}")
    for row in rows["lines"][:SHOWN_ROWS]:
        reason = " ".join(filter(None, (row["code"], ", ".join(row["fields"]))))
        say(f"         line {row['line']}: {row['outcome']} {reason}".rstrip())
