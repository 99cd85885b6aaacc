"""`/v1/erasures/{receipt_id}`: what became of an erasure in a service that reads facts about people."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, Field

from shared.db.erasures import Journal
from shared.errors import NotFound
from shared.http.auth import Eraser
from shared.http.deps import TheDatabase
from shared.http.routing import Router
from shared.topics import DEAD_LETTERS, Topic, gone_from

EXAMPLE: dict[str, Any] = {
    "receipt_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "status": "applied",
    "erased_at": "2026-11-20T08:15:00Z",
    "applied_at": "2026-11-20T08:15:00.250000Z",
    "gone_from_log_at": "2026-12-12T09:15:00.250000Z",
    "ids": 2,
}


class Receipt(BaseModel):
    """When a person was erased in a service. Each service adds how much went, as columns of its journal."""

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


def counts_of(model: type[Receipt]) -> list[str]:
    """What a service's receipt counts: the columns of its journal."""
    return [name for name in model.model_fields if name not in Receipt.model_fields]


def router_for(model: type[Receipt], emits: Sequence[Topic]) -> Router:
    """The route of a service whose receipt is `model`, and that writes to `emits`, beside its dead letters."""
    router = Router(prefix="/v1/erasures", tags=["erasure"])

    @router.get("/{receipt_id}", summary="When and how much was erased", response_model=model)
    async def get_erasure(
        receipt_id: Annotated[UUID, Path(description="As the erasure gave it.")], caller: Eraser, database: TheDatabase
    ) -> Receipt:
        """404 until the erasure has come through, and for one of an account that the caller does not see."""
        async with database.read() as tx:
            receipt = await Journal.receipt(tx, receipt_id, caller.owner_email, counts_of(model))
        if receipt is None:
            raise NotFound("erasure_not_found", "no such erasure has come here yet")
        applied_at = receipt["applied_at"]
        if applied_at is None:
            return model(status="waiting", gone_from_log_at=None, **receipt)
        return model(status="applied", gone_from_log_at=gone_from((*emits, DEAD_LETTERS), applied_at), **receipt)

    return router
