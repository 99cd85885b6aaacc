"""What became of the rows of an imported file: the scorer's half of its report."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from services.scorer.api.resources import Resources
from services.scorer.store import import_rows
from shared.api.imports import SHOWN_LINES, ImportedRows, RowLine
from shared.http.auth import Reader
from shared.http.routing import Router

router = Router(prefix="/v1/imports", tags=["imports"])


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
