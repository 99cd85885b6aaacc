"""The API keys with which the services are asked for each person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dashboard.domain.users import SCOPES, Role
from shared.db.transaction import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class SealedKey:
    """An encrypted key."""

    key_id: str
    user_id: UUID
    sealed: bytes
    role: Role
    scopes: frozenset[str]

    def fits(self, role: Role) -> bool:
        """Whether the key was made for this role and has its scopes."""
        return self.role is role and self.scopes == SCOPES[role]


async def live_key(tx: ReadTx, user_id: UUID) -> SealedKey | None:
    """The key of a person."""
    row = await tx.one(
        "select key_id, user_id, sealed, role, scopes from keys where user_id = :user_id and retired_at is null",
        user_id=user_id,
    )
    if row is None:
        return None
    return SealedKey(row["key_id"], row["user_id"], row["sealed"], Role(row["role"]), frozenset(row["scopes"]))


async def add_key(tx: WriteTx, key: SealedKey, now: datetime) -> bool:
    """Keep a key; False when the person has one already."""
    rows = await tx.execute(
        "insert into keys (key_id, user_id, sealed, role, scopes, created_at)"
        " values (:key_id, :user_id, :sealed, :role, :scopes, :now) on conflict do nothing",
        key_id=key.key_id,
        user_id=key.user_id,
        sealed=key.sealed,
        role=key.role.value,
        scopes=sorted(key.scopes),
        now=now,
    )
    return rows == 1


async def retire_key(tx: WriteTx, user_id: UUID, now: datetime) -> str | None:
    """Retire the key of a person; returns its id, if there was one."""
    row = await tx.one(
        "update keys set retired_at = :now, sealed = '' where user_id = :user_id and retired_at is null"
        " returning key_id",
        user_id=user_id,
        now=now,
    )
    if row:
        return str(row["key_id"])
    return None


async def retire_all(tx: WriteTx, now: datetime) -> None:
    """Retire the keys of everybody; each gets another one when it is needed."""
    await tx.execute("update keys set retired_at = :now, sealed = '' where retired_at is null", now=now)


async def names_of_keys(tx: ReadTx) -> Mapping[str, str]:
    """Key id -> name of the person, also for retired keys."""
    rows = await tx.all("select key_id, name from keys join users using (user_id)")
    return {row["key_id"]: row["name"] for row in rows}
