"""API keys."""

from alembic import op

revision = "access_1"
down_revision = None
compatible_since = "access_1"


def upgrade() -> None:
    """Create the table of keys. The secret itself is nowhere: only its SHA-256."""
    op.execute(
        """
        create table api_keys (
            id text primary key check (id ~ '^[a-z0-9]{12}$'),
            secret_hash bytea not null check (octet_length(secret_hash) = 32),
            name text not null,
            scopes text[] not null,
            owner_email text,
            publishable boolean not null default false,
            require_signature boolean not null default false,
            origins text[] not null default '{}',
            rate_limit int check (rate_limit > 0),
            created_at timestamptz not null,
            expires_at timestamptz check (isfinite(expires_at)),
            revoked_at timestamptz,
            last_used_at timestamptz
        )
        """
    )
    op.execute("create index api_keys_newest on api_keys (created_at desc, id desc)")
