"""The people who may sign in: adding, changing and disabling them."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.dashboard.domain.users import Role, User
from services.dashboard.gateways.passwords import Passwords
from services.dashboard.handlers.keys import KeyRing
from services.dashboard.handlers.signing_in import hash_of
from services.dashboard.store import audit, links, sessions, users
from services.dashboard.store.keys import names_of_keys
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Forbidden, Invalid, NotFound

_EMAIL = re.compile(r"[^@\s\x00-\x1f\ud800-\udfff]{1,64}@[^@\s\x00-\x1f\ud800-\udfff]{1,255}")
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
FIRST_ADMIN = "admin"
"""The sign-in name of the first admin."""
LINK_LASTS = timedelta(hours=24)


def new_password() -> str:
    """A random password of 120 bits."""
    return secrets.token_urlsafe(15)


@dataclass(frozen=True, slots=True)
class Link:
    """A link by which a person sets their password, once; only its hash is stored."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """The administration of people."""

    database: Database
    clock: Clock
    passwords: Passwords
    keys: KeyRing | None = None

    async def first_admin(self) -> str | None:
        """Make the first admin and return their password; None when somebody can sign in already."""
        async with self.database.read() as tx:
            if await users.any_user(tx):
                return None
        password = new_password()
        hashed = await self.passwords.hash(password)
        new = users.NewUser(uuid4(), FIRST_ADMIN, "Admin", Role.ADMIN, hashed)
        async with self.database.write() as tx:
            made = await users.add_user(tx, new, self.clock.now())
        if made:
            return password
        return None

    async def everybody(self) -> Sequence[User]:
        """All people, by name."""
        async with self.database.read() as tx:
            return await users.all_users(tx)

    async def names_of_keys(self) -> dict[str, str]:
        """Key id to the name of the person behind it."""
        async with self.database.read() as tx:
            return dict(await names_of_keys(tx))

    async def journal(self, limit: int = 100) -> Sequence[audit.Entry]:
        """The latest entries of the audit."""
        async with self.database.read() as tx:
            return await audit.latest(tx, limit)

    async def add(self, by: User, email: str, name: str, role: Role) -> Link:
        """Add a person; returns the link by which they set their password. Raises `Invalid`, `Conflict` or
        `Forbidden`."""
        email, name = email.strip().lower(), " ".join(name.split())
        if not _EMAIL.fullmatch(email):
            raise Invalid("invalid_email", "This is not an e-mail address.")
        if not _NAME.fullmatch(name):
            raise Invalid("invalid_name", "A name has 1 to 200 characters, all of which can be written.")
        new, now = users.NewUser(uuid4(), email, name, role), self.clock.now()
        async with self.database.write() as tx:
            await _require_admin(tx, by)
            if not await users.add_user(tx, new, now):
                raise Conflict("email_taken", "There is already a person with this e-mail address.")
            await audit.note(tx, audit.Entry(now, by.email, f"added_{role.value}", email))
            return await _new_link(tx, new.user_id, now)

    async def change(self, by: User, user_id: UUID, role: Role, *, disabled: bool) -> None:
        """Change the role of a person, or disable or enable them. The last admin cannot be removed. Raises `Conflict`
        or `Forbidden`."""
        now = self.clock.now()
        async with self.database.write() as tx:
            admins = await users.live_admins(tx)
            await _require_admin(tx, by)
            user = await users.user_by_id(tx, user_id)
            if user is None:
                raise NotFound("user_not_found", "There is no such person.")
            was_admin = user.role is Role.ADMIN and not user.disabled
            if was_admin and (disabled or role is not Role.ADMIN) and admins == 1:
                raise Conflict("last_admin", "This is the last admin: add another one first.")
            await users.set_role(tx, user_id, role, disabled=disabled)
            await sessions.end_sessions_of(tx, user_id)
            if disabled:
                await links.drop_link(tx, user_id)
            action = f"made_{role.value}"
            if disabled:
                action = "shut_out"
            await audit.note(tx, audit.Entry(now, by.email, action, user.email))
        if self.keys:
            await self.keys.retire(user_id)

    async def password_link(self, by: User, user_id: UUID) -> Link:
        """A link by which a person sets a new password; until then the old one is valid. Raises `NotFound`, `Conflict`
        or `Forbidden`."""
        now = self.clock.now()
        async with self.database.write() as tx:
            await _require_admin(tx, by)
            user = await users.user_by_id(tx, user_id)
            if user is None:
                raise NotFound("user_not_found", "There is no such person.")
            if user.disabled:
                raise Conflict("shut_out", "They are disabled: enable them first.")
            await audit.note(tx, audit.Entry(now, by.email, "made_password_link", user.email))
            return await _new_link(tx, user_id, now)

    async def new_password_for(self, email: str) -> str:
        """From the command line: a new password for a person, who is enabled again if they were disabled."""
        password = new_password()
        hashed = await self.passwords.hash(password)
        now, email = self.clock.now(), email.strip().lower()
        async with self.database.write() as tx:
            known = await users.password_of(tx, email)
            if known is None:
                raise NotFound("user_not_found", "nobody signs in with this name")
            user = known[0]
            await users.set_password(tx, user.user_id, hashed)
            await users.set_role(tx, user.user_id, user.role, disabled=False)
            await links.drop_link(tx, user.user_id)
            await sessions.end_sessions_of(tx, user.user_id)
            await audit.note(tx, audit.Entry(now, "command line", "reset_password", email))
        return password

    async def note(self, by: User, action: str, subject: str) -> None:
        """Add an entry to the audit about an action in another service."""
        async with self.database.write() as tx:
            await audit.note(tx, audit.Entry(self.clock.now(), by.email, action, subject[:300]))


async def _new_link(tx: WriteTx, user_id: UUID, now: datetime) -> Link:
    made = Link(secrets.token_urlsafe(32), now + LINK_LASTS)
    await links.put_link(tx, user_id, hash_of(made.token), made.expires_at)
    return made


async def _require_admin(tx: ReadTx, by: User) -> None:
    """Check the present role of `by`, not the one that their page was drawn for."""
    current = await users.user_by_id(tx, by.user_id)
    if current is None or current.disabled or current.role is not Role.ADMIN:
        raise Forbidden("not_an_admin", "Only an admin may do this.")
