"""Targets of response rates per owner; how they stand is read beside the scorer's funnel by owner."""

from pydantic import ConfigDict, Field

from services.outreach.api.links_models import Email, Input
from services.outreach.api.resources import Outreach, TheService
from services.outreach.store import response_targets as store
from shared.api.response_targets import ResponseTarget, ResponseTargets
from shared.db.transaction import WriteTx
from shared.http.auth import Manager, Reader
from shared.http.routing import Router

router = Router(prefix="/v1/response-targets", tags=["asks"])


class NewTarget(Input):
    """What share of those asked at an owner's accounts is to answer."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"owner": "lea@supplier.example", "target": 0.55}]}
    )

    owner: Email
    target: float | None = Field(gt=0, le=1, description="Answered over sent and not bounced; null: no target.")


@router.get("", summary="Targets of response rates per owner")
async def list_targets(caller: Reader, service: TheService) -> ResponseTargets:
    """By owner. A key limited to an owner sees its own."""
    return await _targets(service, caller.owner_email)


@router.put("", summary="Set the target of an owner")
async def put_target(body: NewTarget, caller: Manager, service: TheService) -> ResponseTargets:
    """In the place of an earlier one; null takes it away. Answers with all targets."""
    caller.require_all_accounts()
    now = service.clock.now()

    async def change(tx: WriteTx) -> None:
        if body.target is None:
            await store.drop(tx, body.owner)
            return
        await store.put(tx, body.owner, body.target, caller.actor, now)

    await service.database.retrying(change)
    return await _targets(service, None)


async def _targets(service: Outreach, seen_by: str | None) -> ResponseTargets:
    async with service.database.read() as tx:
        rows = await store.listed(tx, seen_by)
    return ResponseTargets(items=[ResponseTarget.model_validate(dict(row)) for row in rows])
