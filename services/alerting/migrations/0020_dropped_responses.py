"""Answers that an erasure took, so that what is still said about them is dropped too."""

from alembic import op

revision = "alerting_0020"
down_revision = "alerting_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table: ids of answers, nothing of people."""
    op.execute(
        """
        create table dropped_responses (
            account_id text not null,
            response_id text not null,
            primary key (account_id, response_id)
        )
        """
    )
