"""API keys, and since when each secret key has been the newest."""

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
            sealed_signing_secret bytea check ((sealed_signing_secret is not null) = require_signature),
            origins text[] not null default '{}',
            rate_limit int check (rate_limit > 0),
            created_at timestamptz not null,
            expires_at timestamptz check (isfinite(expires_at)),
            revoked_at timestamptz,
            last_used_at timestamptz
        )
        """
    )
    # Of a secret key its id alone: everything that was made before `sealing_since` may have been made with another.
    op.execute("create table secret_keys (key_id text primary key, sealing_since timestamptz not null)")
    op.execute("create index api_keys_newest on api_keys (created_at desc, id desc)")
