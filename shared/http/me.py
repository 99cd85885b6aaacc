"""`GET /v1/me`: who a key is."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.access.caller import Caller
from shared.http.auth import AnyCaller
from shared.http.routing import Router


class Me(BaseModel):
    """The key that asked."""

    key_id: str = Field(examples=["k3v9x0a1b2c3"])
    name: str = Field(examples=["survey frontend"])
    scopes: list[str] = Field(examples=[["ingest", "read"]])
    owner_email: str | None = Field(
        description="Set when the key knows the accounts of one owner only.", examples=["ana.silva@supplier.example"]
    )
    publishable: bool
    expires_at: datetime | None


router = Router(tags=["access"])


@router.get("/v1/me", summary="Who is this key?")
async def who_am_i(caller: AnyCaller) -> Me:
    """Any valid key may ask about itself."""
    return me_of(caller)


def me_of(caller: Caller) -> Me:
    """The caller as the API shows it."""
    return Me(
        key_id=caller.key_id,
        name=caller.name,
        scopes=sorted(caller.scopes),
        owner_email=caller.owner_email,
        publishable=caller.publishable,
        expires_at=caller.expires_at,
    )
