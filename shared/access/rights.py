"""A key can grant and revoke only rights that it has itself: no key can do more than its own record says."""

from shared.access.caller import Caller, Scope
from shared.access.records import KeyRecord
from shared.access.store import NewKey
from shared.errors import Forbidden

_POSTS: Scope = "ingest"
"""The right of a publishable key, which has no scopes: posting responses is a part of this scope."""


def require_may_give(caller: Caller, wanted: NewKey) -> None:
    """Raises `Forbidden` where the new key could do what the caller cannot: further scopes, accounts of others, more
    requests a minute, or the same for longer.
    """
    _require_scopes(caller, wanted.scopes, publishable=wanted.publishable)
    if caller.owner_email is not None and wanted.owner != caller.owner_email:
        raise Forbidden("owner_limited", "a key limited to an owner makes keys of that owner only")
    if caller.expires_at is not None and (wanted.expires_at is None or wanted.expires_at > caller.expires_at):
        until = caller.expires_at.isoformat(timespec="seconds")
        raise Forbidden("expires_later", f"a key that expires makes keys that expire with it or before: {until}")
    if caller.rate_limit is not None and (wanted.rate_limit is None or wanted.rate_limit > caller.rate_limit):
        limit = f"{caller.rate_limit} requests a minute"
        raise Forbidden("rate_limited", f"a key with a rate limit makes keys with at most the same: {limit}")


def require_may_revoke(caller: Caller, record: KeyRecord) -> None:
    """Raises `Forbidden` where the key may do what the caller may not. Keys of other owners are not seen at all."""
    _require_scopes(caller, record.scopes, publishable=record.publishable)


def _require_scopes(caller: Caller, scopes: frozenset[str], *, publishable: bool) -> None:
    needed = scopes
    if publishable:
        needed = scopes | {_POSTS}
    if lacking := needed - caller.scopes:
        raise Forbidden("beyond_own_scopes", f"a key gives and revokes only what it has: it lacks {_words(lacking)}")


def _words(scopes: frozenset[str]) -> str:
    return ", ".join(sorted(scopes))
