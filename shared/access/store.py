"""Every SQL statement about keys. The table is named with its schema, since each service's path leads to its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping

from shared.access.browser import BrowserSecrets, new_signing_secret
from shared.access.caller import SCOPES
from shared.access.records import KeyRecord
from shared.access.token import new_token
from shared.clock import NOT_AHEAD, is_ahead
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Invalid

MAX_NAME_LENGTH = 200
MAX_ORIGINS = 20
_KEYS = (
    "select id, secret_hash, name, scopes, created_at, owner_email, publishable, origins, rate_limit,"
    " require_signature, sealed_signing_secret, expires_at, revoked_at, last_used_at from access.api_keys"
)
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
"""As browsers send it: scheme, host in lower case, a port that is not the usual one; no path."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """The properties of a key to be made. `owner_email` limits it to the accounts of that owner. A publishable key has
    no scopes: it may post responses, from the `origins`, and with `require_signature` only responses that the
    customer's server signed."""

    name: str
    scopes: frozenset[str]
    owner_email: str | None = None
    expires_at: datetime | None = None
    rate_limit: int | None = None
    publishable: bool = False
    origins: tuple[str, ...] = ()
    require_signature: bool = False

    @property
    def owner(self) -> str | None:
        """The owner's address as it is compared, trimmed and in lower case; None without one."""
        if not self.owner_email:
            return None
        return self.owner_email.strip().lower()


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key just made; `token` is its printed form and is known only now, and so is the `signing_secret` of one whose
    posts must be signed."""

    record: KeyRecord
    token: str = field(repr=False)
    signing_secret: str | None = field(default=None, repr=False)


async def create_key(tx: WriteTx, wanted: NewKey, now: datetime, browsers: BrowserSecrets | None = None) -> IssuedKey:
    """Make a key; `browsers` seal the signing secret of one whose posts must be signed. Raises `Invalid` for unknown or
    missing scopes, an empty name, an expiry in the past, and malformed origins."""
    _check(wanted, now)
    token = new_token(publishable=wanted.publishable)
    secret, sealed = None, None
    if wanted.require_signature:
        if browsers is None:
            raise TypeError("a signing secret has to be sealed")
        secret = new_signing_secret()
        sealed = browsers.seal(token.key_id, secret)
    record = KeyRecord(
        id=token.key_id,
        secret_hash=token.digest(),
        name=wanted.name.strip(),
        scopes=wanted.scopes,
        created_at=now,
        owner_email=wanted.owner,
        publishable=wanted.publishable,
        origins=wanted.origins,
        rate_limit=wanted.rate_limit,
        require_signature=wanted.require_signature,
        sealed_signing_secret=sealed,
        expires_at=wanted.expires_at,
    )
    await tx.execute(
        "insert into access.api_keys (id, secret_hash, name, scopes, created_at, owner_email, publishable, origins,"
        " rate_limit, require_signature, sealed_signing_secret, expires_at) values (:id, :secret_hash, :name,"
        " cast(:scopes as text[]), :created_at, :owner_email, :publishable, cast(:origins as text[]), :rate_limit,"
        " :require_signature, :sealed_signing_secret, :expires_at)",
        id=record.id,
        secret_hash=record.secret_hash,
        name=record.name,
        scopes=sorted(record.scopes),
        created_at=record.created_at,
        owner_email=record.owner_email,
        publishable=record.publishable,
        origins=list(record.origins),
        rate_limit=record.rate_limit,
        require_signature=record.require_signature,
        sealed_signing_secret=record.sealed_signing_secret,
        expires_at=record.expires_at,
    )
    return IssuedKey(record, token.printed(), secret)


def _check(wanted: NewKey, now: datetime) -> None:
    problems = []
    if not 1 <= len(wanted.name.strip()) <= MAX_NAME_LENGTH:
        problems.append(("name", "invalid_length", f"must have 1 to {MAX_NAME_LENGTH} characters"))
    if wanted.publishable:
        problems += _browser_problems(wanted)
    elif not wanted.scopes or not wanted.scopes <= set(SCOPES):
        problems.append(("scopes", "invalid_scopes", f"must be one or more of {', '.join(SCOPES)}"))
    elif wanted.origins or wanted.require_signature:
        problems.append(("publishable", "not_publishable", "origins and signatures are for publishable keys"))
    if wanted.owner_email is not None and "@" not in wanted.owner_email:
        problems.append(("owner_email", "invalid_email", "must be an e-mail address"))
    if wanted.expires_at is not None and not is_ahead(wanted.expires_at, now):
        problems.append(("expires_at", "not_ahead", NOT_AHEAD))
    if wanted.rate_limit is not None and wanted.rate_limit < 1:
        problems.append(("rate_limit", "out_of_range", "must be 1 or more requests a minute"))
    if problems:
        errors = [{"field": name, "code": code, "detail": detail} for name, code, detail in problems]
        raise Invalid("invalid_key", "the key cannot be made so", errors=errors)


def _browser_problems(wanted: NewKey) -> list[tuple[str, str, str]]:
    problems = []
    if wanted.scopes:
        problems.append(("scopes", "invalid_scopes", "a publishable key has none: it may post responses"))
    if wanted.owner_email is not None:
        problems.append(("owner_email", "not_limited", "a publishable key is not limited to an owner"))
    if not 1 <= len(wanted.origins) <= MAX_ORIGINS or not all(map(ORIGIN.fullmatch, wanted.origins)):
        problems.append(("origins", "invalid_origins", "must name pages' origins, such as https://app.acme.example"))
    return problems


async def find_key(tx: ReadTx, key_id: str) -> KeyRecord | None:
    """The key of this id, also a revoked or expired one."""
    row = await tx.one(f"{_KEYS} where id = :id", id=key_id)
    if row is None:
        return None
    return _record(row)


async def list_keys(
    tx: ReadTx, *, owner_email: str | None = None, after: tuple[datetime, str] | None = None, limit: int = 1000
) -> Sequence[KeyRecord]:
    """Keys, the newest first; with `owner_email` those of that owner only. `after` is (created_at, id)."""
    at, key_id = after or (None, None)
    rows = await tx.all(
        f"{_KEYS}"
        " where (cast(:owner as text) is null or owner_email = :owner)"
        " and (cast(:at as timestamptz) is null or (created_at, id) < (:at, :id))"
        " order by created_at desc, id desc limit :limit",
        owner=owner_email,
        at=at,
        id=key_id,
        limit=limit,
    )
    return [_record(row) for row in rows]


async def live_keys(tx: ReadTx, now: datetime) -> Sequence[KeyRecord]:
    """Every key that is neither revoked nor expired."""
    rows = await tx.all(
        f"{_KEYS} where revoked_at is null and (expires_at is null or expires_at > :now)",
        now=now,
    )
    return [_record(row) for row in rows]


async def revoke_key(tx: WriteTx, key_id: str, now: datetime) -> bool:
    """Revoke a key for good; False when there is none. Revoking twice keeps the first time."""
    touched = await tx.execute(
        "update access.api_keys set revoked_at = coalesce(revoked_at, :now) where id = :id", id=key_id, now=now
    )
    return touched > 0


async def note_sealing(tx: WriteTx, key_id: str, now: datetime) -> None:
    """Note that the secret key with this id makes what is new from now on, unless it was the last one noted."""
    await tx.execute(
        "insert into access.secret_keys (key_id, sealing_since) values (:key_id, :now)"
        " on conflict (key_id) do update set sealing_since = excluded.sealing_since where exists"
        " (select from access.secret_keys later where later.sealing_since > secret_keys.sealing_since)",
        key_id=key_id,
        now=now,
    )


async def sealing_since(tx: ReadTx, key_id: str) -> datetime | None:
    """Since when the secret key with this id has made what is new; None where another one was noted last, or none."""
    since: datetime | None = await tx.scalar(
        "select sealing_since from access.secret_keys where key_id = :key_id"
        " and sealing_since = (select max(sealing_since) from access.secret_keys)",
        key_id=key_id,
    )
    return since


async def record_use(tx: WriteTx, used: Mapping[str, datetime]) -> None:
    """Note when keys were last used; a time earlier than the stored one changes nothing."""
    await tx.execute(
        "update access.api_keys k set last_used_at = u.at"
        " from unnest(cast(:ids as text[]), cast(:times as timestamptz[])) as u(id, at)"
        " where k.id = u.id and (k.last_used_at is null or k.last_used_at < u.at)",
        ids=list(used),
        times=list(used.values()),
    )


def _record(row: RowMapping) -> KeyRecord:
    return KeyRecord(
        id=row["id"],
        secret_hash=bytes(row["secret_hash"]),
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
        owner_email=row["owner_email"],
        publishable=row["publishable"],
        origins=tuple(row["origins"]),
        rate_limit=row["rate_limit"],
        require_signature=row["require_signature"],
        sealed_signing_secret=row["sealed_signing_secret"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
