"""Drafts of imports: a file goes up, its sender sees what it would become and says what is asked, then begins it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import Form, Path, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.collector.api.import_reading import ReadAs, Upload, printable_file_name, reading_as, submitted, text_of
from services.collector.api.imports import view_of
from services.collector.api.resources import Collector, Resources
from services.collector.domain.columns import KINDS, SYNONYMS, Kind
from services.collector.handlers.import_drafts import DRAFTS_LAST, FileReading, Look, PreviewRow, fetch, keep, look_at
from services.collector.store import import_drafts as store
from services.collector.store.import_drafts import Draft
from shared.access.caller import Caller
from shared.api.imports import (
    DraftColumn,
    DraftQuestion,
    DraftRow,
    DraftView,
    FileRemark,
    ImportRules,
    ImportView,
    RowFate,
)
from shared.errors import Invalid, NotFound
from shared.files.workbook import MOST_BYTES
from shared.http.auth import Ingester
from shared.http.routing import Router
from shared.ids import uuid7

_EXAMPLE: dict[str, Any] = {
    "columns": {"account_id": "Airline", "stakeholder_id": "Traveller", "survey_type": "=nps"},
    "date_format": "DD/MM/YYYY",
}
DraftId = Annotated[UUID, Path(description="The draft")]
WORKBOOK_REFUSALS = ("several_sheets", "unknown_sheet")
"""What a workbook is refused for until its sheet is named; all else is refused at once."""


class DraftForm(BaseModel):
    """A file and what its rows are."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile
    kind: Kind


class DraftReading(ReadAs):
    """How to read the file of a draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    columns: dict[str, str] = Field(
        default_factory=dict,
        max_length=200,
        description="Field to column; a column `=text` is a constant, an empty one leaves a recognised field out.",
    )


def router_for(most_bytes: int) -> Router:
    """The routes of drafts, with the largest file that they take."""
    router = Router(tags=["imports"])
    router.get("/v1/import-rules", summary="What files may be sent")(get_rules)
    router.post("/v1/import-drafts", status_code=201, summary="Send a file to look at", max_body_size=most_bytes)(
        post_draft
    )
    router.post("/v1/import-drafts/{draft_id}/look", summary="Look at a draft")(look)
    router.post("/v1/import-drafts/{draft_id}/start", status_code=202, summary="Begin a draft")(start)
    router.delete("/v1/import-drafts/{draft_id}", status_code=204, response_class=Response, summary="Delete a draft")(
        delete
    )
    return router


async def get_rules(caller: Ingester, collector: Resources) -> ImportRules:
    """The limits, and what columns may be read as."""
    fields: dict[Kind, list[str]] = {}
    for kind in KINDS:
        fields[kind] = list(SYNONYMS[kind])
    return ImportRules(
        most_bytes=collector.import_bytes,
        most_workbook_bytes=MOST_BYTES,
        time_zone=collector.time_zone,
        fields=fields,
    )


async def post_draft(
    form: Annotated[DraftForm, Form(media_type="multipart/form-data")], caller: Ingester, collector: Resources
) -> DraftView:
    """Takes what `POST /v1/imports` takes, and stores nothing but the file: for a day, or until it is begun or deleted.
    Of one key the five newest drafts are kept. What is no table is refused."""
    name = printable_file_name(form.file.filename)
    draft = Draft(uuid7(), form.kind, name, caller.key_id, collector.clock.now())
    view = await _looked_at(collector, draft, form.file.file, DraftReading())
    async with collector.database.write() as tx:
        await keep(tx, draft, form.file.file)
    return view


async def look(draft_id: DraftId, body: DraftReading, caller: Ingester, collector: Resources) -> DraftView:
    """What the file would become if it were read like this. Only the key that sent it sees it."""
    async with _fetched(collector, draft_id, caller) as (draft, upload):
        return await _looked_at(collector, draft, upload.file, body)


async def start(
    draft_id: DraftId, body: DraftReading, caller: Ingester, collector: Resources, response: Response
) -> ImportView:
    """Begins the import and ends the draft. Refused (422) while something is asked."""
    async with _fetched(collector, draft_id, caller) as (draft, upload):
        reading = reading_as(body, draft.kind, body.columns, collector.clock.now())
        job = await submitted(collector, caller, upload, body, reading)
    response.headers["location"] = f"/v1/imports/{job.import_id}"
    return view_of(job, [])


async def delete(draft_id: DraftId, caller: Ingester, collector: Resources) -> None:
    """Deletes the file; nothing of it was taken."""
    async with collector.database.write() as tx:
        if not await store.delete(tx, draft_id, caller.key_id):
            raise NotFound("not_found", "there is no such draft")


@asynccontextmanager
async def _fetched(collector: Collector, draft_id: UUID, caller: Caller) -> AsyncIterator[tuple[Draft, Upload]]:
    """A draft with its file, for the block. Raises `NotFound`."""
    with TemporaryFile() as file:
        async with collector.database.read() as tx:
            draft = await fetch(tx, draft_id, caller.key_id, collector.clock.now(), file)
        yield draft, Upload(draft.kind, draft.file_name, file, draft.created_at, draft_id)


async def _looked_at(collector: Collector, draft: Draft, file: BinaryIO, wanted: DraftReading) -> DraftView:
    reading = reading_as(wanted, draft.kind, wanted.columns, collector.clock.now())
    try:
        async with text_of(collector, file, wanted.sheet) as text:
            found = await asyncio.to_thread(look_at, text.file, draft.kind, reading, collector.time_zone)
            found.remarks = [*text.remarks, *found.remarks]
    except Invalid as error:
        if not _asks_for_a_sheet(error):
            raise
        found = Look(asks=list(error.errors or []))
    refusals = [ask for ask in found.asks if ask["field"] == "file" and ask["code"] not in WORKBOOK_REFUSALS]
    if refusals:
        raise Invalid("invalid_request", "the file cannot be taken", errors=refusals)
    return _view(collector, draft, found, reading)


def _asks_for_a_sheet(error: Invalid) -> bool:
    return any(fault["code"] in WORKBOOK_REFUSALS for fault in error.errors or [])


def _view(collector: Collector, draft: Draft, found: Look, reading: FileReading) -> DraftView:
    columns, tool = {}, None
    if found.columns is not None:
        columns, tool = found.columns.named(), found.columns.format
    return DraftView(
        draft_id=draft.draft_id,
        kind=draft.kind,
        file_name=draft.file_name,
        expires_at=draft.created_at + DRAFTS_LAST,
        rows=found.rows,
        format=tool,
        time_zone=found.zone or reading.zone or collector.time_zone,
        header=[DraftColumn(name=name, samples=list(samples)) for name, samples in found.header],
        columns=columns,
        remarks=[FileRemark(code=remark.code, detail=remark.detail) for remark in found.remarks],
        asks=[DraftQuestion(**fault) for fault in found.asks],
        preview=list(map(_row, found.preview)),
    )


def _row(row: PreviewRow) -> DraftRow:
    outcome: RowFate = "taken"
    if row.skipped:
        outcome = "skipped"
    elif row.values is None:
        outcome = "bad"
    return DraftRow(line=row.line, outcome=outcome, values=dict(row.values or {}), field=row.field, reason=row.reason)
