"""Imports: a file goes up, a job takes its rows in the background, its report says what was not taken and why."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Query, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.collector.api import examples
from services.collector.api.resources import Collector, Resources
from services.collector.domain.columns import Kind
from services.collector.domain.dates import strptime_format
from services.collector.domain.format_table import FORMATS, FormatName
from services.collector.domain.mapping import MappingError
from services.collector.handlers import imports
from services.collector.handlers.import_files import check_file, mapping_of
from services.collector.handlers.import_undo import undo
from services.collector.handlers.inputs.fields import Moment
from services.collector.handlers.refusals import refused
from services.collector.handlers.responses import not_ahead
from services.collector.store import import_reports as reports
from services.collector.store import imports as store
from services.collector.store.import_reports import Outcome, Problem
from services.collector.store.imports import ImportJob, State
from shared.access.caller import Caller
from shared.errors import NotFound
from shared.events.files import Mode
from shared.files.lines import TableError
from shared.files.opening import opened, turn
from shared.http import strict_json
from shared.http.auth import AnyCaller, Ingester
from shared.http.routing import Router
from shared.ids import uuid7
from shared.settings import known_zone

SHOWN_PROBLEMS = 100
ImportId = Annotated[UUID, Path(description="The import")]


class ImportForm(BaseModel):
    """A file and how to read it."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile
    kind: Kind
    columns: str | None = Field(
        default=None,
        max_length=20_000,
        description="Field to column, as a JSON object or as `field=column,...`; a column `=text` is a constant.",
        examples=["account_id=Airline,stakeholder_id=Traveller,survey_type==nps"],
    )
    format: FormatName | None = Field(
        default=None, description="The tool that wrote the file, where its columns do not tell."
    )
    sheet: str | None = Field(default=None, max_length=100, description="Of a workbook that has several.")
    date_format: str | None = Field(default=None, max_length=100, examples=["DD/MM/YYYY"])
    time_zone: str | None = Field(
        default=None,
        max_length=100,
        description="Of times without an offset; default: the deployment's.",
        examples=["Europe/Berlin"],
    )
    answered_at: Moment | None = Field(default=None, description="For rows without a date.")
    alerts: bool = Field(default=False, description="Let fresh answers raise alerts.")
    mode: Mode = Field(
        default="upsert",
        description="What a row with the `response_id` of a known answer does: `upsert` changes what it says otherwise,"
        " but for fields that a call has amended; `only_new` changes nothing; `overwrite` changes those as well.",
    )
    written_at: Moment | None = Field(
        default=None, description="When the file was written, if not now: one older than the last changes nothing."
    )


class Failure(BaseModel):
    """What ended an import early."""

    code: str
    detail: str | None


class FileRemark(BaseModel):
    """What the sender should know of a file that is taken."""

    code: str = Field(examples=["read_as_windows_1252"])
    detail: str


class RowProblem(BaseModel):
    """A row that was not taken, or of which something is told."""

    line: int = Field(description="Line of the file as an editor shows it, or row of the sheet.")
    outcome: Outcome = Field(description="`noted`: the row was taken.")
    code: str = Field(examples=["out_of_range"])
    field: str | None = Field(examples=["answered_at"])
    reason: str = Field(examples=["answered_at must be 2000-01-01 or later"])


