"""Mails that came back and complaints, as mails, as JSON and from providers."""

from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from services.outreach.api.links_models import Input
from services.outreach.api.resources import Outreach, TheService
from services.outreach.domain.bounces import (
    Report,
    key_of,
    kind_of_postmark,
    kind_of_sendgrid,
    local_part_of,
    read_report,
    status_of,
)
from services.outreach.domain.mail_names import MailName, name_of_message_id
from services.outreach.gateways.providers import is_postmark, is_sendgrid
from services.outreach.handlers.bounces import Bounces, Source
from services.outreach.handlers.mail_contents import GIVEN_BACK
from services.outreach.store import bounces
from shared.api.bounces import Bounce, BounceEffect
from shared.errors import Unauthorized
from shared.http import paging, strict_json
from shared.http.auth import Manager
from shared.http.limits import BATCH_BYTES
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Instant
from shared.http.problem import invalid
from shared.http.routing import Router, require_media_type

router = Router(prefix="/v1/bounces", tags=["bounces"])
PURPOSE = "bounces"
MAIL = "message/rfc822"
Text = Annotated[str, StringConstraints(max_length=500)]


class BounceTold(Input):
    """One mail that came back, named by its Message-ID and recipient, or by the envelope sender that it had."""

    message_id: Text | None = None
    token: Annotated[Text | None, Field(description="The envelope sender, or what stands before its @.")] = None
    recipient: Text | None = None
    kind: Literal["hard", "soft", "complaint"]
    at: Instant

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.token is None and (self.message_id is None or self.recipient is None):
            raise PydanticCustomError("bounce_unnamed", "give token, or message_id and recipient")
        return self

    def report(self) -> Report:
        """What it says."""
        key = key_of("api", self.message_id or "", self.token or "", self.kind, self.at.isoformat())
        return Report(
            self.kind, key, _named(self.token), _mails_of(self.message_id), _known(self.recipient), at=self.at
        )


class PostmarkBounce(BaseModel):
    """What is read of a call of Postmark's, for bounces and for complaints."""

    bounce_id: int = Field(alias="ID")
    type: Text = Field(alias="Type")
    email: Text = Field(default="", alias="Email")
    metadata: dict[str, Any] = Field(default={}, alias="Metadata")

    def report(self) -> Report:
        """What it says."""
        key = key_of("postmark", str(self.bounce_id), self.type)
        token = str(self.metadata.get(GIVEN_BACK, ""))
        return Report(kind_of_postmark(self.type), key, _named(token), recipients=_known(self.email))


class SendGridEvent(BaseModel):
    """What is read of an event of SendGrid's."""

    event: Text
    sg_event_id: Text = ""
    email: Text = ""
    smtp_id: Text = Field(default="", alias="smtp-id")
    token: Text = Field(default="", alias="tellback")
    type: Text | None = None
    status: Text | None = None

    def report(self) -> Report | None:
        """What it says; None where that is nothing of an address."""
        kind = kind_of_sendgrid(self.event, self.type, self.status)
        if kind is None:
            return None
        key = key_of("sendgrid", self.sg_event_id, self.smtp_id, self.email, self.event)
        status = status_of(self.status or "")
        return Report(kind, key, _named(self.token), _mails_of(self.smtp_id), _known(self.email), status)


_EVENTS = TypeAdapter(list[SendGridEvent])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": BounceTold.model_json_schema()
                | {
                    "example": {
                        "message_id": "<5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14.invite.1@ask.supplier.example>",
                        "recipient": "ada@acme.example",
                        "kind": "hard",
                        "at": "2026-06-01T09:01:00Z",
                    }
                }
            },
            MAIL: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_PROVIDER: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": ["object", "array"]}}}},
    "responses": {
        "401": {"$ref": "#/components/responses/Problem401"},
        "503": {"$ref": "#/components/responses/Problem503"},
    },
}


