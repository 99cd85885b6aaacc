"""Rules whose follow-up is one of the whole account, such as that for a burst of detractors."""

from alembic import op

revision = "alerting_0026"
down_revision = "alerting_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute(
        "alter table rules add column about text not null default 'person' check (about in ('person', 'account'))"
    )
