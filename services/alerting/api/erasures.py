"""What became of an erasure here."""

from uuid import UUID

from services.alerting import EMITS
from services.alerting.api.models import Erasure
from shared.db.erasures import Journal
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.deps import TheDatabase
from shared.http.routing import Router
from shared.topics import DEAD_LETTERS, gone_from

router = Router(prefix="/v1/erasures", tags=["erasure"])


@router.get("/{receipt_id}", summary="When and how much was erased")
async def get_erasure(receipt_id: UUID, caller: Eraser, database: TheDatabase) -> Erasure:
    """404 until the erasure has come through, and for one of an account that the caller does not see."""
    async with database.read() as tx:
        receipt = await Journal.receipt(tx, receipt_id, caller.owner_email, ("responses", "tasks", "messages"))
    if receipt is None:
        raise NotFound("erasure_not_found", "no such erasure has come here yet")
    applied_at = receipt["applied_at"]
    gone_from_log_at = None
    if applied_at is not None:
        gone_from_log_at = gone_from((*EMITS, DEAD_LETTERS), applied_at)
    return Erasure(
        receipt_id=str(receipt["receipt_id"]),
        status="waiting" if applied_at is None else "applied",
        erased_at=receipt["erased_at"],
        applied_at=applied_at,
        gone_from_log_at=gone_from_log_at,
        ids=receipt["ids"],
        responses=receipt["responses"],
        follow_ups=receipt["tasks"],
        messages=receipt["messages"],
    )
