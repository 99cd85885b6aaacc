"""People who may sign in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.dashboard.domain.users import Role, User
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = "user_id, email, name, role, disabled, created_at, last_login_at"


@dataclass(frozen=True, slots=True)
class NewUser:
    """The first data of a person; without a hash they set a password first."""

    user_id: UUID
    email: str
    name: str
    role: Role
    password_hash: str | None = None


async def add_user(tx: WriteTx, new: NewUser, now: datetime) -> bool:
    """Store a person; False when the e-mail is taken."""
    rows = await tx.execute(
        "insert into users (user_id, email, name, role, password_hash, created_at)"
        " values (:user_id, :email, :name, :role, :password_hash, :now) on conflict (email) do nothing",
        user_id=new.user_id,
        email=new.email,
        name=new.name,
        role=new.role.value,
        password_hash=new.password_hash,
        now=now,
    )
    return rows == 1


async def any_user(tx: ReadTx) -> bool:
    """Whether anybody may sign in."""
    return bool(await tx.scalar("select exists (select from users)"))


async def user_by_id(tx: ReadTx, user_id: UUID) -> User | None:
    """A person."""
    row = await tx.one(f"select {_COLUMNS} from users where user_id = :user_id", user_id=user_id)
    if row:
        return _user(row)
    return None


async def password_of(tx: ReadTx, email: str) -> tuple[User, str | None] | None:
    """A person with the hash of their password, if they have set one."""
    row = await tx.one(f"select {_COLUMNS}, password_hash from users where email = :email", email=email)
    if row:
        return (_user(row), row["password_hash"])
    return None


async def all_users(tx: ReadTx) -> Sequence[User]:
    """Everybody, by name."""
    return [_user(row) for row in await tx.all(f"select {_COLUMNS} from users order by lower(name), email")]


async def live_admins(tx: WriteTx) -> int:
    """The number of enabled admins; locks their rows, so that two admins do not remove each other."""
    return len(await tx.all("select user_id from users where role = 'admin' and not disabled for update"))


async def set_password(tx: WriteTx, user_id: UUID, password_hash: str) -> None:
    """Replace the password."""
    await tx.execute(
        "update users set password_hash = :password_hash where user_id = :user_id",
        user_id=user_id,
        password_hash=password_hash,
    )


async def set_role(tx: WriteTx, user_id: UUID, role: Role, *, disabled: bool) -> None:
    """Set the role of a person, and whether they are disabled."""
    await tx.execute(
        "update users set role = :role, disabled = :disabled where user_id = :user_id",
        user_id=user_id,
        role=role.value,
        disabled=disabled,
    )


async def note_login(tx: WriteTx, user_id: UUID, now: datetime) -> None:
    """Store the time of a person's last sign-in."""
    await tx.execute("update users set last_login_at = :now where user_id = :user_id", user_id=user_id, now=now)


def _user(row: Any) -> User:
    return User(
        user_id=row["user_id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        disabled=row["disabled"],
        created_at=row["created_at"],
        last_login_at=row["last_login_at"],
    )
