"""Lists as files, streamed page by page in constant memory: CSV that sheets open safely, or what else a service
writes."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from shared.clock import rfc3339
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.files.formulas import safe

CSV = "text/csv"
CSV_UTF8 = f"{CSV}; charset=utf-8"
Format = Annotated[
    Literal["json", "csv"] | None, Query(description="`csv` for a sheet; the default is what `Accept` asks for.")
]
Rows = Sequence[Mapping[str, Any]]
Pages = AsyncIterator[Rows]
Columns = TypeVar("Columns", bound=Iterable[str])
Position = TypeVar("Position")


def wants_csv(request: Request, chosen: str | None) -> bool:
    """Whether a list is asked for as CSV: by `format`, else by the first media type of `Accept`."""
    if chosen is not None:
        return chosen == "csv"
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return first.strip().lower() == CSV


def csv_described(columns: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """The CSV in the OpenAPI document, beside the JSON."""
    schema = {"type": "string", "example": ",".join(columns)}
    return {200: {"description": "The list; also as CSV.", "content": {CSV: {"schema": schema}}}}


async def csv_file(name: str, columns: Iterable[str], pages: Pages) -> StreamingResponse:
    """The answer to a request for a CSV file."""
    return await file_of(name, CSV_UTF8, csv_chunks, columns, pages)


async def file_of(
    name: str,
    media_type: str,
    chunks: Callable[[Columns, Pages], AsyncIterator[bytes]],
    columns: Columns,
    pages: Pages,
) -> StreamingResponse:
    """The answer to a request for a file, which `chunks` writes. The first page is read before its head goes out, so
    that what fails at once has its own status."""
    first: Rows = await anext(pages, [])

    async def everything() -> Pages:
        yield first
        async for page in pages:
            yield page

    async def body() -> AsyncIterator[bytes]:
        # A client that hangs up ends this generator; what it reads from must end then, too.
        async with aclosing(everything()) as rows, aclosing(chunks(columns, rows)) as found:  # type: ignore[type-var]
            async for chunk in found:
                yield chunk

    return StreamingResponse(
        body(), media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


async def pages_of(
    database: Database, page: Callable[[ReadTx, Position | None], Awaitable[tuple[Rows, Position | None]]]
) -> Pages:
    """Page by page, each in a transaction of its own: a slow client holds none. `page` gives the rows after a position
    (None: the first ones), and the position behind them (None: there are no more)."""
    position: Position | None = None
    while True:
        async with database.read() as tx:
            rows, position = await page(tx, position)
        yield rows
        if position is None:
            return


async def one_page(rows: Rows) -> Pages:
    """Rows that are there already, as the pages of a file."""
    yield rows


async def csv_chunks(columns: Iterable[str], pages: Pages) -> AsyncIterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel reads it as such; CRLF, one heading, empty cells for null, times as
    RFC 3339 in UTC, lists and objects as JSON. Text that a sheet would run as a formula has an apostrophe before it."""
    yield "\ufeff".encode() + _lines([columns])
    async for page in pages:
        if page:
            yield _lines(_cells(columns, row) for row in page)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cells(columns: Iterable[str], row: Mapping[str, Any]) -> list[str]:
    return [_cell(row[name]) for name in columns]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    written = _CELLS.get(type(value))
    if written is None:
        return safe(str(value))
    return written(value)


def _flag(value: bool) -> str:
    return str(value).lower()


def _json(value: Any) -> str:
    return safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


_CELLS: Mapping[type, Callable[[Any], str]] = {
    str: safe,
    int: str,
    float: repr,
    bool: _flag,
    datetime: rfc3339,
    date: date.isoformat,
    dict: _json,
    list: _json,
}
"""How a value is written; one of another type as its text."""