class ImportView(BaseModel):
    """An import: how far it is, what was taken, and the first rows that were not or of which something is told."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.IMPORT]})

    id: UUID
    import_id: UUID = Field(description="The same as `id`.")
    kind: Kind
    state: State
    file_name: str | None
    progress: float = Field(description="From 0 to 1.")
    rows_read: int
    taken: int = Field(description="Rows that were handed on. One that came before is known by its id and counts once.")
    skipped: int = Field(description="Rows that say nothing new.")
    bad: int
    problems: list[RowProblem] = Field(description=f"The first {SHOWN_PROBLEMS}; all are in the report.")
    report: str = Field(description="Where all rows that were not taken are listed, as CSV.")
    format: str | None = Field(description="The tool that wrote the file, as named or as its columns tell.")
    time_zone: str = Field(description="Where times without an offset are from.")
    remarks: list[FileRemark]
    columns: dict[str, str] = Field(description="Field -> the column it was read from, or `=` and its constant.")
    ignored_columns: list[str]
    alerts: bool = Field(description="Whether its answers may raise alerts.")
    same_as: UUID | None = Field(
        description="The last import that took this very file of answers, read the same way: it is all there already."
    )
    mode: Mode
    written_at: datetime | None = Field(description="When the file was written; null until it is begun.")
    older_than: datetime | None = Field(
        description="When the newest file of the survey was written, if later than this one: `mode` is then `only_new`."
    )
    undone_at: datetime | None
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def router_for(most_bytes: int) -> Router:
    """The routes of imports, with the largest file that they take."""
    router = Router(tags=["imports"])
    router.post("/v1/imports", status_code=202, summary="Import a file", max_body_size=most_bytes)(post_import)
    router.get("/v1/imports/{import_id}", summary="Look at an import")(get_import)
    router.post("/v1/imports/{import_id}/undo", summary="Undo an import of answers")(post_undo)
    router.get(
        "/v1/imports/{import_id}/report",
        summary="All rows that were not taken",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "`line,outcome,code,field,reason`"}},
    )(get_report)
    return router


async def post_import(
    form: Annotated[ImportForm, Form(media_type="multipart/form-data")],
    caller: Ingester,
    collector: Resources,
    response: Response,
) -> ImportView:
    """Takes a delimited file (`,` `;` or tab, in any usual encoding, also packed with gzip) or an Excel workbook. The
    same file twice doubles nothing."""
    now = collector.clock.now()
    if form.answered_at is not None:
        not_ahead("answered_at", form.answered_at, now)
    if form.format is not None and FORMATS[form.format].kind != form.kind:
        raise refused("format", "other_kind", f"this format is of files of {FORMATS[form.format].kind}")
    mapping = _mapping(form.columns, form.kind)
    date_format, time_zone = _date_format(form.date_format), _time_zone(form.time_zone)
    with ExitStack() as stack:
        file = opened(form.file.file, form.sheet or None, collector.import_bytes)
        try:
            async with turn(form.file.file, collector.opening):
                found = await asyncio.to_thread(stack.enter_context, file)
        except TableError as error:
            raise refused("file", error.code, error.detail) from None
        checked = await asyncio.to_thread(
            check_file, found.file, form.kind, mapping, form.format, date_format, time_zone
        )
        job = ImportJob(
            import_id=uuid7(),
            kind=form.kind,
            state="queued",
            file_name="".join(filter(str.isprintable, form.file.filename or ""))[-200:] or None,
            columns=checked.columns,
            file_rows=checked.rows,
            date_format=date_format,
            time_zone=checked.zone or collector.time_zone,
            answered_at=form.answered_at,
            remarks=found.remarks + checked.remarks,
            quiet=not form.alerts,
            created_by=caller.key_id,
            owner_email=caller.owner_email,
            created_at=now,
            mode=form.mode,
            written_at=form.written_at,
        )
        async with collector.database.write() as tx:
            job = await imports.submit(tx, job, found.file)
    collector.import_worker.wake()
    response.headers["location"] = f"/v1/imports/{job.import_id}"
    return _view(job, [])


async def get_import(import_id: ImportId, caller: AnyCaller, collector: Resources) -> ImportView:
    """Its progress; while it runs, ask again."""
    _may_look(caller)
    async with collector.database.read() as tx:
        job = await store.find(tx, import_id, caller.owner_email)
        if job is None:
            raise NotFound("not_found", "there is no such import")
        return _view(job, await reports.problems(tx, import_id, SHOWN_PROBLEMS))


class Undone(BaseModel):
    """What undoing an import takes back. How many answers that is, the scorer says of the import."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.UNDONE]})

    import_id: UUID
    dry_run: bool
    accounts: int = Field(description="Accounts that rows were taken for.", examples=[12])
    rows: int = Field(description="Rows that were taken.", examples=[950])
    undone_at: datetime | None = Field(description="When it was undone first; null where it only would be.")


