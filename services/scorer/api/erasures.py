"""What became of an erasure here."""

from pydantic import ConfigDict, Field

from services.scorer import EMITS
from shared.http.erasures import EXAMPLE, Receipt, router_for


class Erasure(Receipt):
    """When a person was erased here, and how much went; `responses` stay as rows that name nobody."""

    model_config = ConfigDict(
        json_schema_extra={"example": EXAMPLE | {"responses": 3, "invitations": 1, "context_marks": 0}}
    )

    responses: int = Field(examples=[3])
    invitations: int = Field(examples=[1])
    context_marks: int = Field(examples=[0])


router = router_for(Erasure, EMITS)
