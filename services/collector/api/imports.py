"""Imports: a file goes up, a job takes its rows in the background, its report says what was not taken and why."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Query, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from services.collector.api.import_reading import ReadAs, Upload, printable_file_name, reading_as, submitted
from services.collector.api.resources import Collector, Resources
from services.collector.domain.columns import Kind
from services.collector.domain.mapping import MappingError
from services.collector.handlers.import_files import mapping_of
from services.collector.handlers.import_undo import undo
from services.collector.handlers.refusals import refused
from services.collector.store import import_bad_rows as bad_rows
from services.collector.store import import_reports as reports
from services.collector.store import imports as store
from services.collector.store.import_reports import Problem
from services.collector.store.imports import ImportJob
from shared.access.caller import Caller
from shared.api.imports import SHOWN_PROBLEMS, Failure, FileRemark, ImportView, RowProblem, Undone
from shared.errors import NotFound
from shared.http import paging, strict_json
from shared.http.auth import AnyCaller, Ingester
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.routing import Router

_LIST = "imports"
WHY_NOT = "Why it was not taken"
"""The last column of a file of bad rows."""
ImportId = Annotated[UUID, Path(description="The import")]


class ImportForm(ReadAs):
    """A file and how to read it."""

    file: UploadFile
    kind: Kind
    columns: str | None = Field(
        default=None,
        max_length=20_000,
        description="Field to column, as a JSON object or as `field=column,...`; a column `=text` is a constant.",
        examples=["account_id=Airline,stakeholder_id=Traveller,survey_type==nps"],
    )


def router_for(most_bytes: int) -> Router:
    """The routes of imports, with the largest file that they take."""
    router = Router(tags=["imports"])
    router.post("/v1/imports", status_code=202, summary="Import a file", max_body_size=most_bytes)(post_import)
    router.get("/v1/imports", summary="List imports")(list_imports)
    router.get("/v1/imports/{import_id}", summary="Look at an import")(get_import)
    router.post("/v1/imports/{import_id}/undo", summary="Undo an import of answers")(post_undo)
    router.get(
        "/v1/imports/{import_id}/report",
        summary="All rows that were not taken",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "`line,outcome,code,field,reason`"}},
    )(get_report)
    router.get(
        "/v1/imports/{import_id}/bad-rows",
        summary="The bad rows as a file to mend",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "The header of the file, and its bad rows"}},
    )(get_bad_rows)
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
    reading = reading_as(form, form.kind, _mapping(form.columns, form.kind), now)
    upload = Upload(form.kind, printable_file_name(form.file.filename), form.file.file, now)
    job = await submitted(collector, caller, upload, form, reading)
    response.headers["location"] = f"/v1/imports/{job.import_id}"
    return view_of(job, [])


async def list_imports(
    caller: AnyCaller, collector: Resources, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ImportView]:
    """The newest first, each without the rows that were not taken. As long as their reports are kept."""
    _may_look(caller)
    before = None
    if cursor:
        created_at, import_id = read_cursor(cursor, _LIST, paging.instant, paging.uuid)
        before = (created_at, import_id)
    async with collector.database.read() as tx:
        jobs = await store.newest(tx, caller.owner_email, before, limit + 1)
    page = page_of(jobs, limit, lambda job: (job.created_at, str(job.import_id)), _LIST)
    return Page(items=[view_of(job, []) for job in page.items], next_cursor=page.next_cursor)


async def get_import(import_id: ImportId, caller: AnyCaller, collector: Resources) -> ImportView:
    """Its progress; while it runs, ask again."""
    _may_look(caller)
    async with collector.database.read() as tx:
        job = await store.find(tx, import_id, caller.owner_email)
        if job is None:
            raise NotFound("not_found", "there is no such import")
        to_mend = await bad_rows.count(tx, import_id)
        return view_of(job, await reports.problems(tx, import_id, SHOWN_PROBLEMS), to_mend)


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


async def get_bad_rows(import_id: ImportId, caller: Ingester, collector: Resources) -> StreamingResponse:
    """The rows as they were in the file, with the reason in a last column: mended, they are sent as a file of their
    own. For seven days, at most 10,000 rows; lines that could not be parsed are only in the report."""
    async with collector.database.read() as tx:
        job = await store.find(tx, import_id, caller.owner_email)
    if job is None:
        raise NotFound("not_found", "there is no such import")
    headers = {"content-disposition": f'attachment; filename="to-mend-{import_id}.csv"'}
    return StreamingResponse(_bad_rows(collector, job), media_type="text/csv; charset=utf-8", headers=headers)


async def _bad_rows(collector: Collector, job: ImportJob) -> AsyncIterator[str]:
    """The cells as they are, so that they are read again as before. The mark of UTF-8 is for sheets."""
    width = len(job.columns.header)
    yield "\ufeff"
    for number, head in enumerate(job.columns.heads):
        cells = [*head[:width], *[""] * (width - len(head))]
        if number == 0:
            cells.append(WHY_NOT)
        else:
            cells.append("")
        yield _csv([cells])
    async with collector.database.read() as tx:
        async for row in bad_rows.kept_rows(tx, job.import_id):
            why = row.reason
            if row.field is not None and not why.startswith(row.field):
                why = f"{row.field}: {why}"
            yield _csv([[*row.cells, why]])


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


def view_of(job: ImportJob, problems: list[Problem], to_mend: int = 0) -> ImportView:
    """An import as it is answered, with rows of its report."""
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
        to_mend=to_mend,
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
