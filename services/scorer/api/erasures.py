"""What became of an erasure here."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.scorer.api.resources import Resources
from services.scorer.store.erasures import receipt
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.routing import Router

router = Router(prefix="/v1/erasures", tags=["erasure"])


class Erasure(BaseModel):
    """When a person was erased here, and how much went; `responses` stay as rows that name nobody."""

    receipt_id: UUID
    erased_at: AwareDatetime = Field(description="What was recorded until then is gone and stays out.")
    applied_at: AwareDatetime = Field(description="When this service had done it.")
    responses: int = Field(examples=[3])
    invitations: int = Field(examples=[1])
    context_marks: int = Field(examples=[0])


@router.get("/{receipt_id}", summary="When and how much was erased")
async def get_erasure(receipt_id: UUID, caller: Eraser, resources: Resources) -> Erasure:
    """404 until the erasure has come through."""
    async with resources.database.read() as tx:
        found: dict[str, Any] | None = await receipt(tx, receipt_id)
    if found is None:
        raise NotFound("erasure_not_found", "no such erasure has come here yet")
    return Erasure(**found)
