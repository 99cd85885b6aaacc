"""A mark says whether a projector has taken it: one that is set again meanwhile is not taken any more, and stays."""

from alembic import op

revision = "scorer_0010"
down_revision = "scorer_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is taken yet."""
    op.execute("alter table marks add column taken boolean not null default false")
