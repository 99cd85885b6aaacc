"""What roles may do, and which passwords are taken."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.dashboard.domain.users import Role, User, weakness


def user(role: Role) -> User:
    return User(uuid4(), "ada@supplier.example", "Ada", role, False, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.ADMIN, {"ingest", "read", "act", "manage", "erase"}),
        (Role.LEADER, {"ingest", "read", "act"}),
        (Role.ACCOUNT_MANAGER, {"read", "act"}),
        (Role.VIEWER, {"read"}),
    ],
)
def test_a_role_has_these_scopes_and_no_other(role: Role, scopes: set[str]) -> None:
    assert {name for name in ("ingest", "read", "act", "manage", "erase") if user(role).may(name)} == scopes


def test_only_account_managers_are_limited_to_their_accounts() -> None:
    assert user(Role.ACCOUNT_MANAGER).owner_email == "ada@supplier.example"
    assert {user(role).owner_email for role in Role if role is not Role.ACCOUNT_MANAGER} == {None}


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 11, "a" * 20, "abababababababab", "yes-adalovelace-1815", "y7" * 101]
)
def test_a_weak_password_is_refused_with_a_sentence(password: str) -> None:
    assert str(weakness(password, "adalovelace@supplier.example")).endswith(".")


def test_a_long_and_mixed_password_is_taken() -> None:
    assert weakness("four words or so", "ada@supplier.example") is None
