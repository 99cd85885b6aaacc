"""Objections: addresses that must not be asked. Only a keyed hash of each is kept."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import Field, StringConstraints, ValidationError
from starlette.requests import Request

from services.outreach.api.links_models import Input
from services.outreach.api.resources import TheService
from services.outreach.domain.addresses import canonical_address
from services.outreach.handlers.suppressions import hashes_of, suppress_addresses
from services.outreach.store import suppressions
from shared.api.asks import RefusedAddress, Suppression, SuppressionsAdded
from shared.db.transaction import ReadTx
from shared.errors import Invalid, NotFound
from shared.files.formulas import plain
from shared.files.lines import TableError, undecoded
from shared.files.table import BadRow, Records
from shared.http import paging, strict_json
from shared.http.auth import Manager
from shared.http.files import CSV, Format, Rows, csv_described, csv_file, pages_of, wants_csv
from shared.http.limits import BATCH_BYTES
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.problem import invalid
from shared.http.routing import Router, require_media_type

router = Router(prefix="/v1/suppressions", tags=["suppressions"])
PURPOSE = "suppressions"
MOST = 10_000
FILE_PAGE = 1_000
After = tuple[datetime, UUID]
"""created_at and suppression_id of the last objection of a page."""
COLUMNS = ("suppression_id", "source", "created_at", "created_by")
_HEADINGS = ("email", "address", "e-mail", "mail")


class SuppressionsWanted(Input):
    """Addresses that must not be asked."""

    addresses: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=1_000)], ...], Field(min_length=1, max_length=MOST)
    ]


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"addresses": {"type": "array", "items": {"type": "string"}, "maxItems": MOST}},
                    "required": ["addresses"],
                    "example": {"addresses": ["ada@acme.example"]},
                }
            },
            CSV: {"schema": {"type": "string", "example": "email\r\nada@acme.example\r\n"}},
        },
    }
}


@dataclass
class _Lines:
    """Addresses as they were read, and the lines that hold none."""

    good: dict[str, int] = field(default_factory=dict)
    refused: list[RefusedAddress] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        try:
            self.good.setdefault(canonical_address(text), line)
        except ValueError as error:
            self.refused.append(RefusedAddress(line=line, detail=str(error)))


@router.get(
    "",
    summary="Who objects to being asked, the newest first",
    response_model=Page[Suppression],
    responses=csv_described(COLUMNS),
)
async def list_suppressions(
    *,
    caller: Manager,
    service: TheService,
    request: Request,
    email: Annotated[str | None, Query(max_length=320, description="Whether this address objects.")] = None,
    format: Format = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Suppression] | Response:
    """Objections that hold; a CSV file has all of them."""
    caller.require_all_accounts()
    hashes = None
    if email is not None:
        hashes = [address_hash.digest for address_hash in hashes_of(service.tokens, email)]
    if wants_csv(request, format):
        return await csv_file("suppressions.csv", COLUMNS, pages_of(service.database, _page_of_file(hashes)))
    after = None
    if cursor:
        instant, last_id = read_cursor(cursor, PURPOSE, paging.instant, paging.uuid)
        after = (instant, last_id)
    async with service.database.read() as tx:
        rows = await suppressions.list_suppressions(tx, hashes, after, limit + 1)
    page = page_of(rows, limit, _position, PURPOSE)
    return Page(items=[_suppression(row) for row in page.items], next_cursor=page.next_cursor)


@router.post(
    "",
    summary="Add addresses that must not be asked",
    response_model=SuppressionsAdded,
    openapi_extra=_BODY,
    max_body_size=BATCH_BYTES,
)
async def add_suppressions(request: Request, caller: Manager, service: TheService) -> SuppressionsAdded:
    """Addresses as JSON, or as CSV with one in the first column of each line. Those that are on the list stay."""
    caller.require_all_accounts()
    lines = await _read(request)
    now = service.clock.now()

    async def add(tx: Any) -> int:
        objecting = dict.fromkeys(lines.good, now)
        return await suppress_addresses(tx, service.tokens, objecting, "import", now, caller.actor)

    added = await service.database.retrying(add)
    return SuppressionsAdded(added=added, known=len(lines.good) - added, refused=lines.refused)


@router.delete("/{suppression_id}", status_code=204, summary="Take an objection back")
async def lift_suppression(
    suppression_id: Annotated[UUID, Path(description="The objection")], caller: Manager, service: TheService
) -> None:
    """Only when the person asks for it: they may be asked again. 404 for one that does not hold."""
    caller.require_all_accounts()
    now = service.clock.now()
    lifted = await service.database.retrying(lambda tx: suppressions.lift(tx, suppression_id, now, caller.actor))
    if not lifted:
        raise NotFound("suppression_not_found", "there is no such objection")


async def _read(request: Request) -> _Lines:
    kind = require_media_type(request.headers, "application/json", CSV)
    content = await request.body()
    lines = _Lines()
    if kind == CSV:
        _read_csv(content, lines)
        return lines
    try:
        wanted = SuppressionsWanted.model_validate(strict_json.loads(content))
    except ValidationError as error:
        raise invalid(error) from None
    for number, text in enumerate(wanted.addresses, 1):
        lines.add(number, text)
    return lines


def _read_csv(content: bytes, lines: _Lines) -> None:
    try:
        for line, cells in Records(BytesIO(content)):
            if line > MOST + 1:
                raise Invalid("too_many_addresses", f"at most {MOST} addresses at once")
            if isinstance(cells, BadRow):
                lines.refused.append(RefusedAddress(line=line, detail=cells.reason))
                continue
            first = plain("".join(cells[:1])).strip()
            if undecoded(first):
                lines.refused.append(RefusedAddress(line=line, detail="the line is damaged: it is not valid text"))
            elif first and not (line == 1 and first.lower() in _HEADINGS):
                lines.add(line, first)
    except TableError as error:
        raise Invalid(error.code, error.detail) from None
    if not lines.good and not lines.refused:
        raise Invalid("empty_file", "the file has no address")


def _page_of_file(
    hashes: Sequence[bytes] | None,
) -> Callable[[ReadTx, After | None], Awaitable[tuple[Rows, After | None]]]:
    async def page(tx: ReadTx, after: After | None) -> tuple[Rows, After | None]:
        rows = await suppressions.list_suppressions(tx, hashes, after, FILE_PAGE)
        following = None
        if len(rows) == FILE_PAGE:
            following = rows[-1]["created_at"], rows[-1]["suppression_id"]
        return [dict(row) for row in rows], following

    return page


def _position(row: Any) -> tuple[datetime, str]:
    return row["created_at"], str(row["suppression_id"])


def _suppression(row: Any) -> Suppression:
    return Suppression(**{**row, "suppression_id": str(row["suppression_id"])})
