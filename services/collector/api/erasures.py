"""Erasure: the data of a person, or of an account, go out of every service, and a receipt says when, how much, and when
Kafka's log holds no copy any more."""

from uuid import UUID

from fastapi import Response

from services.collector import EMITS
from services.collector.api.resources import AccountId, Resources, StakeholderId
from services.collector.handlers import erasure
from services.collector.handlers.erasure import Erasing
from services.collector.store.erasures import Receipt
from shared.api.erasures import AcceptedErasure, Erasure
from shared.http.auth import Eraser
from shared.http.routing import Router
from shared.telemetry.logging import get_logger
from shared.topics import gone_from

log = get_logger(__name__)
router = Router(tags=["erasure"])


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


@router.delete("/v1/accounts/{account_id}/data", status_code=202, summary="Erase an account from every service")
async def erase_account(
    account_id: AccountId, caller: Eraser, collector: Resources, response: Response
) -> AcceptedErasure:
    """Everybody at it, their answers, asks and follow-ups, what happened there and all figures go; nobody is told of
    the follow-ups that end so. Answers that are given later count again.

    Where one of its people is or was at another account, that line stays: erase the person. Rows of files that were
    not taken stay for their week. Kafka's log, backups and receivers of webhooks: as of the erasure of a person.
    """
    now = collector.clock.now()
    receipt = await collector.database.retrying(
        lambda tx: erasure.erase_account(tx, account_id, now, caller.owner_email)
    )
    collector.relay.wake()
    log.info("account_erased", receipt_id=str(receipt.receipt_id), by=caller.key_id)
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
