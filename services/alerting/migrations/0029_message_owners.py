"""Messages carry the address of their account's owner."""

from alembic import op

revision = "alerting_0029"
down_revision = "alerting_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("alter table webhook_messages add column owner_email text")
