"""Erasure: a person's data go out of every service, and a receipt says when, how much, and when Kafka's log holds no
copy any more."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from services.collector import EMITS
from services.collector.api import examples
from services.collector.api.resources import AccountId, Resources, StakeholderId
from services.collector.handlers import erasure
from services.collector.handlers.erasure import Erasing
from services.collector.store.erasures import Receipt
from shared.http.auth import Eraser
from shared.http.routing import Router
from shared.telemetry.logging import get_logger
from shared.topics import gone_from

log = get_logger(__name__)
router = Router(tags=["erasure"])


class Erasure(BaseModel):
    """What went from the collector. The scorer and alerting tell of theirs under the same receipt."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ERASURE]})

    receipt_id: UUID
    erased_at: datetime = Field(description="What was recorded or answered until then is dropped wherever it turns up.")
    applied_at: datetime = Field(description="When it was done here.")
    gone_from_log_at: datetime = Field(
        description="When the last record about the person that the collector has written leaves Kafka's log, by the"
        " retention of its topics. Each service says so of its own; the latest of them is the end. In `directory`,"
        " which keeps the newest record of each key, a tombstone takes the place of the person's."
    )
    ids: int = Field(
        description="Ids that were erased: all that stand for the person, also at accounts where they were before. An"
        " address that nobody entered into their record is another person's until it is: look for it with the scorer's"
        " `GET /v1/stakeholders?email=`.",
        examples=[2],
    )
    stakeholders: int = Field(description="Records of the directory.", examples=[1])
    events: int = Field(description="Events that waited in, or had just left, the outbox.", examples=[0])


class AcceptedErasure(Erasure):
    """It is on its way to every service; ask each for `/v1/erasures/{receipt_id}`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED_ERASURE]})

    id: UUID = Field(description="The same as `receipt_id`.")
    status: Literal["accepted"] = "accepted"


@router.delete(
    "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}/data",
    status_code=202,
    summary="Erase a person from every service",
    responses={409: {"description": "The person was at an account of an owner whose accounts the key may not see."}},
)
async def erase_stakeholder(
    account_id: AccountId, stakeholder_id: StakeholderId, caller: Eraser, collector: Resources, response: Response
) -> AcceptedErasure:
    """Their answers leave every figure; names, addresses, comments and messages go; later answers count again.

    Kafka's log keeps its copies until `gone_from_log_at`, out of reach of every page and call. Backups, what webhooks
    have brought to receivers, what others wrote of the person in answers of their own, and ids of responses that you
    made of their address are yours to look after.
    """
    wanted = Erasing(account_id, stakeholder_id, caller.owner_email)
    now = collector.clock.now()
    receipt = await collector.database.retrying(lambda tx: erasure.erase(tx, wanted, now, collector.subject))
    collector.relay.wake()
    log.info("stakeholder_erased", receipt_id=str(receipt.receipt_id), by=caller.key_id)
    response.headers["location"] = f"/v1/erasures/{receipt.receipt_id}"
    return AcceptedErasure(id=receipt.receipt_id, **_shown(receipt).model_dump())


@router.get("/v1/erasures/{receipt_id}", summary="When and how much was erased")
async def get_erasure(receipt_id: UUID, caller: Eraser, collector: Resources) -> Erasure:
    """The collector's part."""
    async with collector.database.read() as tx:
        return _shown(await erasure.find_receipt(tx, receipt_id, caller.owner_email))


def _shown(receipt: Receipt) -> Erasure:
    return Erasure(
        receipt_id=receipt.receipt_id,
        erased_at=receipt.erased_at,
        applied_at=receipt.applied_at,
        gone_from_log_at=gone_from(EMITS, receipt.applied_at),
        ids=receipt.ids,
        stakeholders=receipt.stakeholders,
        events=receipt.events,
    )
