"""What became of an erasure here. What webhooks have brought to receivers is with them."""

from pydantic import ConfigDict, Field

from services.alerting import EMITS
from shared.http.erasures import EXAMPLE, Receipt, router_for


class Erasure(Receipt):
    """When a person was erased here, and how much went. What webhooks have brought to receivers is with them."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE | {"responses": 3, "follow_ups": 1, "messages": 2}})

    responses: int = Field(examples=[3])
    follow_ups: int = Field(description="They stay without the person.", examples=[1])
    messages: int = Field(description="About the person, for webhooks; what they said goes.", examples=[2])


router = router_for(Erasure, EMITS)
