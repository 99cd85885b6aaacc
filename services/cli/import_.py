"""`tellback import FILE`: sends a file to the collector, shows how it gets on, and reports what was not taken."""

import json as json_format
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import api_key, service_url
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from shared.errors import Invalid, TellbackError, Unavailable

if TYPE_CHECKING:
    import httpx
    from rich.progress import Progress

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
"""How long the collector may be away while it takes the rows."""
SHOWN_ROWS = 50
REQUEST_SECONDS = 60.0
KINDS = ("responses", "accounts", "stakeholders")


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, also with ; or tab.")],
    *,
    kind: Annotated[str, typer.Option(help=f"What the rows are: {', '.join(KINDS)}.")] = KINDS[0],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Where a field is when its column is not recognised, such as `account_id=Airline`; `FIELD==TEXT` is a"
            " constant, `FIELD=` leaves it out. May be given often, or separated by commas.",
        ),
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help="The tool that wrote the file: delighted, formbricks or posthog.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(help="Order of dates that are not ISO: DD/MM/YYYY.")] = None,
    answered_at: Annotated[str | None, typer.Option(help="For rows without a date: 2026-03-31T00:00:00Z.")] = None,
    alerts: Annotated[bool, typer.Option("--alerts", help="Let fresh answers open tasks; default quiet.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write all rows that were not taken to this CSV file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when a row is bad.")] = False,
    url: Annotated[str | None, typer.Option(help="The collector; default TELLBACK_COLLECTOR_URL, else `up`'s.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Import answers, accounts or people from a file. The same file twice doubles nothing.

    The key is TELLBACK_API_KEY, else the first key of `up`.
    """
    import httpx

    form = {
        "kind": _kind(kind),
        "columns": _mapping(columns or []),
        "format": format_name,
        "date_format": date_format,
        "answered_at": answered_at,
        "alerts": str(alerts).lower(),
    }
    headers = {"Authorization": f"Bearer {api_key(data)}"}
    base_url = (url or service_url("collector", data)).rstrip("/")
    try:
        with httpx.Client(base_url=base_url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False) as client:
            job = _import(client, file, {name: value for name, value in form.items() if value is not None})
            if report is not None:
                _write_report(client, job, report)
    except httpx.HTTPError as error:
        raise Unavailable("no_answer", f"the collector does not answer at {base_url}") from error
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


def _mapping(pairs: Sequence[str]) -> str | None:
    """The columns as the collector takes them: JSON. A comma separates pairs only where a new `field=` begins."""
    if len(pairs) == 1 and pairs[0].lstrip().startswith("{"):
        return pairs[0]
    mapping: dict[str, str] = {}
    field = None
    for part in (part for pair in pairs for part in pair.split(",")):
        name, equals, column = part.partition("=")
        if equals and name.strip():
            field = name.strip()
            mapping[field] = column.strip()
        elif field is None:
            raise typer.BadParameter("write field=column", param_hint="--columns")
        else:
            mapping[field] += f",{part}"
    return json_format.dumps(mapping) if mapping else None


def _import(client: "httpx.Client", file: Path, form: Mapping[str, str]) -> dict[str, Any]:
    """Send the file and wait for the end of the job."""
    with _progress() as progress:
        with progress.open(file, "rb", description="sending") as content:
            answer = client.post("/v1/imports", data=dict(form), files={"file": (file.name, content)})
        job = _read(answer, file)
        task = progress.add_task("taking rows", total=1.0)
        while job["state"] in ("queued", "running"):
            time.sleep(POLL_SECONDS)
            job = _asked(client, f"/v1/imports/{job['id']}", file)
            progress.update(task, completed=job["progress"], description=f"taking rows: {job['rows_read']:,}")
    return job


def _asked(client: "httpx.Client", address: str, file: Path) -> dict[str, Any]:
    """The job as it stands. A collector that restarts goes on with it, so give it time to."""
    import httpx

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _read(client.get(address), file)
        except (httpx.TransportError, Unavailable):
            if time.monotonic() > deadline:
                raise
            time.sleep(5 * POLL_SECONDS)


def _progress() -> "Progress":
    """Bars on standard error, and none where nobody looks."""
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


def _read(answer: "httpx.Response", file: Path) -> dict[str, Any]:
    """The job in an answer. Raises what the problem in it says."""
    if answer.is_success:
        job: dict[str, Any] = answer.json()
        return job
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    errors = problem.get("errors") or []
    if any("column" in error["code"] for error in errors):
        say(f"The columns of {file.name}: {', '.join(_header(file))}")
        say("Name them with --columns, such as --columns account_id=NAME,score=NAME")
    error_class = {422: Invalid, 503: Unavailable}.get(answer.status_code, TellbackError)
    raise error_class(
        problem.get("code", "refused"), problem.get("detail", f"HTTP {answer.status_code}"), errors=errors
    )


def _header(file: Path) -> Sequence[str]:
    from services.collector.domain.delimited import Table

    with file.open("rb") as content:
        table = Table(content)
        table.release()
        return table.header


def _write_report(client: "httpx.Client", job: Mapping[str, Any], path: Path) -> None:
    with client.stream("GET", job["report"]) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            file.write(piece)


def _show(job: Mapping[str, Any], report: Path | None) -> None:
    """The end report for people."""
    problems = job["problems"]
    if problems:
        rows = [(str(one["line"]), one["outcome"], one["field"], one["reason"]) for one in problems[:SHOWN_ROWS]]
        table(("line", "", "field", "reason"), rows)
    left = job["bad"] + job["skipped"] - min(len(problems), SHOWN_ROWS)
    if left > 0:
        where = f"they are in {report}" if report else "--report FILE.csv writes all of them"
        say(f"… and {left:,} more: {where}")
    say("columns  " + ", ".join(f"{field} ← {column}" for field, column in sorted(job["columns"].items())))
    if job["ignored_columns"]:
        say("ignored  " + ", ".join(job["ignored_columns"]))
    if job["kind"] == "responses":
        say("alerts   " + ("fresh answers may open tasks" if job["alerts"] else "none: quiet unless --alerts"))
    if job["error"]:
        say(f"stopped  {job['error']['detail']} ({job['error']['code']})")
    again = job["same_as"]
    if again:
        say(f"again    the same file as import {again}: nothing doubles")
    taken = f"{job['taken']:,} {'already there' if again else 'taken'}"
    read = f"{job['rows_read']:,} {'row' if job['rows_read'] == 1 else 'rows'}"
    say(f"{read}: {taken}, {job['skipped']:,} skipped, {job['bad']:,} bad")
