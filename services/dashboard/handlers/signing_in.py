"""Signing in and out: passwords, sessions, and limits against guessing."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.dashboard.domain.sessions import FailureLimit
from services.dashboard.domain.users import User, weakness
from services.dashboard.gateways.passwords import Passwords
from services.dashboard.store import audit, links, sessions, tries, users
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Gone, Invalid, TooMany, Unauthorized
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
SPAN = timedelta(minutes=15)
BY_PLACE, BY_ADDRESS = FailureLimit(5, SPAN), FailureLimit(30, SPAN)
"""Limits for a name at one address, and for an address with all names."""
BY_NAME, BY_DEVICE = FailureLimit(50, SPAN), FailureLimit(5, SPAN)
"""Limits for a name at all addresses, and for a name on a device from which it has signed in before. Only its own
failures make such a device wait."""
LINK_GONE = "This link has been used, or is too old. Ask an admin for another one."
DROPPED_AT_ONCE = 20
"""Expired rows that a try deletes; it adds at most three, so expired rows run out."""


def hash_of(token: str) -> bytes:
    """The hash that is stored instead of a token."""
    return hashlib.sha256(token.encode()).digest()


def name_of(typed: str) -> str:
    """A typed sign-in name in the form in which it is stored."""
    return typed.strip().lower()[:320]


def _limits_of(email: str, address: str, device: str | None) -> dict[bytes, FailureLimit]:
    """The limits under which a try is counted, by the hash of what it is counted for; the right password forgets the
    failures of the first."""
    if device is not None:
        return {hash_of(f"device {device} {email}"): BY_DEVICE}
    return {
        hash_of(f"place {address} {email}"): BY_PLACE,
        hash_of(f"address {address}"): BY_ADDRESS,
        hash_of(f"name {email}"): BY_NAME,
    }


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in, with the token of their session."""

    user: User
    token: str


