"""How a file that was sent is to be read, as its sender says; and the import that it becomes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.collector.api.resources import Collector
from services.collector.domain.columns import Kind
from services.collector.domain.dates import strptime_format
from services.collector.domain.format_table import FORMATS, FormatName
from services.collector.handlers import imports
from services.collector.handlers.import_drafts import FileReading
from services.collector.handlers.import_files import check_file
from services.collector.handlers.inputs.fields import Moment
from services.collector.handlers.refusals import refused
from services.collector.handlers.responses import not_ahead
from services.collector.store import import_drafts as drafts
from services.collector.store.imports import ImportJob
from shared.access.caller import Caller
from shared.errors import NotFound
from shared.events.files import Mode
from shared.files.lines import TableError
from shared.files.opening import Opened, opened, turn
from shared.ids import uuid7
from shared.settings import known_zone


class ReadAs(BaseModel):
    """How to read a file, where it does not tell itself, and what its rows do."""

    model_config = ConfigDict(extra="forbid")

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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent, and when; `draft_id` where it was kept as a draft until now."""

    kind: Kind
    file_name: str | None
    file: BinaryIO
    came_at: datetime
    draft_id: UUID | None = None


def printable_file_name(name: str | None) -> str | None:
    """The end of a file's name, without characters that do not print."""
    return "".join(filter(str.isprintable, name or ""))[-200:] or None


def reading_as(wanted: ReadAs, kind: Kind, mapping: Mapping[str, str], now: datetime) -> FileReading:
    """The wishes of the sender, checked. Raises `Invalid`."""
    if wanted.answered_at is not None:
        not_ahead("answered_at", wanted.answered_at, now)
    if wanted.format is not None and FORMATS[wanted.format].kind != kind:
        raise refused("format", "other_kind", f"this format is of files of {FORMATS[wanted.format].kind}")
    zone = _time_zone(wanted.time_zone)
    return FileReading(mapping, wanted.format, _date_format(wanted.date_format), zone, wanted.answered_at)


@asynccontextmanager
async def text_of(collector: Collector, file: BinaryIO, sheet: str | None) -> AsyncIterator[Opened]:
    """The delimited text of a file, for the block. Raises `Invalid`."""
    with ExitStack() as stack:
        text = opened(file, sheet or None, collector.import_bytes)
        try:
            async with turn(file, collector.opening):
                found = await asyncio.to_thread(stack.enter_context, text)
        except TableError as error:
            raise refused("file", error.code, error.detail) from None
        yield found


async def submitted(
    collector: Collector, caller: Caller, upload: Upload, wanted: ReadAs, reading: FileReading
) -> ImportJob:
    """The import of a file, which waits to be taken; a draft ends with it. Raises `Invalid` for what has to be asked,
    and `NotFound` for a draft that was begun meanwhile."""
    async with text_of(collector, upload.file, wanted.sheet) as found:
        checked = await asyncio.to_thread(
            check_file, found.file, upload.kind, reading.mapping, reading.format_name, reading.form, reading.zone
        )
        job = ImportJob(
            import_id=uuid7(),
            kind=upload.kind,
            state="queued",
            file_name=upload.file_name,
            columns=checked.columns,
            file_rows=checked.rows,
            date_format=reading.form,
            time_zone=checked.zone or collector.time_zone,
            answered_at=reading.answered_at,
            remarks=found.remarks + checked.remarks,
            quiet=not wanted.alerts,
            created_by=caller.key_id,
            owner_email=caller.owner_email,
            created_at=upload.came_at,
            mode=wanted.mode,
            written_at=wanted.written_at,
        )
        async with collector.database.write() as tx:
            if upload.draft_id is not None and not await drafts.delete(tx, upload.draft_id, caller.key_id):
                raise NotFound("not_found", "there is no such draft")
            job = await imports.submit(tx, job, found.file)
    collector.import_worker.wake()
    return job


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
