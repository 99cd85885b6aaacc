"""The dashboard's state: users, their sessions, links and keys, the audit, failed sign-ins."""

from alembic import op

revision = "dashboard_1"
down_revision = None
compatible_since = "dashboard_1"

STATEMENTS = [
    """
    create table users (
        user_id uuid primary key,
        email text not null unique check (email = lower(email)),
        name text not null,
        role text not null check (role in ('admin', 'leader', 'account_manager', 'viewer')),
        password_hash text,
        disabled boolean not null default false,
        created_at timestamptz not null,
        last_login_at timestamptz
    )
    """,
    # Only the hash of a session's token is here: who reads the table cannot sign in.
    """
    create table sessions (
        token_hash bytea primary key,
        user_id uuid not null references users,
        created_at timestamptz not null,
        seen_at timestamptz not null
    )
    """,
    "create index sessions_user on sessions (user_id)",
    # A link is known by its hash only, too, and the newest of a person is the only one.
    """
    create table password_links (
        user_id uuid primary key references users,
        token_hash bytea not null unique,
        expires_at timestamptz not null
    )
    """,
    """
    create table keys (
        key_id text primary key,
        user_id uuid not null references users,
        sealed bytea not null,
        role text not null,
        scopes text[] not null,
        created_at timestamptz not null,
        retired_at timestamptz
    )
    """,
    "create unique index keys_live on keys (user_id) where retired_at is null",
    """
    create table audit (
        id bigint generated always as identity primary key,
        at timestamptz not null,
        actor text not null,
        action text not null,
        subject text not null
    )
    """,
    "create index audit_at on audit (at desc)",
    # Failed sign-ins, counted for all processes and beyond a restart. `who` is the hash of what tries are counted for,
    # such as a name with an address: somebody may have typed the password into the field of the name.
    """
    create table failed_tries (
        who bytea primary key,
        times timestamptz[] not null,
        last_at timestamptz not null
    )
    """,
    "create index failed_tries_last_at on failed_tries (last_at)",
]


def upgrade() -> None:
    """Create everything."""
    for statement in STATEMENTS:
        op.execute(statement)
