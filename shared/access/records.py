"""A stored key, and its form in the file of hashes."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.access.caller import Caller


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One row of `access.api_keys`. `rate_limit` is requests a minute, None for no limit."""

    id: str
    secret_hash: bytes = field(repr=False)
    name: str
    scopes: frozenset[str]
    created_at: datetime
    owner_email: str | None = None
    publishable: bool = False
    origins: tuple[str, ...] = ()
    rate_limit: int | None = None
    require_signature: bool = False
    sealed_signing_secret: bytes | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def caller(self) -> Caller:
        """The caller that holds this key."""
        return Caller(
            key_id=self.id,
            scopes=self.scopes,
            owner_email=self.owner_email,
            publishable=self.publishable,
            name=self.name,
            origins=self.origins,
            rate_limit=self.rate_limit,
            require_signature=self.require_signature,
            sealed_signing_secret=self.sealed_signing_secret,
            expires_at=self.expires_at,
        )
