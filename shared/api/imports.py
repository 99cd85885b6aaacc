"""Imports of files: what a draft looks like before it is begun, how an import gets on, and what became of its rows."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.files import Mode, RowOutcome

Json = dict[str, Any]
Kind = Literal["responses", "accounts", "stakeholders"]
State = Literal["queued", "running", "done", "failed"]
RowFate = Literal["taken", "skipped", "bad"]
Outcome = Literal["bad", "skipped", "noted"]
SHOWN_PROBLEMS, SHOWN_LINES = 100, 100
RECORDED_AT = "2026-03-31T09:30:00.123456Z"
IMPORT: Json = {
    "id": "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a",
    "import_id": "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a",
    "kind": "responses",
    "state": "done",
    "file_name": "answers.csv",
    "progress": 1.0,
    "rows_read": 1258,
    "taken": 1257,
    "skipped": 0,
    "bad": 1,
    "to_mend": 1,
    "problems": [
        {
            "line": 598,
            "outcome": "bad",
            "code": "out_of_range",
            "field": "answered_at",
            "reason": "answered_at must be 2000-01-01 or later",
        }
    ],
    "report": "/v1/imports/0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a/report",
    "format": None,
    "time_zone": "Europe/Berlin",
    "remarks": [{"code": "read_as_windows_1252", "detail": "the file is not UTF-8 and was read as Windows-1252"}],
    "columns": {"account_id": "Account Name", "email": "Email", "score": "Score", "answered_at": "Date"},
    "ignored_columns": ["Job Level"],
    "alerts": False,
    "same_as": None,
    "mode": "upsert",
    "written_at": RECORDED_AT,
    "older_than": None,
    "undone_at": None,
    "error": None,
    "created_at": RECORDED_AT,
    "started_at": RECORDED_AT,
    "finished_at": RECORDED_AT,
}
UNDONE: Json = {
    "import_id": "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a",
    "dry_run": False,
    "accounts": 12,
    "rows": 1257,
    "undone_at": RECORDED_AT,
}
ROWS: Json = {
    "import_id": "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a",
    "read": 1257,
    "new": 1200,
    "amended": 20,
    "same": 30,
    "kept": 5,
    "conflict": 2,
    "gone": 0,
    "dropped": 0,
    "undone_at": None,
    "lines": [{"line": 598, "outcome": "kept", "code": "kept_here", "fields": ["comment"]}],
}
DRAFT: Json = {
    "draft_id": "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5b",
    "kind": "responses",
    "file_name": "answers.csv",
    "expires_at": "2026-04-01T09:30:00.123456Z",
    "rows": 1258,
    "format": "surveymonkey",
    "time_zone": "Europe/Berlin",
    "header": [{"name": "Company", "samples": ["Acme Logistics", "Northwind"]}],
    "columns": {"account_id": "Company", "survey_type": "=nps"},
    "remarks": [],
    "asks": [{"field": "score", "code": "missing_column", "detail": "no column holds the score; name it with columns"}],
    "preview": [],
}


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

    model_config = ConfigDict(json_schema_extra={"examples": [IMPORT]})

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
    to_mend: int = Field(description="How many of the bad rows `/bad-rows` holds; 0 in lists.")
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


class Undone(BaseModel):
    """What undoing an import takes back. How many answers that is, the scorer says of the import."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNDONE]})

    import_id: UUID
    dry_run: bool
    accounts: int = Field(description="Accounts that rows were taken for.", examples=[12])
    rows: int = Field(description="Rows that were taken.", examples=[950])
    undone_at: datetime | None = Field(description="When it was undone first; null where it only would be.")


class RowLine(BaseModel):
    """A row that was neither new nor said what stands already."""

    line: int = Field(description="Line of the file; the header is line 1.")
    outcome: RowOutcome
    code: str = Field(
        description="`kept_here`: a call has amended these fields, or they are kept as first recorded; `only_new`;"
        " `row_of_another`: the id is of another account, person or survey type; `withdrawn_here`;"
        " of a row that was dropped, why it was set aside."
    )
    fields: list[str] = Field(description="The fields whose values in the row do not stand.")


class ImportedRows(BaseModel):
    """How many rows were read so far, by what became of them. Compare `read` with `taken` of the collector: until then
    rows are on their way."""

    model_config = ConfigDict(json_schema_extra={"example": ROWS})

    import_id: UUID
    read: int = Field(examples=[1257])
    new: int = Field(description="Recorded first by this file.", examples=[1200])
    amended: int = Field(description="Changed an answer that was known.", examples=[20])
    same: int = Field(description="Said what stands already.", examples=[30])
    kept: int = Field(description="Said something else, and the answer is as before.", examples=[5])
    conflict: int = Field(examples=[2])
    gone: int = Field(description="About somebody who was erased, or of an import that was undone.", examples=[0])
    dropped: int = Field(
        description="Could not be handled, and were dropped, by an operator or for their age.", examples=[0]
    )
    undone_at: AwareDatetime | None
    lines: list[RowLine] = Field(
        description=f"The first {SHOWN_LINES} rows that are neither new nor the same; they are kept for 30 days. Empty"
        " for keys that are limited to an owner's accounts."
    )


class ImportRules(BaseModel):
    """What files may be sent."""

    most_bytes: int = Field(description="Of a file, also when it is unpacked.", examples=[536870912])
    most_workbook_bytes: int = Field(description="Of an Excel workbook.", examples=[52428800])
    time_zone: str = Field(description="Where times without an offset are from.", examples=["UTC"])
    fields: dict[Kind, list[str]] = Field(description="What columns may be read as, by what the rows are.")


class DraftColumn(BaseModel):
    """A column of the file."""

    name: str
    samples: list[str] = Field(description="What its first rows hold, at most three different texts.")


class DraftQuestion(BaseModel):
    """What has to be said before the file can be taken."""

    field: str = Field(examples=["score"])
    code: str = Field(examples=["missing_column"])
    detail: str


class DraftRow(BaseModel):
    """One of the first rows, as it would be taken."""

    line: int
    outcome: RowFate
    values: dict[str, str] = Field(description="Field -> what would be stored; empty for a row that is not taken.")
    field: str | None = Field(description="The field that is at fault, where it is one.")
    reason: str | None = Field(description="Why it is not taken, or what is told about it.")


class DraftView(BaseModel):
    """A file that was sent and is not taken yet: what it would become."""

    model_config = ConfigDict(json_schema_extra={"example": DRAFT})

    draft_id: UUID
    kind: Kind
    file_name: str | None
    expires_at: AwareDatetime = Field(description="When the file is deleted if nobody begins it.")
    rows: int | None = Field(description="Null while something is asked.")
    format: str | None = Field(description="The tool that wrote the file, as its columns tell.")
    time_zone: str = Field(description="Where times without an offset would be from.")
    header: list[DraftColumn]
    columns: dict[str, str] = Field(description="Field -> the column it would be read from, or `=` and its constant.")
    remarks: list[FileRemark]
    asks: list[DraftQuestion] = Field(description="Empty: the file can be taken.")
    preview: list[DraftRow] = Field(description="The first ten rows.")
