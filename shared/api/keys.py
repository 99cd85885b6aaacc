"""API keys as the API tells them."""

from datetime import datetime

from pydantic import BaseModel, Field

OWNER_ONLY = "The key knows the accounts of this owner only."


class Key(BaseModel):
    """A key without its secret."""

    id: str = Field(examples=["k3v9x0a1b2c3"])
    name: str = Field(examples=["survey frontend"])
    scopes: list[str] = Field(examples=[["ingest"]])
    owner_email: str | None = Field(description=OWNER_ONLY)
    publishable: bool
    origins: list[str]
    require_signature: bool
    rate_limit: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute or so.")


class NewKey(Key):
    """A key just made."""

    key: str = Field(description="The whole key. Shown this once; only its hash is kept.")
    signing_secret: str | None = Field(
        default=None, description="With `require_signature`: what your server signs with. Never for the browser."
    )
