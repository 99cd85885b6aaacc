"""What became of the rows of an imported file: the scorer's half of its report."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.scorer.api.resources import Resources
from services.scorer.store import import_rows
from shared.events.files import RowOutcome
from shared.http.auth import Reader
from shared.http.routing import Router

router = Router(prefix="/v1/imports", tags=["imports"])
SHOWN_LINES = 100
EXAMPLE: dict[str, Any] = {
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

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    import_id: UUID
    read: int = Field(examples=[1257])
    new: int = Field(description="Recorded first by this file.", examples=[1200])
    amended: int = Field(description="Changed an answer that was known.", examples=[20])
    same: int = Field(description="Said what stands already.", examples=[30])
    kept: int = Field(description="Said something else, and the answer is as before.", examples=[5])
    conflict: int = Field(examples=[2])
    gone: int = Field(description="About somebody who was erased, or of an import that was undone.", examples=[0])
    dropped: int = Field(description="Could not be handled, and an operator has dropped them.", examples=[0])
    undone_at: AwareDatetime | None
    lines: list[RowLine] = Field(
        description=f"The first {SHOWN_LINES} rows that are neither new nor the same; they are kept for 30 days. Empty"
        " for keys that are limited to an owner's accounts."
    )


@router.get("/{import_id}", summary="What became of the rows of a file")
async def get_import(
    import_id: Annotated[UUID, Path(description="As the collector gave it.")], caller: Reader, resources: Resources
) -> ImportedRows:
    """All counts are 0 for an import of which nothing has come here: the collector says whether there is one."""
    lines = []
    async with resources.database.read() as tx:
        counts = await import_rows.counts_of(tx, import_id)
        undone_at = await import_rows.undone_at(tx, import_id)
        if caller.owner_email is None:
            lines = await import_rows.lines_of(tx, import_id, SHOWN_LINES)
    return ImportedRows(
        import_id=import_id,
        read=sum(counts.values()),
        **counts,
        undone_at=undone_at,
        lines=[RowLine(**line._asdict()) for line in lines],
    )
