"""What tells a file that was imported before."""

from alembic import op

revision = "collector_0003"
down_revision = "collector_0002"
branch_labels = None
depends_on = None

STATEMENTS = [
    "alter table imports add column file_digest bytea, add column same_as uuid",
    "create index imports_file_digest on imports (file_digest)",
]


def upgrade() -> None:
    """Add it."""
    for statement in STATEMENTS:
        op.execute(statement)
