"""What became of an erasure here."""

from pydantic import ConfigDict, Field

from services.outreach import EMITS
from shared.http.erasures import EXAMPLE, Receipt, router_for


class Erasure(Receipt):
    """When a person was erased here, and how much went. An objection stays, as a keyed hash of the address."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE | {"asks": 3, "calls": 5}})

    asks: int = Field(description="With their answers so far.", examples=[3])
    calls: int = Field(description="What other services had been told or were still to be told.", examples=[5])


router = router_for(Erasure, EMITS)
