"""Files on their way through: an upload is passed on to the collector piece by piece, reports and exports to the
browser. Nothing of them is kept here."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.dashboard.domain import wording
from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.web.elements import address
from services.dashboard.web.forms import SESSION
from services.dashboard.web.resources import resources
from services.dashboard.web.sentences import sentence_of
from shared.api.calls import FILE_SECONDS
from shared.api.questions import IMPORT_RULES
from shared.errors import BadRequest, Forbidden, NotFound, TellbackError, TooLarge, Unauthorized
from shared.http.client import Api, ServiceName, within
from shared.http.routing import Router

router = Router(include_in_schema=False)
FORM_HEADER = "x-tellback-form"
MOST_BYTES = 100_000 * 1024 * 1024
"""The largest file that a collector may be set to take; it says itself what it takes."""


@dataclass(frozen=True, slots=True)
class Export:
    """A list as a file: the scope that it takes, where it comes from, and which filters of the page before it narrow
    it."""

    scope: str
    service: ServiceName
    path: str
    filters: tuple[str, ...] = ()
    format: str | None = None


_CLIENTS = ("q", "owner", "tier", "industry", "region")
EXPORTS = {
    "accounts": Export("read", "scorer", "/v1/exports/accounts.csv"),
    "responses": Export(
        "read",
        "scorer",
        "/v1/exports/responses.csv",
        ("account_id", "category", "survey_type", "touchpoint", *_CLIENTS),
    ),
    "stakeholders": Export("read", "scorer", "/v1/exports/stakeholders.csv", ("account_id", "type", *_CLIENTS)),
    "asks": Export(
        "read",
        "outreach",
        "/v1/asks",
        ("account_id", "account", "stakeholder_id", "survey_id", "programme_id", "state", "reason", "unconfirmed"),
        "csv",
    ),
    "objections": Export("manage", "outreach", "/v1/suppressions", format="csv"),
}
"""What can be downloaded."""
REPORTS = {"report": "not-taken", "bad-rows": "to-mend"}
"""What can be downloaded of an import, and how the file is called."""


@router.post("/bring/upload", max_body_size=MOST_BYTES)
async def upload(request: Request) -> Response:
    """`{draft_id}` of the file that is the body; `{detail}` where it is not taken."""
    try:
        visitor = await _visitor(request)
        if not resources().forms.fits(request, request.headers.get(FORM_HEADER, "")):
            raise Forbidden("stale_form", "This page was open for too long: open it again")
        api = await resources().keys.api_of(visitor.user)
        return _answer(await _passed_on(request, api), 201)
    except TellbackError as error:
        return _answer({"detail": _why(error)}, error.status)


@router.get("/bring/imports/{import_id}/{report}.csv")
async def download(request: Request, import_id: str, report: str) -> Response:
    """A report of an import."""
    try:
        visitor = await _visitor(request)
        if report not in REPORTS:
            raise NotFound("unknown_report", "There is no such report")
        api = await resources().keys.api_of(visitor.user)
        return await _file(api.chunks("collector", within("/v1/imports", import_id, report)), REPORTS[report])
    except TellbackError as error:
        return _answer({"detail": _why(error)}, error.status)


@router.get("/exports/{name}.csv")
async def export(request: Request, name: str) -> Response:
    """Everything of one kind that the person may see, or what the filters in the address leave of it."""
    try:
        if name not in EXPORTS:
            raise NotFound("unknown_export", "There is no such file")
        wanted = EXPORTS[name]
        visitor = await _visitor(request, wanted.scope)
        api = await resources().keys.api_of(visitor.user)
        asked = {key: request.query_params[key] for key in wanted.filters if request.query_params.get(key)}
        return await _file(api.chunks(wanted.service, address(wanted.path, format=wanted.format, **asked)), name)
    except TellbackError as error:
        return _answer({"detail": _why(error)}, error.status)


async def _file(pieces: AsyncIterator[bytes], name: str) -> Response:
    """A file that comes piece by piece. Raises the error of the service before the first piece."""
    first = await anext(pieces)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return StreamingResponse(_all(first, pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def _visitor(request: Request, scope: str = "ingest") -> Visitor:
    visitor = await resources().signing_in.visitor(request.cookies.get(SESSION))
    if visitor is None:
        raise Unauthorized("not_signed_in", "Sign in first")
    if not visitor.user.may(scope):
        raise Forbidden("not_yours", "Your role does not bring files")
    return visitor


async def _passed_on(request: Request, api: Api) -> dict[str, Any]:
    """The draft that the collector makes of the body. Raises its error, and `TooLarge` before anything is sent."""
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise BadRequest("no_length", "The size of the file is not known")
    rules = await api.ask(IMPORT_RULES)
    if int(length) > rules.most_bytes:
        raise TooLarge("file_too_large", f"A file has at most {rules.most_bytes >> 20} MB")
    boundary = secrets.token_hex(16)
    head, tail = _framing(boundary, request.query_params.get("kind", ""), request.query_params.get("name", ""))

    async def content() -> AsyncIterator[bytes]:
        yield head
        async for piece in request.stream():
            yield piece
        yield tail

    headers = {
        "content-type": f"multipart/form-data; boundary={boundary}",
        "content-length": str(len(head) + int(length) + len(tail)),
    }
    draft = await api.post("collector", "/v1/import-drafts", content=content(), headers=headers, timeout=FILE_SECONDS)
    return {"draft_id": draft["draft_id"]}


def _framing(boundary: str, kind: str, name: str) -> tuple[bytes, bytes]:
    """What stands before and behind the file in a form of several parts."""
    safe = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\')[-200:]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="kind"\r\n\r\n{"".join(kind.split())[:20]}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe or "file"}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode(errors="replace"), f"\r\n--{boundary}--\r\n".encode()


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _why(error: TellbackError) -> str:
    """The reason for a person: of a file, what is wrong with it."""
    details = [fault["detail"] for fault in error.errors or [] if fault.get("field") == "file"]
    text = "; ".join(details) or sentence_of(error) or "This does not work right now"
    return wording.sentence(text)


def _answer(content: dict[str, Any], status: int) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store"})
