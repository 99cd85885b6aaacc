"""What became of an erasure here."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.scorer import EMITS
from services.scorer.api.resources import Resources
from shared.db.erasures import Journal
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.routing import Router
from shared.topics import DEAD_LETTERS, gone_from

router = Router(prefix="/v1/erasures", tags=["erasure"])


EXAMPLE: dict[str, Any] = {
    "receipt_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "status": "applied",
    "erased_at": "2026-11-20T08:15:00Z",
    "applied_at": "2026-11-20T08:15:00.250000Z",
    "gone_from_log_at": "2026-12-12T09:15:00.250000Z",
    "ids": 2,
    "responses": 3,
    "invitations": 1,
    "context_marks": 0,
}


COUNTS = ("responses", "invitations", "context_marks")


class Erasure(BaseModel):
    """When a person was erased here, and how much went; `responses` stay as rows that name nobody."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    receipt_id: UUID
    status: Literal["waiting", "applied"] = Field(
        description="`waiting`: the person is shown nowhere any more, and their rows go as soon as they can.",
        examples=["applied"],
    )
    erased_at: AwareDatetime = Field(description="What was recorded or answered until then is gone and stays out.")
    applied_at: AwareDatetime | None = Field(description="When this service had done it; null while it waits.")
    gone_from_log_at: AwareDatetime | None = Field(
        description="When the last record about the person that this service has written leaves Kafka's log, by the"
        " retention of its topics; null while it waits."
    )
    ids: int = Field(description="Ids of the person that were erased.", examples=[2])
    responses: int = Field(examples=[3])
    invitations: int = Field(examples=[1])
    context_marks: int = Field(examples=[0])


@router.get("/{receipt_id}", summary="When and how much was erased")
async def get_erasure(
    receipt_id: Annotated[UUID, Path(description="As the erasure gave it.")], caller: Eraser, resources: Resources
) -> Erasure:
    """404 until the erasure has come through, and for one of an account that the caller does not see."""
    async with resources.database.read() as tx:
        found = await Journal.receipt(tx, receipt_id, caller.owner_email, COUNTS)
    if found is None:
        raise NotFound("erasure_not_found", "no such erasure has come here yet")
    if found["applied_at"] is None:
        return Erasure(status="waiting", gone_from_log_at=None, **found)
    gone_from_log_at = gone_from((*EMITS, DEAD_LETTERS), found["applied_at"])
    return Erasure(status="applied", gone_from_log_at=gone_from_log_at, **found)
