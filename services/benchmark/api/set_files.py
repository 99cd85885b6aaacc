"""A set from a request: JSON as it is, or a file whose lines make one set for each source, year, region."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from services.benchmark.api.models_sets import NEW_SET, NewSetBody
from services.benchmark.domain.benchmarks import NewSet
from services.benchmark.domain.tables import OF_SET, BadTable, Line, lines_of
from shared.files.lines import TableError
from shared.files.opening import opened, turn
from shared.files.table import BadRow, Table
from shared.http.problem import invalid
from shared.http.query import refused
from shared.http.routing import require_media_type

MAX_BYTES = 1024 * 1024
JSON, CSV, FORM = "application/json", "text/csv", "multipart/form-data"
EXAMPLE_FILE = (
    "source,year,region,industry,nps,n,method,q1,median,q3,note\n"
    "Deep-Insight,2026,EMEA,Freight,38,410,latest,21,37,55,\n"
)


async def read_sets(request: Request, opening: asyncio.Semaphore) -> list[NewSet]:
    """The sets of a request; `opening` is held while a workbook is opened. Raises Invalid, UnsupportedMedia."""
    kind = require_media_type(request.headers, JSON, CSV, FORM)
    if kind == JSON:
        try:
            return [NewSetBody.model_validate(await request.json()).value()]
        except ValidationError as error:
            raise invalid(error) from None
    given: dict[str, str] = {}
    _add_given(given, request.query_params)
    if kind == CSV:
        return await _of_file(await request.body(), given, opening)
    async with request.form(max_files=1, max_fields=len(OF_SET)) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise refused("file", "missing", "a file is required")
        _add_given(given, form)
        return await _of_file(await file.read(), given, opening)


async def _of_file(content: bytes, given: dict[str, str], opening: asyncio.Semaphore) -> list[NewSet]:
    async with turn(BytesIO(content), opening):
        return await asyncio.to_thread(sets_of, content, given)


def _add_given(given: dict[str, str], parameters: Mapping[str, Any]) -> None:
    """Add what the parameters say of the set."""
    for name in OF_SET:
        value = parameters.get(name)
        if isinstance(value, str):
            given[name] = value


def sets_of(content: bytes, given: dict[str, str]) -> list[NewSet]:
    """The sets of a file, in its order; `given` holds what the file does not say itself. Raises Invalid."""
    try:
        lines = lines_in(content)
    except TableError as error:
        raise refused("file", error.code, error.detail) from None
    except BadTable as error:
        raise refused(_place(error.line, error.column), "invalid_cell", error.detail) from None
    if not lines:
        raise refused("file", "no_lines", "has no line beside its header")
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        key = tuple(line.values.get(name, given.get(name) or None) for name in OF_SET)
        groups.setdefault(key, []).append(line)
    return [_set(dict(zip(OF_SET, key, strict=True)), of_one) for key, of_one in groups.items()]


def lines_in(content: bytes) -> list[Line]:
    """The lines of a file. Raises TableError, BadTable."""
    with opened(BytesIO(content), most_bytes=MAX_BYTES) as found:
        table = Table(found.file)
        try:
            return list(lines_of(table.header, _cells(table)))
        finally:
            table.release()


def _cells(table: Table) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows with their numbers. Raises BadTable for a row that cannot be read."""
    for row in table:
        if isinstance(row, BadRow):
            raise BadTable(row.line, "", row.reason)
        yield row.line, row.cells


def _set(head: dict[str, Any], lines: list[Line]) -> NewSet:
    body: dict[str, Any] = {name: value for name, value in head.items() if value is not None}
    year = head["year"]
    if isinstance(year, str) and year.isascii() and year.isdigit():
        body["year"] = int(year)
    body["benchmarks"] = []
    for line in lines:
        figures = dict(line.values)
        for name in OF_SET:
            figures.pop(name, None)
        body["benchmarks"].append(figures)
    try:
        return NewSetBody.model_validate(body).value()
    except ValidationError as error:
        problem = invalid(error)
        for item in problem.errors or []:
            item["field"] = _of_line(item["field"], lines)
        raise problem from None


def _of_line(field: str, lines: list[Line]) -> str:
    """`benchmarks.0.nps` as `line 2.nps`."""
    parts = field.split(".")
    if parts[0] == "benchmarks" and len(parts) > 1:
        return _place(lines[int(parts[1])].number, ".".join(parts[2:]))
    if field == "body":
        return _place(lines[0].number, "")
    return _place(lines[0].number, field)


def _place(line: int, column: str) -> str:
    if not column:
        return f"line {line}"
    return f"line {line}.{column}"


def _inlined() -> dict[str, Any]:
    schema = NewSetBody.model_json_schema()
    schema["properties"]["benchmarks"]["items"] = schema.pop("$defs")["NewLine"]
    return schema


_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "The file."},
        **{name: {"type": "string", "description": "For lines that do not say it."} for name in OF_SET},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": _inlined(), "example": NEW_SET},
            CSV: {"schema": {"type": "string"}, "example": EXAMPLE_FILE},
            FORM: {"schema": _FORM},
        },
    }
}
"""OpenAPI's description of what `read_sets` reads."""
