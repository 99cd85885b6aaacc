"""The dashboard's own tables, as its migrations leave them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)

USERS = Table(
    "users",
    METADATA,
    Column("user_id", Uuid, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("last_login_at", _INSTANT),
)
"""People who may sign in; without a hash somebody has set no password yet."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.user_id"), nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("seen_at", _INSTANT, nullable=False),
)
"""Who is signed in; the token itself is in the browser only."""

PASSWORD_LINKS = Table(
    "password_links",
    METADATA,
    Column("user_id", Uuid, ForeignKey("users.user_id"), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("expires_at", _INSTANT, nullable=False),
)
"""Links by which people set their passwords; a link that was used is gone."""

KEYS = Table(
    "keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.user_id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("retired_at", _INSTANT),
)
"""The API key of each person, encrypted. A retired one stays, so that what it did is still known by name."""

FAILED_TRIES = Table(
    "failed_tries",
    METADATA,
    Column("who", LargeBinary, primary_key=True),
    Column("times", ARRAY(_INSTANT), nullable=False),
    Column("last_at", _INSTANT, nullable=False),
)
"""Failed sign-ins, by the hash of what they are counted for: a name, an address, both together, a known device."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", _INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
)
"""Who did what on the dashboard."""
