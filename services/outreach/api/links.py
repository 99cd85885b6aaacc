"""Links to a survey: for people one after the other, as JSON or CSV, and as a picture to print."""

import io
from typing import Annotated, Any
from uuid import UUID

import segno
from fastapi import Path
from fastapi.responses import Response
from starlette.requests import Request

from services.outreach.api.links_models import LinksWanted
from services.outreach.api.resources import IdempotencyKey, Outreach, TheService
from services.outreach.handlers.links import MadeLink, WantedLinks, link_of, make_links
from services.outreach.store import asks
from shared.access.caller import Caller
from shared.api.asks import AskLink, LinkProblem, LinkRow, LinksMade
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound
from shared.http.auth import Actor
from shared.http.files import Format, csv_described, csv_file, one_page, wants_csv
from shared.http.limits import BATCH_BYTES
from shared.http.params import PathId
from shared.http.routing import Router

router = Router(prefix="/v1", tags=["asks"])
AskId = Annotated[UUID, Path(description="The ask: the `invitation_id` of its link.")]
COLUMNS = (
    "account_id",
    "stakeholder_id",
    "name",
    "email",
    "language",
    "invitation_id",
    "url",
    "expires_at",
    "reason",
    "detail",
    "again_at",
)
SVG = "image/svg+xml"
MODULE_PIXELS = 4


@router.post(
    "/surveys/{survey_id}/links",
    summary="Personal links to a survey, for people who may be asked",
    response_model=LinksMade,
    responses=csv_described(COLUMNS),
    max_body_size=BATCH_BYTES,
)
async def post_links(
    *,
    survey_id: PathId,
    body: LinksWanted,
    caller: Actor,
    service: TheService,
    request: Request,
    format: Format = None,
    idempotency_key: IdempotencyKey = None,
) -> LinksMade | Response:
    """A row for each person, in their order: a link, or why there is none. Either is kept as an ask. 503
    `reading_behind` until whom others have asked has been read from the scorer."""
    wanted = WantedLinks(
        survey_id,
        caller,
        body.named(),
        body.chosen(),
        handed_over=body.handed_over,
        overriding=body.override_quarantine,
        language=body.language,
        idempotency_key=idempotency_key,
    )
    now = service.clock.now()

    async def make(tx: WriteTx) -> Any:
        return await make_links(tx, wanted, service.tokens, service.journal, now)

    survey, made = await service.database.retrying(make)
    if wants_csv(request, format):
        return await csv_file("links.csv", COLUMNS, one_page([_csv_row(service, link) for link in made]))
    items = [_row(service, link) for link in made]
    refused = sum(link.problem is not None for link in made)
    return LinksMade(
        survey_id=survey_id,
        survey_version=survey.version,
        made=len(made) - refused,
        refused=refused,
        items=items,
    )


@router.get("/asks/{ask_id}/link", summary="The link of an ask, to hand it over again")
async def get_link(ask_id: AskId, caller: Actor, service: TheService) -> AskLink:
    """409 for an ask without a link, or whose link takes no answer any more."""
    return await _link(service, caller, ask_id)


@router.get(
    "/asks/{ask_id}/qr",
    summary="The link of an ask as a QR code, to print it",
    response_class=Response,
    responses={200: {"description": "The picture.", "content": {SVG: {"schema": {"type": "string"}}}}},
)
async def get_qr(ask_id: AskId, caller: Actor, service: TheService) -> Response:
    """A picture in SVG. 409 as for the link."""
    link = await _link(service, caller, ask_id)
    picture = io.BytesIO()
    segno.make_qr(link.url, error="m").save(picture, kind="svg", scale=MODULE_PIXELS, title=None)
    return Response(picture.getvalue(), media_type=SVG)


async def _link(service: Outreach, caller: Caller, ask_id: UUID) -> AskLink:
    now = service.clock.now()
    async with service.database.read() as tx:
        ask = await asks.find_ask(tx, ask_id, caller.owner_email)
    if ask is None:
        raise NotFound("ask_not_found", "there is no such ask")
    if ask["state"] not in ("waiting", "sent") or ask["withdrawn_at"] is not None:
        raise Conflict("no_link", "the ask has no link: nobody is asked by it")
    closes_at = ask["closes_at"]
    if ask["expired_at"] is not None or (closes_at is not None and closes_at <= now):
        raise Conflict("link_closed", "the link takes no answer any more; make a new one")
    review = ask["review_id"] is not None
    url = link_of(service.settings.public_url, service.tokens, ask_id, review=review)
    return AskLink(invitation_id=str(ask_id), url=url, expires_at=closes_at)


def _csv_row(service: Outreach, link: MadeLink) -> dict[str, Any]:
    """A row of the CSV file; a model for each of ten thousand would only cost time."""
    candidate, problem = link.candidate, link.problem
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "account_id": candidate.account_id,
        "stakeholder_id": candidate.stakeholder_id,
        "name": candidate.name,
        "email": candidate.email,
        "language": link.language,
    }
    if link.ask_id is not None:
        row["invitation_id"] = str(link.ask_id)
    if problem is not None:
        row |= {"reason": problem.reason, "detail": problem.detail, "again_at": problem.again_at}
    elif link.ask_id is not None:
        row |= {
            "url": link_of(service.settings.public_url, service.tokens, link.ask_id),
            "expires_at": link.closes_at,
        }
    return row


def _row(service: Outreach, link: MadeLink) -> LinkRow:
    row = _csv_row(service, link)
    problem = None
    if link.problem is not None:
        problem = LinkProblem(reason=row.pop("reason"), detail=row.pop("detail"), again_at=row.pop("again_at"))
    return LinkRow(**row, problem=problem)
