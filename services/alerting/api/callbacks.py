"""What CRMs call when their users act on a follow-up there. No API key: the message is signed with the secret of the
webhook endpoint, by Standard Webhooks, as ours to them are.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.alerting.api.models import Input, Line, Text, Version
from services.alerting.api.resources import TheService
from services.alerting.api.views import CRM
from services.alerting.domain import lifecycle
from services.alerting.domain.tasks import Closing
from services.alerting.gateways.verifier import Signed
from services.alerting.handlers.callbacks import carry_out, verified_callback
from services.alerting.handlers.follow_ups import Action, Command
from shared.api.follow_ups import OutcomeName, State
from shared.errors import Invalid
from shared.http import strict_json
from shared.http.deps import TheDatabase
from shared.http.problem import invalid
from shared.http.routing import Router, require_media_type

router = Router(prefix="/v1/callbacks", tags=["call-backs"])
EXAMPLE: dict[str, Any] = {
    "follow_up_id": "5f1c2a52-6a0f-5f5e-9b68-0d9f2f6a7c11",
    "action": "close",
    "outcome": "resolved",
    "what_was_done": "Called; the invoice was wrong and is corrected.",
    "told_customer": True,
    "by": "Eve Example",
}


class CallbackBody(Input):
    """What happened in the CRM."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    follow_up_id: UUID
    action: Literal["acknowledge", "start", "comment", "close"]
    by: Line | None = Field(default=None, description="Who did it there; stands in the history.")
    comment: Text | None = Field(default=None, description="Needed for `comment`.")
    version: Version | None = None
    outcome: OutcomeName = Field(default="resolved", description="Of `close`, as the next four.")
    root_cause: Line | None = None
    what_was_done: Text | None = None
    told_customer: bool | None = Field(default=None, strict=True)
    result: Text | None = None

    def carried_out(self) -> Action:
        """The change of the follow-up."""
        closing = Closing(self.outcome, self.root_cause, self.what_was_done, self.told_customer, self.result)
        actions: dict[str, Action] = {
            "acknowledge": lifecycle.acknowledge,
            "start": lifecycle.start,
            "comment": lifecycle.comment,
            "close": lambda task, change: lifecycle.close(task, change, closing),
        }
        return actions[self.action]

    def said(self) -> str | None:
        """The comment with who said it."""
        parts = [part for part in (self.by, self.comment) if part]
        return ": ".join(parts) or None


class CallbackAnswer(BaseModel):
    """What came of it."""

    follow_up_id: str
    version: int
    state: State
    outcome: OutcomeName | None
    changed: bool = Field(description="False where the follow-up was so already.")
    repeated: bool = Field(description="True where this webhook-id had come before.")


@router.post(
    "/{endpoint_id}",
    summary="A CRM's user has acted",
    responses={
        401: {"description": "The signature is not that of a live secret of the endpoint, or too old."},
        403: {"description": "The endpoint is disabled."},
        404: {"description": "There is no such follow-up for this endpoint."},
        409: {"description": "The version is stale, or another message came under this webhook-id."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": CallbackBody.model_json_schema(), "example": EXAMPLE}},
        }
    },
)
async def call_back(
    *,
    endpoint_id: Annotated[str, Path(max_length=200)],
    request: Request,
    database: TheDatabase,
    service: TheService,
    webhook_id: Annotated[str, Header(max_length=200, description="The same when it is sent again.")] = "",
    webhook_timestamp: Annotated[str, Header(max_length=20, description="Unix seconds, within five minutes.")] = "",
    webhook_signature: Annotated[
        str, Header(max_length=4000, description="`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`.")
    ] = "",
) -> CallbackAnswer:
    """Acknowledge, start, comment or close. The same webhook-id again changes nothing, and what is so already is 200
    with `changed: false`: nobody is told twice.
    """
    require_media_type(request.headers, "application/json")
    raw = await request.body()
    signed = Signed(webhook_id, webhook_timestamp, webhook_signature)
    async with database.read() as tx:
        callback = await verified_callback(tx, service.resources, service.vault, endpoint_id, signed, raw)
    body = _read(raw)
    command = Command(body.follow_up_id, callback.caller, body.version, body.said(), f"{CRM}{endpoint_id}")
    command = replace(command, touches=body.by is not None)
    action = body.carried_out()
    result = await database.retrying(lambda tx: carry_out(tx, service.resources, callback, command, action))
    service.committed()
    task = result.task
    return CallbackAnswer(
        follow_up_id=str(task.follow_up_id),
        version=task.version,
        state=task.state,
        outcome=task.outcome,
        changed=result.changed,
        repeated=result.repeated,
    )


def _read(raw: bytes) -> CallbackBody:
    """The body of a message that is genuine. Raises `BadRequest` and `Invalid`."""
    try:
        body = CallbackBody.model_validate(strict_json.loads(raw))
    except ValidationError as error:
        raise invalid(error) from None
    if body.action == "comment" and body.comment is None:
        detail = "is required for comment"
        raise Invalid("invalid_request", detail, errors=[{"field": "comment", "code": "missing", "detail": detail}])
    return body
