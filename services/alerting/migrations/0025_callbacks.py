"""What CRMs send back about follow-ups: each message once."""

from alembic import op

revision = "alerting_0025"
down_revision = "alerting_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        create table callbacks (
            endpoint_id text not null,
            message_id text not null,
            digest bytea not null,
            follow_up_id uuid not null,
            at timestamptz not null,
            primary key (endpoint_id, message_id)
        )
        """
    )
    op.execute("create index callbacks_at on callbacks (at)")
