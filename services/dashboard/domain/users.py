"""People who sign in, and the rights of their roles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

MIN_PASSWORD = 12
MAX_PASSWORD = 200


class Role(StrEnum):
    """The role of a person in the company."""

    ADMIN = "admin"
    LEADER = "leader"
    ACCOUNT_MANAGER = "account_manager"
    VIEWER = "viewer"


ROLE_NAMES = {
    Role.ADMIN: "Admin",
    Role.LEADER: "Leader",
    Role.ACCOUNT_MANAGER: "Account manager",
    Role.VIEWER: "Viewer",
}
SCOPES: dict[Role, frozenset[str]] = {
    Role.ADMIN: frozenset({"ingest", "read", "act", "manage", "erase"}),
    Role.LEADER: frozenset({"ingest", "read", "act"}),
    Role.ACCOUNT_MANAGER: frozenset({"read", "act"}),
    Role.VIEWER: frozenset({"read"}),
}
"""The scopes of the API key of a person with this role. An admin makes and revokes keys, and a key can grant and revoke
only its own rights."""
HANDED_OUT: frozenset[str] = frozenset().union(*SCOPES.values())
"""The scopes that the dashboard's own key needs, since it makes the keys of people."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in; `email` is the name to sign in with, in lower case."""

    user_id: UUID
    email: str
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None = None

    @property
    def owner_email(self) -> str | None:
        """The owner to whose accounts the person is limited; None: all accounts."""
        if self.role is Role.ACCOUNT_MANAGER:
            return self.email
        return None

    def may(self, scope: str) -> bool:
        """Whether the role has the scope. The services check the scopes of the key as well."""
        return scope in SCOPES[self.role]


def weakness(password: str, email: str) -> str | None:
    """Why a password is refused, in a sentence; None when it is accepted."""
    if len(password) < MIN_PASSWORD:
        return f"A password has {MIN_PASSWORD} characters or more."
    if len(password) > MAX_PASSWORD:
        return f"A password has {MAX_PASSWORD} characters at most."
    if len(set(password)) < 5:
        return "A password has five different characters or more."
    name = email.partition("@")[0].lower()
    if len(name) >= 4 and name in password.lower():
        return "A password does not hold the name of its owner."
    return None
