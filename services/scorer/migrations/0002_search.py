"""Full-text search over comments."""

from alembic import op

revision = "scorer_0002"
down_revision = "scorer_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Words as they are written (`simple`), since comments come in many languages."""
    op.execute(
        "create index responses_comment on responses using gin (to_tsvector('simple', comment))"
        " where comment is not null"
    )
