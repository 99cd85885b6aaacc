"""What became of an erasure here."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.outreach.api.resources import TheService
from shared.db.erasures import Journal
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.routing import Router
from shared.topics import DEAD_LETTERS, gone_from

router = Router(prefix="/v1/erasures", tags=["erasure"])
COUNTS = ("asks", "calls")
EXAMPLE: dict[str, Any] = {
    "receipt_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "status": "applied",
    "erased_at": "2026-11-20T08:15:00Z",
    "applied_at": "2026-11-20T08:15:00.250000Z",
    "gone_from_log_at": "2026-12-04T08:15:00.250000Z",
    "ids": 1,
    "asks": 3,
    "calls": 5,
}


class Erasure(BaseModel):
    """When a person was erased here, and how much went. An objection stays, as a keyed hash of the address."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    receipt_id: UUID
    status: Literal["waiting", "applied"] = Field(
        description="`waiting`: the person is shown nowhere any more, and their rows go as soon as they can.",
        examples=["applied"],
    )
    erased_at: AwareDatetime = Field(description="What was recorded until then is gone and stays out.")
    applied_at: AwareDatetime | None = Field(description="When this service had done it; null while it waits.")
    gone_from_log_at: AwareDatetime | None = Field(
        description="When the last record about the person that this service has written leaves Kafka's log: only its"
        " dead letters may hold any; null while it waits."
    )
    ids: int = Field(description="Ids of the person that were erased.", examples=[1])
    asks: int = Field(description="With their answers so far.", examples=[3])
    calls: int = Field(description="What other services had been told or were still to be told.", examples=[5])


@router.get("/{receipt_id}", summary="When and how much was erased")
async def get_erasure(
    receipt_id: Annotated[UUID, Path(description="As the erasure gave it.")], caller: Eraser, service: TheService
) -> Erasure:
    """404 until the erasure has come through, and for one of an account that the caller does not see."""
    async with service.database.read() as tx:
        receipt = await Journal.receipt(tx, receipt_id, caller.owner_email, COUNTS)
    if receipt is None:
        raise NotFound("erasure_not_found", "no such erasure has come here yet")
    applied_at = receipt["applied_at"]
    if applied_at is None:
        return Erasure(**receipt, status="waiting", gone_from_log_at=None)
    return Erasure(**receipt, status="applied", gone_from_log_at=gone_from((DEAD_LETTERS,), applied_at))
