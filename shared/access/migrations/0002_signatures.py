"""Publishable keys that take signed posts only."""

from alembic import op

revision = "access_0002"
down_revision = "access_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the wish; the secret itself is derived and stored nowhere."""
    op.execute("alter table api_keys add column require_signature boolean not null default false")