class SigningIn:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords, idle: timedelta) -> None:
        self._database, self._clock, self._passwords, self._idle = database, clock, passwords, idle

    async def sign_in(
        self, email: str, password: str, address: str, *, device: str | None = None, before: str | None = None
    ) -> str:
        """The token of a new session; the session `before` of the same browser ends. `device` is one on which this name
        has signed in before. Raises `Unauthorized`, or `TooMany` after too many failures."""
        now, email = self._clock.now(), name_of(email)
        limits = _limits_of(email, address, device)
        await self._count(limits, now)
        async with self._database.read() as tx:
            user, hashed = await users.password_of(tx, email) or (None, None)
        right = await self._passwords.verify(hashed, password[:1000])
        if user is None or not right or user.disabled:
            log.warning("login_failed")
            raise Unauthorized("wrong_password", "the name or the password is wrong")
        token = secrets.token_urlsafe(32)
        async with self._database.write() as tx:
            failed = await tries.lock_tries(tx, list(limits), now)
            await tries.set_tries(tx, {key: failed[key][:-1] for key in limits} | {next(iter(limits)): ()})
            await sessions.drop_ended(tx, now, self._idle)
            if before:
                await sessions.end_session(tx, hash_of(before))
            await sessions.add_session(tx, hash_of(token), user.user_id, now)
            await users.note_login(tx, user.user_id, now)
            await audit.note(tx, audit.Entry(now, email, "signed_in", email))
        return token

    async def _count(self, limits: dict[bytes, FailureLimit], now: datetime) -> None:
        """Count a try as a failure before the password is checked, so that concurrent tries count in all processes.
        Raises `TooMany`; such a try is not counted or stored, since anybody can try any number of names."""
        async with self._database.write() as tx:
            failed = await tries.lock_tries(tx, list(limits), now)
            waits = []
            for key, limit in limits.items():
                if wait := limit.wait(failed[key], now):
                    waits.append(wait)
            if waits:
                seconds = int(max(waits).total_seconds()) + 1
                raise TooMany("too_many_tries", "too many failed tries", retry_after=seconds)
            await tries.set_tries(tx, {key: [*limit.live(failed[key], now), now] for key, limit in limits.items()})
            await tries.drop_old_tries(tx, now - SPAN, DROPPED_AT_ONCE)

    async def living(self, tokens: Collection[str]) -> set[str]:
        """The tokens whose sessions have not ended, by one query; it does not keep a session alive."""
        hashes = {hash_of(token): token for token in tokens}
        if not hashes:
            return set()
        now = self._clock.now()
        async with self._database.read() as tx:
            known = await sessions.find_sessions(tx, list(hashes))
        return {hashes[key] for key, session in known.items() if session.live(now, self._idle)}

    async def visitor(self, token: str | None) -> Visitor | None:
        """The person that the token belongs to; None when the session has ended."""
        if not token or len(token) > 100:
            return None
        now, key = self._clock.now(), hash_of(token)
        async with self._database.read() as tx:
            session = await sessions.find_session(tx, key)
            if session is None:
                return None
            user = await users.user_by_id(tx, session.user_id)
        if user is None or user.disabled or not session.live(now, self._idle):
            return None
        if session.stale(now):
            async with self._database.write() as tx:
                await sessions.touch_session(tx, key, now)
        return Visitor(user, token)

    async def present(self, token: str) -> User | None:
        """The person of the session with their present role; None when it has ended. Requests that an open page sends
        by itself do not keep the session alive."""
        async with self._database.read() as tx:
            session = await sessions.find_session(tx, hash_of(token))
            if session is None:
                return None
            user = await users.user_by_id(tx, session.user_id)
        if user is None or user.disabled or not session.live(self._clock.now(), self._idle):
            return None
        return user

    async def sign_out(self, visitor: Visitor, *, everywhere: bool = False) -> None:
        """End the session, or all sessions of this person."""
        now, email = self._clock.now(), visitor.user.email
        action = "signed_out"
        if everywhere:
            action = "signed_out_everywhere"
        async with self._database.write() as tx:
            if everywhere:
                await sessions.end_sessions_of(tx, visitor.user.user_id)
            await sessions.end_session(tx, hash_of(visitor.token))
            await audit.note(tx, audit.Entry(now, email, action, email))

    async def change_password(self, visitor: Visitor, old: str, new: str) -> str:
        """Change one's own password; all sessions end, and the token of a new one is returned. Raises `Invalid` or
        `TooMany`."""
        now, email = self._clock.now(), visitor.user.email
        key = hash_of(f"password {email}")
        await self._count({key: BY_PLACE}, now)
        async with self._database.read() as tx:
            known = await users.password_of(tx, email)
        if not known or not await self._passwords.verify(known[1], old[:1000]):
            raise Invalid("wrong_password", "The present password is wrong.")
        async with self._database.write() as tx:
            await tries.set_tries(tx, {key: ()})
        if weak := weakness(new, email):
            raise Invalid("weak_password", weak)
        hashed = await self._passwords.hash(new)
        token = secrets.token_urlsafe(32)
        async with self._database.write() as tx:
            await users.set_password(tx, visitor.user.user_id, hashed)
            await links.drop_link(tx, visitor.user.user_id)
            await sessions.end_sessions_of(tx, visitor.user.user_id)
            await sessions.add_session(tx, hash_of(token), visitor.user.user_id, now)
            await audit.note(tx, audit.Entry(now, email, "changed_password", email))
        return token

    async def owner_of_link(self, link: str) -> User:
        """The person who may set their password by this link. Raises `Gone`."""
        async with self._database.read() as tx:
            user_id = await links.user_of_link(tx, hash_of(link), self._clock.now())
            user = None
            if user_id:
                user = await users.user_by_id(tx, user_id)
        if user is None or user.disabled:
            raise Gone("link_gone", LINK_GONE)
        return user

    async def set_password(self, link: str, new: str) -> None:
        """Set a password by a link, which can be used once; all sessions of the person end. Raises `Gone` or
        `Invalid`."""
        user = await self.owner_of_link(link)
        if weak := weakness(new, user.email):
            raise Invalid("weak_password", weak)
        hashed, now = await self._passwords.hash(new), self._clock.now()
        async with self._database.write() as tx:
            if not await links.take_link(tx, hash_of(link), now):
                raise Gone("link_gone", LINK_GONE)
            await users.set_password(tx, user.user_id, hashed)
            await sessions.end_sessions_of(tx, user.user_id)
            await audit.note(tx, audit.Entry(now, user.email, "set_password", user.email))