@router.post(
    "",
    summary="Tell of a mail that came back, or of a complaint",
    response_model=Bounce,
    openapi_extra=_BODY,
    max_body_size=BATCH_BYTES,
)
async def tell_bounce(request: Request, caller: Manager, service: TheService) -> Bounce:
    """The report of a mail server as it came (RFC 3464), or JSON. The same one again changes nothing. What names no
    mail of ours is kept, listed, and has no effect."""
    caller.require_all_accounts()
    content_type = require_media_type(request.headers, "application/json", MAIL)
    content = await request.body()
    if content_type == MAIL:
        return _bounce(await _take(service, read_report(content), "mail"))
    try:
        told = BounceTold.model_validate(strict_json.loads(content))
    except ValidationError as error:
        raise invalid(error) from None
    return _bounce(await _take(service, told.report(), "api"))


@router.get("", summary="Mails that came back, the newest first")
async def list_bounces(
    *,
    caller: Manager,
    service: TheService,
    effect: Annotated[BounceEffect | None, Query(description="`unmatched`: those that name no mail of ours.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Bounce]:
    """Unmatched ones are kept for 90 days, the others as long as their asks."""
    caller.require_all_accounts()
    after = None
    if cursor:
        instant, last_id = read_cursor(cursor, f"{PURPOSE} {effect}", paging.instant, paging.uuid)
        after = (instant, last_id)
    async with service.database.read() as tx:
        rows = await bounces.listed(tx, effect, after, limit + 1)
    page = page_of(rows, limit, _position, f"{PURPOSE} {effect}")
    return Page(items=[_bounce(row) for row in page.items], next_cursor=page.next_cursor)


@router.post("/postmark", status_code=204, summary="Postmark tells of bounces", openapi_extra=_PROVIDER)
async def tell_postmark(request: Request, service: TheService) -> None:
    """The address of its webhook for bounces and complaints, with `TELLBACK_OUTREACH_POSTMARK_SECRET` as the password:
    `https://postmark:SECRET@…/v1/bounces/postmark`. No API key."""
    secret = service.settings.postmark_secret
    if secret is None or not is_postmark(request.headers.get("authorization", ""), secret.get_secret_value()):
        raise _stranger()
    require_media_type(request.headers, "application/json")
    try:
        told = PostmarkBounce.model_validate(strict_json.loads(await request.body()))
    except ValidationError as error:
        raise invalid(error) from None
    await _take(service, told.report(), "postmark")


@router.post(
    "/sendgrid",
    status_code=204,
    summary="SendGrid tells of bounces",
    openapi_extra=_PROVIDER,
    max_body_size=BATCH_BYTES,
)
async def tell_sendgrid(request: Request, service: TheService) -> None:
    """The address of its signed event webhook; events that say nothing of an address are passed over. No API key: the
    signature under `TELLBACK_OUTREACH_SENDGRID_KEY` says who calls."""
    key, body = service.settings.sendgrid_key, await request.body()
    signature = request.headers.get("x-twilio-email-event-webhook-signature", "")
    timestamp = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
    if key is None or not is_sendgrid(key, signature, timestamp, body):
        raise _stranger()
    require_media_type(request.headers, "application/json")
    try:
        events = _EVENTS.validate_python(strict_json.loads(body))
    except ValidationError as error:
        raise invalid(error) from None
    for event in events:
        report = event.report()
        if report is not None:
            await _take(service, report, "sendgrid")


async def _take(service: Outreach, report: Report, source: Source) -> Any:
    """In a transaction of its own, since it holds its account; returns the row."""
    taker = Bounces(service.tokens, service.clock.now())
    return await service.database.retrying(lambda tx: taker.take(tx, report, source))


def _stranger() -> Unauthorized:
    return Unauthorized("unauthorized", "the call does not come from the provider that is set")


def _named(token: str | None) -> tuple[str, ...]:
    if not token:
        return ()
    return (local_part_of(token),)


def _known(recipient: str | None) -> tuple[str, ...]:
    if not recipient:
        return ()
    return (recipient,)


def _mails_of(message_id: str | None) -> tuple[MailName, ...]:
    name = name_of_message_id(message_id or "")
    if name is None:
        return ()
    return (name,)


def _position(row: Any) -> tuple[Any, str]:
    return row["received_at"], str(row["bounce_id"])


def _bounce(row: Any) -> Bounce:
    ask_id = row["ask_id"]
    return Bounce.model_validate({**row, "bounce_id": str(row["bounce_id"]), "ask_id": ask_id and str(ask_id)})