async def post_undo(
    import_id: ImportId,
    caller: Ingester,
    collector: Resources,
    dry_run: Annotated[bool, Query(description="Only say what would be taken back.")] = False,
) -> Undone:
    """Answers that the import recorded first count no longer, until a later file or post brings their id again; what it
    changed of others is as before. For as long as its report is kept; to undo it again changes nothing."""
    now = collector.clock.now()
    async with collector.database.write() as tx:
        job, accounts = await undo(tx, import_id, caller.owner_email, now, dry_run=dry_run)
    collector.relay.wake()
    undone_at = job.undone_at
    if undone_at is None and not dry_run:
        undone_at = now
    return Undone(import_id=import_id, dry_run=dry_run, accounts=accounts, rows=job.taken, undone_at=undone_at)


async def get_report(import_id: ImportId, caller: AnyCaller, collector: Resources) -> StreamingResponse:
    """As CSV, streamed, in the order of the file."""
    _may_look(caller)
    async with collector.database.read() as tx:
        if await store.find(tx, import_id, caller.owner_email) is None:
            raise NotFound("not_found", "there is no such import")
    headers = {"content-disposition": f'attachment; filename="import-{import_id}.csv"'}
    return StreamingResponse(_report(collector, import_id), media_type="text/csv; charset=utf-8", headers=headers)


async def _report(collector: Collector, import_id: UUID) -> AsyncIterator[str]:
    yield _csv([("line", "outcome", "code", "field", "reason")])
    async with collector.database.read() as tx:
        async for problem in reports.all_problems(tx, import_id):
            row = problem.row
            yield _csv([(row.line, problem.outcome, row.code, row.field or "", row.reason)])


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _may_look(caller: Caller) -> None:
    """Require `read` of a key that may not send files; a key that may can see the imports of its files."""
    if "ingest" not in caller.scopes:
        caller.require("read")


def _mapping(text: str | None, kind: Kind) -> Mapping[str, str]:
    """`columns` as sent: a JSON object of texts, or `field=column` pairs."""
    if text is None or not text.strip():
        return {}
    if "\0" in text:
        raise refused("columns", "invalid_columns", "must not hold NUL")
    if text.lstrip().startswith("{"):
        mapping = strict_json.loads(text.encode("utf-8", "surrogatepass"))
        if all(isinstance(name, str) for name in mapping.values()):
            return {field.strip(): name.strip() for field, name in mapping.items()}
    else:
        with suppress(MappingError):
            return mapping_of(text, kind)
    raise refused("columns", "invalid_columns", "must be a JSON object of texts, or field=column,field=column")


def _date_format(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        return strptime_format(text)
    except ValueError as error:
        raise refused("date_format", "invalid_date_format", str(error)) from None


def _time_zone(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        return known_zone(text.strip())
    except ValueError as error:
        raise refused("time_zone", "unknown_time_zone", str(error)) from None


def _view(job: ImportJob, problems: list[Problem]) -> ImportView:
    progress = min(0.99, job.rows_read / max(job.file_rows, 1))
    if job.state in ("done", "failed"):
        progress = 1.0
    error = None
    if job.error_code:
        error = Failure(code=job.error_code, detail=job.error_detail)
    return ImportView(
        id=job.import_id,
        import_id=job.import_id,
        kind=job.kind,
        state=job.state,
        file_name=job.file_name,
        progress=progress,
        rows_read=job.rows_read,
        taken=job.taken,
        skipped=job.skipped,
        bad=job.bad,
        problems=[
            RowProblem(
                line=problem.row.line,
                outcome=problem.outcome,
                code=problem.row.code,
                field=problem.row.field,
                reason=problem.row.reason,
            )
            for problem in problems
        ],
        report=f"/v1/imports/{job.import_id}/report",
        format=job.columns.format,
        time_zone=job.time_zone,
        remarks=[FileRemark(code=remark.code, detail=remark.detail) for remark in job.remarks],
        columns=job.columns.named(),
        ignored_columns=list(job.columns.ignored),
        alerts=not job.quiet,
        same_as=job.same_as,
        mode=job.mode,
        written_at=job.written_at,
        older_than=job.older_than,
        undone_at=job.undone_at,
        error=error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
