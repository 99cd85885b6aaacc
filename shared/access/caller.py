"""The caller of a request, as every check of an API key returns it, and the scopes that exist."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from shared.errors import Forbidden

Scope = Literal["ingest", "read", "act", "manage", "erase"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid key.

    With `owner_email` (lower case) the caller knows the accounts of this owner only; all others are 404 to it.
    A publishable caller may only post responses, from `origins`, signed with `require_signature` by the secret that is
    sealed in `sealed_signing_secret`. `rate_limit` is requests a minute, None for none.
    """

    key_id: str
    scopes: frozenset[str]
    owner_email: str | None = None
    publishable: bool = False
    name: str = ""
    origins: tuple[str, ...] = ()
    rate_limit: int | None = None
    require_signature: bool = False
    sealed_signing_secret: bytes | None = field(default=None, compare=False, repr=False)
    expires_at: datetime | None = field(default=None, compare=False)

    @property
    def actor(self) -> str:
        """Whom a history names."""
        return f"key:{self.key_id}"

    def require(self, scope: Scope) -> None:
        """Raises `Forbidden` when the key lacks the scope, without telling whether the requested id exists."""
        if scope not in self.scopes:
            raise Forbidden("missing_scope", f"the key lacks the scope {scope}")

    def require_all_accounts(self) -> None:
        """Raises `Forbidden` for a key limited to one owner's accounts: what holds for every account it does not
        change."""
        if self.owner_email is not None:
            raise Forbidden("forbidden", "the key is limited to the accounts of one owner")
