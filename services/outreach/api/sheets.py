"""Lists as CSV that sheets open safely."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from shared.clock import rfc3339
from shared.files.formulas import safe

CSV = "text/csv"
MEDIA_TYPE = "text/csv; charset=utf-8"
Format = Annotated[
    Literal["json", "csv"] | None, Query(description="`csv` for a sheet; the default is what `Accept` asks for.")
]
Rows = Iterable[Mapping[str, Any]]


def wants_csv(request: Request, chosen: str | None) -> bool:
    """Whether a list is asked for as CSV: by `format`, else by the first media type of `Accept`."""
    if chosen is not None:
        return chosen == "csv"
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return first.strip().lower() == CSV


def described(columns: Sequence[str]) -> dict[int | str, dict[str, Any]]:
    """The sheet in the OpenAPI document, beside the JSON."""
    schema = {"type": "string", "example": ",".join(columns)}
    return {200: {"description": "The list; also as a sheet.", "content": {CSV: {"schema": schema}}}}


def sheet(name: str, columns: Sequence[str], pages: AsyncIterator[Rows]) -> StreamingResponse:
    """A CSV file, page by page: UTF-8 with a byte order mark for Excel, one heading, times as RFC 3339, empty cells for
    null. A text that a sheet would run as a formula has an apostrophe before it."""

    async def body() -> AsyncIterator[bytes]:
        yield "\ufeff".encode() + _lines([columns])
        async for page in pages:
            yield _lines([_cell(row[column]) for column in columns] for row in page)

    return StreamingResponse(
        body(), media_type=MEDIA_TYPE, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


async def one_page(rows: Rows) -> AsyncIterator[Rows]:
    """Rows that are there already, as the pages of a sheet."""
    yield rows


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return str(value).lower()
    return safe(str(value))
