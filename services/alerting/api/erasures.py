"""What became of an erasure here."""

from uuid import UUID

from services.alerting.api.models import Erasure
from services.alerting.store.answers import find_erasure
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.deps import TheDatabase
from shared.http.routing import Router

router = Router(prefix="/v1/erasures", tags=["erasure"])


@router.get("/{receipt_id}", summary="When and how much was erased")
async def get_erasure(receipt_id: UUID, caller: Eraser, database: TheDatabase) -> Erasure:
    """404 until the erasure has come through."""
    async with database.read() as tx:
        found = await find_erasure(tx, receipt_id)
    if found is None:
        raise NotFound("erasure_not_found", "no such erasure has come here yet")
    return Erasure(
        receipt_id=str(found.receipt_id),
        erased_at=found.erased_at,
        applied_at=found.applied_at,
        responses=found.responses,
        follow_ups=found.tasks,
        messages=found.messages,
    )
